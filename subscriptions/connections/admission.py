"""The admission of a client, by WebSocket or event stream, to a place of its customer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from events.counters import quota_refusals
from subscriptions.auth.handshake_throttle import handshake_throttle
from subscriptions.connections.connection import Connection
from subscriptions.connections.handshake import Refusal, Request, admit, no_room
from subscriptions.connections.recorder import ConnectionRecorder
from subscriptions.connections.runtime import runtime
from subscriptions.delivery.transport import Transport
from subscriptions.presence.customer_connections import CONNECTIONS, customer_connections
from subscriptions.protocol.permissions import Identity


class Admission:
    """The admission of one client."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self.request = Request.of(scope)
        self.recorder = ConnectionRecorder(runtime().audit, uuid.uuid4(), self.request.client_info)

    async def decide(self) -> Identity | Refusal:
        """Return the identity of the client, or its refusal, which is recorded.

        An identity has a place among the connections of its customer, which the caller ends with
        `customer_connections.leave`.
        """
        admitted = await admit(self.request)
        if isinstance(admitted, Identity) and not customer_connections.enter(
            admitted.customer_id, admitted.quotas.connections
        ):
            quota_refusals.add(CONNECTIONS)
            admitted = no_room(admitted)
        if isinstance(admitted, Refusal):
            self.recorder.refused(admitted)
        return admitted

    def open(self, identity: Identity, transport: Transport, *, batch: bool) -> Connection:
        """Open the connection of the admitted client."""
        return Connection(
            runtime(),
            transport,
            identity,
            self.recorder,
            batch=batch,
            cloud_events=self.request.wants_cloud_events,
            on_flood=lambda: handshake_throttle.flooded(
                self.request.client_info.address, self.request.credential
            ),
        )
