"""The usual consumer: a group for each topic, a message for each event and connection."""

from typing import Any
from urllib.parse import parse_qs

import jwt
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

from benchmarks.baseline.topics import group_of


class EventConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # Channels has no types.
    """One client's connection."""

    async def connect(self) -> None:
        token = parse_qs(self.scope["query_string"].decode()).get("token", [""])[0]
        try:
            claims = jwt.decode(token, settings.SECRET_KEY, algorithms=["HS256"])
        except jwt.PyJWTError:
            await self.close(4401)
            return
        self.customer_id = claims["customer_id"]
        self.groups_joined: set[str] = set()
        await self.accept()

    async def disconnect(self, code: int) -> None:
        for group in getattr(self, "groups_joined", ()):
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive_json(self, content: dict[str, Any], **_: Any) -> None:
        topics = content.get("topics", [])
        if any(topic.split(":")[1] != self.customer_id for topic in topics):
            await self.send_json({"type": "error", "topics": topics, "code": "PERMISSION_DENIED"})
            return
        for topic in topics:
            await self.channel_layer.group_add(group_of(topic), self.channel_name)
            self.groups_joined.add(group_of(topic))
        await self.send_json({"type": "ack", "action": "subscribe", "topics": topics, "status": "success"})

    async def event_published(self, message: dict[str, Any]) -> None:
        """Send the client an event of one of its groups."""
        await self.send_json(message["event"])
