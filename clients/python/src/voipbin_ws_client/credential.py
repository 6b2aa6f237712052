"""The credential: kept while the server accepts it, then renewed by the application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from voipbin_ws_client.errors import Terminated, Unauthorized
from voipbin_ws_client.states import Clock
from voipbin_ws_client.transports.handshake import Unavailable

logger = logging.getLogger(__name__)

TokenProvider = Callable[[str], Awaitable[str]]
"""An async function that returns a credential. Its argument is the reason of the call: `connect` for the first one,
`expired` after a credential expired in use, `refused` after the server did not accept one. An exception counts as a
temporary failure, unless it is a `Terminated` such as `Unauthorized`;
so does an answer later than `PROVIDER_SECONDS`."""

PROVIDER_SECONDS = 60.0


class Credential:
    """A fixed token, or the current token of a provider."""

    def __init__(self, token: str | TokenProvider | None) -> None:
        self._provider = token if callable(token) else None
        self._token = None if callable(token) else token
        self._reason = "connect"
        self._is_new = False

    async def get(self, clock: Clock) -> str | None:
        """Return the token; `None` if the application gave neither a token nor a provider.

        Raises:
            Unavailable: the provider failed, or did not answer in time.
            TypeError: the provider returned no string.
        """
        if self._provider is None or self._token is not None:
            return self._token
        try:
            token = await clock.within(PROVIDER_SECONDS, _awaited(self._provider(self._reason)))
        except Terminated:
            raise
        except asyncio.TimeoutError:
            raise Unavailable(
                f"There is no credential now: No answer within {PROVIDER_SECONDS:.0f} s"
            ) from None
        except Exception as error:
            logger.warning("There is no credential now: %r", error)
            raise Unavailable(f"There is no credential now: {error}") from error
        if not isinstance(token, str):
            raise TypeError(f"A token provider gives a string, not {type(token).__name__}")
        self._token = token
        return token

    def accepted(self) -> None:
        """Record that the server accepted the token."""
        self._is_new = False

    def renew(self, reason: str, message: str, code: int) -> None:
        """Discard the token, so that `get` calls the provider with `reason`.

        Raises:
            Unauthorized: there is no provider, or the server refused a new token too. `message` and `code` are its
                reason.
        """
        if self._provider is None or self._is_new:
            raise Unauthorized(message, code)
        self._token, self._reason, self._is_new = None, reason, True


async def _awaited(answer: Awaitable[str]) -> str:
    return await answer
