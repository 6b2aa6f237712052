"""The credential that a client shows: kept while it is accepted, asked for anew when it is not."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from voipbin_ws_client.errors import Terminated, Unauthorized
from voipbin_ws_client.handshake import Unavailable

logger = logging.getLogger(__name__)

TokenProvider = Callable[[str], Awaitable[str]]
"""Gives a credential. It is told why it is asked: `connect` at first, `expired` when the one before ran out in use,
`refused` when it was not accepted. What it raises is taken for a passing trouble, unless it is `Unauthorized`."""


class Credential:
    """A token, or whoever gives one."""

    def __init__(self, token: str | TokenProvider | None) -> None:
        self._provider = token if callable(token) else None
        self._token = None if callable(token) else token
        self._reason = "connect"
        self._is_new = False

    async def get(self) -> str | None:
        """The token to show; none where none was given.

        Raises:
            Unavailable: there is none now.
        """
        if self._provider is None or self._token is not None:
            return self._token
        try:
            token = await self._provider(self._reason)
        except Terminated:
            raise
        except Exception as error:
            logger.warning("There is no credential now: %r", error)
            raise Unavailable(f"There is no credential now: {error}") from error
        if not isinstance(token, str):
            raise TypeError(f"A token provider gives a string, not {type(token).__name__}")
        self._token = token
        return token

    def accepted(self) -> None:
        """The server has let it in."""
        self._is_new = False

    def renew(self, reason: str, message: str, code: int) -> None:
        """Have another one asked for next time: once, for a new one that is not accepted either is the end.

        Raises:
            Unauthorized: there is no other, or that was the other.
        """
        if self._provider is None or self._is_new:
            raise Unauthorized(message, code)
        self._token, self._reason, self._is_new = None, reason, True
