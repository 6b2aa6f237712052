"""The four ways to run the gateway that a journey must pass on alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stack:
    """A server, and where it keeps events and announces them."""

    server: str
    """`daphne` or `uvicorn`."""
    shared: bool
    """PostgreSQL and Redis, which many processes share; else SQLite and the in-memory channel layer."""

    def __str__(self) -> str:
        return f"{self.server}-{'postgres-redis' if self.shared else 'sqlite'}"


STACKS = tuple(Stack(server, shared) for shared in (False, True) for server in ("daphne", "uvicorn"))

BOTH_SERVERS = (STACKS[0], STACKS[3])
"""For what takes long and depends on the server and the database each by itself."""
