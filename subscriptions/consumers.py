"""The consumer of WebSocket connections: handshake, messages, end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from structlog.contextvars import bind_contextvars

from subscriptions.connections.admission import Admission
from subscriptions.connections.connection import Connection
from subscriptions.connections.handshake import Refusal, refuse
from subscriptions.delivery.transport import transport_of
from subscriptions.presence.customer_connections import customer_connections


class EventConsumer(AsyncConsumer):  # type: ignore[misc]  # Channels has no types.
    """One client's connection to /v1.0/ws."""

    # The hub receives for the whole process: a connection has no channel of its own.
    channel_layer_alias = "none"

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._customer_id: str | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Also after an error, or when the server cancels the application.
            if self._connection is not None:
                self._connection.ended()
            if self._customer_id is not None:
                customer_connections.leave(self._customer_id)

    async def dispatch(self, message: Mapping[str, Any]) -> None:
        # Channels' own looks for old database connections in a thread, for every message.
        await getattr(self, get_handler_name(message))(message)

    async def websocket_connect(self, message: Mapping[str, Any]) -> None:
        """Accept or refuse the handshake."""
        admission = Admission(self.scope)
        bind_contextvars(connection_id=str(admission.recorder.connection_id))
        admitted = await admission.decide()
        if isinstance(admitted, Refusal):
            await refuse(self.scope, self.base_send, admitted)
            raise StopConsumer
        self._customer_id = admitted.customer_id
        await self.base_send({"type": "websocket.accept"})
        transport = transport_of(self.scope, self.base_send)
        self._connection = admission.open(admitted, transport, batch=admission.request.wants_batches)

    async def websocket_receive(self, message: Mapping[str, Any]) -> None:
        """Handle a frame of the client."""
        if self._connection is not None:
            await self._connection.receive(message.get("text"))

    async def websocket_disconnect(self, message: Mapping[str, Any]) -> None:
        """Note the close code, and end the consumer."""
        if self._connection is not None:
            self._connection.disconnect_code = message.get("code")
        raise StopConsumer
