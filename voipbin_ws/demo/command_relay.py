"""Addresses of the simulators' APIs, known to the gateway before the simulators start."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Sequence

HOST = "127.0.0.1"


class CommandRelay:
    """A free port for each customer's simulator, reserved until it starts, and a random key."""

    def __init__(self, customer_ids: Sequence[str]) -> None:
        self._reserved = {customer_id: socket.socket() for customer_id in customer_ids}
        for reserved in self._reserved.values():
            reserved.bind((HOST, 0))
        self.url_of = {
            customer_id: f"http://{HOST}:{self._port(customer_id)}" for customer_id in customer_ids
        }
        self.key = secrets.token_urlsafe(24)
        self.environment = {
            "PLATFORM_API_URL": ",".join(f"{customer_id}={url}" for customer_id, url in self.url_of.items()),
            "PLATFORM_API_KEY": self.key,
        }

    def release(self, customer_id: str) -> int:
        """Free the customer's port and return it, for its simulator to use at once."""
        port = self._port(customer_id)
        self._reserved[customer_id].close()
        return port

    def _port(self, customer_id: str) -> int:
        return int(self._reserved[customer_id].getsockname()[1])
