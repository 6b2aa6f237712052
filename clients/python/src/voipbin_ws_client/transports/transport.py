"""The interface of an open transport, which `Connection` uses.

Sans-I/O.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol


class TransportName(str, Enum):
    """The transports, and `AUTO`: a WebSocket while it works, else server-sent events."""

    AUTO = "auto"
    WEBSOCKET = "websocket"
    SSE = "sse"

    __str__ = str.__str__


class TransportClosed(Exception):
    """The transport has ended.

    `code` and `reason` are the server's; `None` and empty if the transport was lost.
    """

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Transport(Protocol):
    """An open transport: JSON texts in both directions, in order."""

    async def receive(self) -> str:
        """Return the next text; an empty array if the server only shows that it is there.

        Raises:
            TransportClosed: the transport has ended.
            Unavailable, CredentialRefused, Terminated: the gateway refused a request of the transport.
        """

    async def send(self, text: str) -> None:
        """Send a text.

        Raises:
            TransportClosed: the transport has ended.
        """

    async def close(self) -> None:
        """Close the transport, and wait until it is closed."""

    def abort(self) -> None:
        """End the transport at once: `receive` raises `TransportClosed`."""
