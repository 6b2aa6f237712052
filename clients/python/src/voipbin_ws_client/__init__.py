"""The Python client of the gateway: hears events through lost connections and restarts, each once. Needs no Django."""

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
from voipbin_ws_client.states import State, StateChange
from voipbin_ws_client.updates import Event, Gap, Item, Refusal

__all__ = [
    "ClientClosed",
    "ClientError",
    "Event",
    "EventClient",
    "Forbidden",
    "Gap",
    "Item",
    "NotAGateway",
    "ProtocolError",
    "Refusal",
    "State",
    "StateChange",
    "SubscriptionRefused",
    "Terminated",
    "TokenProvider",
    "Unauthorized",
]
