"""The Python client of the gateway: hears events through lost connections and restarts, each once. Needs no Django."""

from subscriptions.client.credential import TokenProvider
from subscriptions.client.errors import (
    ClientClosed,
    ClientError,
    Forbidden,
    NotAGateway,
    ProtocolError,
    SubscriptionRefused,
    Terminated,
    Unauthorized,
)
from subscriptions.client.event_client import EventClient
from subscriptions.client.states import State, StateChange
from subscriptions.client.stream import Event, Gap, Item, Refusal

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
