"""A failover to a standby that lags behind, under running processes: every client is notified, by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.faults.support.databases import query
from tests.journeys.support.cast import company, settle
from tests.journeys.support.conversation import Conversation, Frame, post
from tests.support.gateways import Gateways
from tests.support.postgres_server import PostgresServer
from tests.support.waiting import wait_until


@dataclass
class Standby:
    """A copy of the gateways' database, which stays behind until it takes its place."""

    server: PostgresServer
    name: str

    def copy(self) -> None:
        """Become what the database is now."""
        self._without_sessions(
            f"CREATE DATABASE {self.name}_standby TEMPLATE {self.name}",
            f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true",
        )

    def promote(self) -> None:
        """Take the database's place: the processes' connections end, and new ones lead here."""
        self._without_sessions(
            f"ALTER DATABASE {self.name} RENAME TO {self.name}_lost",
            f"ALTER DATABASE {self.name}_standby RENAME TO {self.name}",
        )

    def _without_sessions(self, *statements: str) -> None:
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
            for statement in statements:
                wait_until(partial(self._executed, connection, statement), "all sessions to end")

    def _executed(self, connection: psycopg.Connection, statement: str) -> bool:
        sessions = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(sessions, [self.name])
        try:
            connection.execute(statement)
        except psycopg.errors.ObjectInUse:  # By one that had begun to connect before.
            return False
        return True


class World:
    """A process on each server, a client of each, and a standby that lacks what both clients have received."""

    def __init__(self, gateway: Gateways, postgres_server: PostgresServer, **settings: str) -> None:
        first = gateway("daphne", postgres=True, redis=True, **settings)
        second = gateway("uvicorn", database_url=first.database_url, redis=True, **settings)
        self.processes = {"daphne": first, "uvicorn": second}
        self.acme = company("Acme")
        settle(first, self.acme)
        self.clients = {name: self.subscribed(name)[0] for name in self.processes}
        standby = Standby(postgres_server, urlsplit(first.database_url).path.lstrip("/"))
        self.publish("kept")
        standby.copy()
        self.lost = self.publish("lost-1", "lost-2")
        for client in self.clients.values():
            client.until(self.lost)
        standby.promote()

    def subscribed(self, name: str, since: str | None = None) -> tuple[Conversation, Frame]:
        """A client of this process, and the answer to its subscribe."""
        client = Conversation(self.processes[name], self.acme.token("manager"))
        return client, client.subscribe(f"customer_id:{self.acme.id}:*:*", since=since)

    def publish(self, *calls: str) -> str:
        """Publish events as soon as the database takes them; returns the last cursor."""
        key, serving = self.acme.key("that publishes"), self.processes["uvicorn"]
        events = [
            {"event_type": "call.status", "data": {"id": each}, "idempotency_key": each} for each in calls
        ]
        answer = wait_until(
            lambda: (made := post(serving, key, events)).status_code == 201 and made, "the database"
        )
        cursor: str = answer.json()[-1]["cursor"]
        return cursor

    def epoch(self) -> str:
        """The epoch of the customer's log."""
        rows = query(
            self.processes["daphne"].database_url, "SELECT customer_id, epoch FROM events_customerlog"
        )
        return str({str(customer): epoch for customer, epoch in rows}[self.acme.id])

    def renewals(self) -> int:
        """How many times the processes have renewed an epoch."""
        return sum(each.log_text().count("went backwards") for each in self.processes.values())


def test_all_clients_are_notified_though_the_lost_numbers_were_given_anew(
    gateway: Gateways, postgres_server: PostgresServer
) -> None:
    world = World(gateway, postgres_server, CHECK_INTERVAL_SECONDS="1")
    world.publish("anew-1", "anew-2", "anew-3")
    for name, client in world.clients.items():
        frames, code = client.until_closed()
        assert (code, frames[-1]["code"]) == (4012, "RESTARTING")
        assert world.subscribed(name, world.lost)[1]["recovered"] is False
    assert world.epoch() != world.lost.partition(".")[0]
    assert world.renewals() == 1


@pytest.mark.parametrize(
    ("server", "given_anew"), [("daphne", 0), ("uvicorn", 2), ("daphne", 3), ("uvicorn", 3)]
)
def test_no_client_is_recovered_across_lost_numbers_before_the_next_check(
    gateway: Gateways, postgres_server: PostgresServer, server: str, given_anew: int
) -> None:
    """The cursor is above the log's last number, equal to it, or below it."""
    world = World(gateway, postgres_server, CHECK_INTERVAL_SECONDS="60")
    if given_anew:
        world.publish(*(f"anew-{number}" for number in range(given_anew)))
    client, ack = world.subscribed(server, world.lost)
    assert ack["recovered"] is False
    assert "another log" in ack["reason"]
    after = world.publish("after")
    assert client.until(after)[-1]["data"]["id"] == "after"
    for other in world.clients.values():
        frames, code = other.until_closed()
        assert (code, frames[-1]["code"]) == (4012, "RESTARTING")
    assert (world.renewals(), world.epoch()) == (1, after.partition(".")[0])
