"""Ports of 127.0.0.1 for servers that must come back on the port they had."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from typing import TypeVar

from tests.support.processes import DidNotStart

T = TypeVar("T")

# Below the ports that the kernel hands to outgoing connections (from 32768 on Linux): while a server is down, no
# client's own end can take its port, nor a client connect to itself.
_RANGE = range(12_000, 32_000)


def free_port() -> int:
    """A port on which nothing listens now."""
    while True:
        port = random.choice(_RANGE)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def on_free_port(start: Callable[[int], T]) -> tuple[int, T]:
    """What `start` makes of a free port, and that port.

    Another process may take the port between the look and the start: then `start` raises DidNotStart, and gets
    another port, twice at most.
    """
    for _ in range(2):
        port = free_port()
        try:
            return port, start(port)
        except DidNotStart:
            continue
    port = free_port()
    return port, start(port)
