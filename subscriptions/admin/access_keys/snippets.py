"""A new access key as it is shown once, with snippets that use it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from django.utils.safestring import SafeString, mark_safe

from subscriptions.api.me import topics_for
from subscriptions.auth.access_keys import key_identity
from subscriptions.auth.credentials import BadCredential
from subscriptions.control.displays import qr_code, wallboard_link
from subscriptions.models import AccessKey

MAX_TOPICS = 10


@dataclass(frozen=True)
class ShownKey:
    """A key and its secret; `origin` is the gateway's URL with a slash at its end."""

    key: AccessKey
    secret: str = field(repr=False)
    origin: str

    @property
    def topics(self) -> list[str]:
        """The widest topics that the key may subscribe to, at most MAX_TOPICS."""
        try:
            identity = key_identity(self.key)
        except BadCredential:
            return []
        return topics_for(identity)[:MAX_TOPICS] or sorted(identity.allowed_topics or ())[:MAX_TOPICS]

    @property
    def socket_address(self) -> str:
        return f"ws{self.origin.removeprefix('http')}v1.0/ws"

    @property
    def subscribe_frame(self) -> str:
        return json.dumps({"type": "subscribe", "topics": self.topics})

    @property
    def link(self) -> str:
        """The link of a wallboard."""
        return wallboard_link(self.secret, self.origin)

    @property
    def qr_code(self) -> SafeString:
        """The link's QR code, as an SVG document."""
        # Made of the link's digits alone.
        return mark_safe(qr_code(self.link))  # noqa: S308

    @property
    def python(self) -> str:
        """A program that prints all events of the key; needs the package websocket-client."""
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
        """A command that connects with wscat, into which the frame is typed."""
        return f"wscat -c '{self.socket_address}' -H 'Authorization: Bearer {self.secret}'"

    @property
    def curl(self) -> str:
        """A command that publishes an event of a call."""
        event = {"event_type": "call.created", "data": {"id": "test-call-1", "status": "ringing"}}
        return (
            f"curl -X POST '{self.origin}v1.0/events' \\\n"
            f"  -H 'Authorization: Bearer {self.secret}' \\\n"
            "  -H 'Content-Type: application/json' \\\n"
            f"  -d '{json.dumps(event)}'"
        )
