"""A new access key as it is shown once, with lines that use it as they stand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from subscriptions.api.me import topics_for
from subscriptions.auth.access_keys import key_identity
from subscriptions.auth.credentials import BadCredential
from subscriptions.models import AccessKey

MOST_TOPICS = 10


@dataclass(frozen=True)
class ShownKey:
    """A key and its secret; `origin` is the gateway's address as the operator's browser knows it, with a slash."""

    key: AccessKey
    secret: str = field(repr=False)
    origin: str

    @property
    def topics(self) -> list[str]:
        """The widest topics that the key hears; not all of a long list, which nobody reads."""
        try:
            identity = key_identity(self.key)
        except BadCredential:
            return []
        return topics_for(identity)[:MOST_TOPICS] or sorted(identity.allowed_topics or ())[:MOST_TOPICS]

    @property
    def socket_address(self) -> str:
        return f"ws{self.origin.removeprefix('http')}v1.0/ws"

    @property
    def subscribe_frame(self) -> str:
        return json.dumps({"type": "subscribe", "topics": self.topics})

    @property
    def python(self) -> str:
        """A program that prints all that the key hears; needs the package websocket-client."""
        return (
            "import websocket\n\n"
            "socket = websocket.create_connection(\n"
            f'    "{self.socket_address}",\n'
            f'    header=["Authorization: Bearer {self.secret}"],\n'
            ")\n"
            f"socket.send('{self.subscribe_frame}')\n"
            "while True:\n"
            "    print(socket.recv(), flush=True)\n"
        )

    @property
    def wscat(self) -> str:
        """A line for a terminal with wscat; the frame to subscribe is typed into it."""
        return f"wscat -c '{self.socket_address}' -H 'Authorization: Bearer {self.secret}'"

    @property
    def curl(self) -> str:
        """A line that publishes an event of a call."""
        event = {"event_type": "call.created", "data": {"id": "test-call-1", "status": "ringing"}}
        return (
            f"curl -X POST '{self.origin}v1.0/events' \\\n"
            f"  -H 'Authorization: Bearer {self.secret}' \\\n"
            "  -H 'Content-Type: application/json' \\\n"
            f"  -d '{json.dumps(event)}'"
        )
