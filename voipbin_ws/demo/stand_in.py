"""Where the simulators take orders, so that the gateway, which starts before them, can be told."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Sequence

HOST = "127.0.0.1"


class StandIn:
    """A free port for each customer's simulator, kept until it starts, and a key that other programs do not know."""

    def __init__(self, customer_ids: Sequence[str]) -> None:
        self._kept = {customer_id: socket.socket() for customer_id in customer_ids}
        for kept in self._kept.values():
            kept.bind((HOST, 0))
        urls = [f"{customer_id}=http://{HOST}:{self._port(customer_id)}" for customer_id in customer_ids]
        self.environment = {
            "PLATFORM_API_URL": ",".join(urls),
            "PLATFORM_API_KEY": secrets.token_urlsafe(24),
        }

    def release(self, customer_id: str) -> int:
        """The customer's port, for its simulator to take at once."""
        port = self._port(customer_id)
        self._kept[customer_id].close()
        return port

    def _port(self, customer_id: str) -> int:
        return int(self._kept[customer_id].getsockname()[1])
