"""The Python client of the gateway. It reconnects, resumes, and delivers each event once.

Start reading at `event_client`. `conversation` decides what to send and what a frame means; it uses `positions`,
`pending_requests` and `updates`, all without I/O. `connection` performs that on one of the `transports`. `publishing`
has the other direction. The package imports nothing of the server. All of it runs in the event loop of the application.
"""

from voipbin_ws_client.credential import TokenProvider
from voipbin_ws_client.errors import (
    ClientClosed,
    ClientError,
    Forbidden,
    NotAGateway,
    ProtocolError,
    SubscriptionRefused,
    Terminated,
    Unauthorized,
)
from voipbin_ws_client.event_client import EventClient
from voipbin_ws_client.event_types import AgreedEvent
from voipbin_ws_client.publishing.answers import PublishRefused, Receipt
from voipbin_ws_client.publishing.batches import QueueFull
from voipbin_ws_client.publishing.publisher import Publisher
from voipbin_ws_client.states import State, StateChange
from voipbin_ws_client.transports.transport import TransportName
from voipbin_ws_client.updates import Event, Gap, Item, Refusal

__all__ = [
    "AgreedEvent",
    "ClientClosed",
    "ClientError",
    "Event",
    "EventClient",
    "Forbidden",
    "Gap",
    "Item",
    "NotAGateway",
    "ProtocolError",
    "PublishRefused",
    "Publisher",
    "QueueFull",
    "Receipt",
    "Refusal",
    "State",
    "StateChange",
    "SubscriptionRefused",
    "Terminated",
    "TokenProvider",
    "TransportName",
    "Unauthorized",
]
