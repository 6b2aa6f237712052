"""Credentials that were identified a moment ago: while nothing has changed, one number is read instead of records."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.views.decorators.debug import sensitive_variables

from subscriptions.auth.access_version import current_version
from subscriptions.auth.authentication import identify
from subscriptions.auth.client_info import ClientInfo
from subscriptions.models import digest_of
from subscriptions.protocol.permissions import Identity

MAX_AGE_SECONDS = 10.0
"""After this the records are read again: whoever changes them in the database itself does not count it."""

MAX_IDENTITIES = 10_000


class IdentityCache:
    """Belongs to one thread. `refresh` first, then `identify` whoever has come by then."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._version = -1
        self._identities: dict[str, tuple[Identity, float]] = {}

    def refresh(self) -> None:
        """Forget everybody if anything about who may do what has changed since the last time."""
        # Before anybody is identified: what changes from here on is found by the next one.
        version = current_version()
        if version != self._version or len(self._identities) > MAX_IDENTITIES:
            self._version = version
            self._identities.clear()

    @sensitive_variables()
    def identify(self, credential: str, client_info: ClientInfo) -> Identity:
        """As `subscriptions.auth.authentication.identify`, as of the last `refresh`.

        Raises:
            BadCredential: it is not accepted.
        """
        digest, now = digest_of(credential), self._clock()
        identity, until = self._identities.get(digest, (None, 0.0))
        if identity is None or now >= until:
            identity = identify(credential, client_info)
            self._identities[digest] = (
                identity,
                min(now + MAX_AGE_SECONDS, identity.expires_at or now + MAX_AGE_SECONDS),
            )
        return identity
