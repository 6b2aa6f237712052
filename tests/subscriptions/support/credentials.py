"""Credentials that are refused."""

from __future__ import annotations

import pytest

from subscriptions.auth.authentication import identify
from subscriptions.auth.credentials import BadCredential


def refused(credential: str) -> BadCredential:
    with pytest.raises(BadCredential) as error:
        identify(credential)
    # A secret in a message would be in answers and logs.
    assert not credential or credential not in str(error.value)
    return error.value
