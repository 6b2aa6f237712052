"""Tokens that were ended before they expire, by `POST /auth/logout`."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, Value
from django.utils import timezone

from subscriptions.auth.access_version import bump
from subscriptions.models import EndedToken

FOREVER = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)


def id_of(token: str) -> str:
    """Return the id of a JWT: SHA-256 in hex over what is signed.

    The signature is left out: a decoder may accept other spellings of its last character (RFC 4648, 3.5).
    """
    return hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest()


def is_ended(token_id: str) -> Exists:
    """Return the condition that a token was ended, for a query that is made anyway."""
    return Exists(EndedToken.objects.filter(pk=Value(token_id)))


def ended_among(token_ids: Iterable[str]) -> set[str]:
    """Return those of the tokens that were ended."""
    return set(EndedToken.objects.filter(pk__in=list(token_ids)).values_list("pk", flat=True))


def end_token(token_id: str, expires_at: float | None) -> None:
    """End a token. `expires_at` is in seconds since 1970: then its row is not needed any more."""
    now = timezone.now()
    try:
        ends_at = FOREVER if expires_at is None else dt.datetime.fromtimestamp(expires_at, dt.UTC)
    except (OverflowError, ValueError):
        ends_at = FOREVER
    with transaction.atomic():
        EndedToken.objects.filter(ends_at__lt=now - dt.timedelta(hours=1)).delete()
        EndedToken.objects.get_or_create(pk=token_id, defaults={"ends_at": ends_at})
        bump()
