"""A backend that publishes over AMQP, and looks into the queues."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pika

from tests.support.rabbitmq_server import RabbitmqServer

EXCHANGE = "voipbin.events"


class Backend:
    """Sends messages as a backend does, each safe with the broker when `send` returns."""

    def __init__(self, rabbitmq: RabbitmqServer, queue: str) -> None:
        self.queue = queue
        self.parking = f"{queue}.parked"
        self._rabbitmq = rabbitmq

    def send(self, *contents: object, **properties: Any) -> None:
        """Each content is one message; bytes go as they are."""
        with self._channel() as channel:
            channel.confirm_delivery()
            for content in contents:
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                sent = pika.BasicProperties(delivery_mode=2, **properties)
                channel.basic_publish(EXCHANGE, f"acme.{self.queue}", body, sent, mandatory=True)

    def waiting(self, queue: str) -> int:
        """Messages in the queue that were handed to no one."""
        with self._channel() as channel:
            return channel.queue_declare(queue, passive=True).method.message_count

    def consumers(self) -> int:
        with self._channel() as channel:
            return channel.queue_declare(self.queue, passive=True).method.consumer_count

    def parked(self) -> list[tuple[bytes, dict[str, Any]]]:
        """Bodies and headers of what was parked; it is taken away."""
        found = []
        with self._channel() as channel:
            while (got := channel.basic_get(self.parking, auto_ack=True))[0] is not None:
                found.append((got[2], got[1].headers))
        return found

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        with self._rabbitmq.connect() as connection, connection.channel() as channel:
            yield channel
