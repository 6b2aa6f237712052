"""A cache of identities: until a permission changes, one number is read instead of rows."""

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
"""After this time the records are read again: a change made in the database itself is not counted."""

MAX_IDENTITIES = 10_000


class IdentityCache:
    """Identities by the digests of their credentials, for one thread.

    Call `refresh` first, then `identify` for each of the requests that have arrived by then.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._version = -1
        self._identities: dict[str, tuple[Identity, float]] = {}

    def refresh(self) -> None:
        """Clear the cache if a permission has changed since the last call."""
        # Read before anything is identified: a later change is found by the next refresh.
        version = current_version()
        if version != self._version or len(self._identities) > MAX_IDENTITIES:
            self._version = version
            self._identities.clear()

    @sensitive_variables()
    def identify(self, credential: str, client_info: ClientInfo) -> Identity:
        """Return the identity of a credential as of the last `refresh`.

        Raises:
            BadCredential: The credential is not accepted.
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
