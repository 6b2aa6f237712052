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

LONGEST_SECONDS = 10.0
"""After this the records are read again: whoever changes them in the database itself does not count it."""

MOST_KNOWN = 10_000


class IdentityCache:
    """Belongs to one thread. `refresh` first, then `identify` whoever has come by then."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._changes = -1
        self._known: dict[str, tuple[Identity, float]] = {}

    def refresh(self) -> None:
        """Forget everybody if anything about who may do what has changed since the last time."""
        # Before anybody is identified: what changes from here on is found by the next one.
        changes = current_version()
        if changes != self._changes or len(self._known) > MOST_KNOWN:
            self._changes = changes
            self._known.clear()

    @sensitive_variables()
    def identify(self, credential: str, caller: ClientInfo) -> Identity:
        """As `subscriptions.auth.authentication.identify`, as of the last `refresh`.

        Raises:
            BadCredential: it is not accepted.
        """
        digest, now = digest_of(credential), self._clock()
        identity, until = self._known.get(digest, (None, 0.0))
        if identity is None or now >= until:
            identity = identify(credential, caller)
            self._known[digest] = (
                identity,
                min(now + LONGEST_SECONDS, identity.expires_at or now + LONGEST_SECONDS),
            )
        return identity
