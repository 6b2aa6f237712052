"""Which transport the next connection uses.

Sans-I/O.
"""

from __future__ import annotations

from voipbin_ws_client.transports.transport import TransportName

SILENT_TIMES = 3
"""Consecutive WebSockets that opened and ended without a frame: an intermediary swallows the frames."""

BLOCKED_TIMES = 2
"""Consecutive upgrades that did not arrive although a plain GET does. One may be a gateway that is just starting."""

STREAM_FAILURES = 3
"""Consecutive event streams without a frame, after which a WebSocket is tried: the network may be another one."""

SOCKET_RETRY_SECONDS = 600.0
"""How often a client on an event stream tries a WebSocket beside it."""


class TransportChoice:
    """The transport of the next connection, in `current`.

    `wanted` is what the application chose; only with `AUTO` does the transport change.
    """

    def __init__(self, wanted: TransportName) -> None:
        self.is_automatic = wanted is TransportName.AUTO
        self.current = TransportName.WEBSOCKET if self.is_automatic else wanted
        self._silent = self._blocked = self._failed = 0

    @property
    def tries_socket_first(self) -> bool:
        """Whether to find out if a WebSocket works before another event stream is opened."""
        return self.is_automatic and self._failed >= STREAM_FAILURES

    def worked(self) -> None:
        """Record that a frame arrived."""
        self._silent = self._blocked = self._failed = 0

    def failed(self, *, was_open: bool, is_blocked: bool) -> None:
        """Record the end of an attempt without a frame.

        `was_open`: the transport opened. `is_blocked`: the gateway answers over HTTP, but the upgrade does not arrive.
        """
        if self.current is TransportName.SSE:
            self._failed += 1
            return
        self._silent += was_open
        self._blocked += is_blocked
        if self.is_automatic and (self._silent >= SILENT_TIMES or self._blocked >= BLOCKED_TIMES):
            self._change(TransportName.SSE)

    def socket_tried(self, *, works: bool) -> None:
        """Record whether a frame arrived on a WebSocket that was opened to find out."""
        self._failed = 0
        if works:
            self._change(TransportName.WEBSOCKET)

    def has_no_stream(self) -> bool:
        """Record that the gateway has no event streams; return whether WebSockets remain."""
        if self.is_automatic and self.current is TransportName.SSE:
            self._change(TransportName.WEBSOCKET)
            self.is_automatic = False
            return True
        return False

    def _change(self, transport: TransportName) -> None:
        self.current = transport
        self.worked()
