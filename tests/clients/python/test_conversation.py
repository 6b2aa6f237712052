"""Each event of a client's topics is delivered once, wherever connections break."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voipbin_ws_client import pending_requests as requests
from voipbin_ws_client.conversation import Conversation, Step
from voipbin_ws_client.positions import Positions, parse_cursor
from voipbin_ws_client.updates import Event, Frame, Gap

EPOCH = "0123456789ab"
TOPICS = ("a", "b", "c", "d", "e", "f")


class Gateway:
    """One log and one connection of a gateway: ordered answers, replayed events first."""

    def __init__(self) -> None:
        self.log: list[frozenset[str]] = []
        self.starts: dict[str, int] = {}
        self.sent: deque[Frame] = deque()

    def connect(self) -> None:
        self.starts = {}
        self.sent.clear()

    def publish(self, topics: frozenset[str]) -> None:
        self.log.append(topics)
        if topics & self.starts.keys():
            self._send(len(self.log))

    def take(self, message: Frame) -> None:
        topics, position = message["topics"], len(self.log)
        ack = {
            "type": "ack",
            "action": message["type"],
            "topics": topics,
            "request_id": message["request_id"],
        }
        if message["type"] == "unsubscribe":
            for topic in topics:
                self.starts.pop(topic, None)
            self.sent.append(ack)
            return
        since = parse_cursor(message["since"])[EPOCH] if "since" in message else position
        recovered = {"recovered": True} if "since" in message else {}
        self.sent.append({**ack, "cursor": f"{EPOCH}.{since}", **recovered})
        subscribed = dict(self.starts)
        self.starts.update(dict.fromkeys(topics, since))
        for seq in range(since + 1, position + 1):
            event = self.log[seq - 1]
            if event & set(topics) and not any(subscribed.get(topic, seq) < seq for topic in event):
                self._send(seq)

    def _send(self, seq: int) -> None:
        self.sent.append(
            {"event_type": "x.y", "topic": "t", "data": {"seq": seq}, "cursor": f"{EPOCH}.{seq}"}
        )

    def ping(self) -> None:
        self.sent.append({"type": "pong", "cursor": f"{EPOCH}.{len(self.log)}" if self.starts else None})


class Simulation:
    """A client, a gateway, and the messages between them."""

    def __init__(self, topics: list[str]) -> None:
        self.gateway = Gateway()
        self.client = Conversation(topics, Positions({}))
        self.messages: deque[Frame] = deque()
        self.starts: dict[str, int] = {}
        self.received: list[int] = []
        self.reconnect()

    def perform(self, step: Step) -> None:
        self.messages.extend(step.messages)
        for entry in step.entries:
            assert not isinstance(entry.item, Gap)
            if isinstance(entry.item, Event):
                self.received.append(entry.item.data["seq"])

    def reconnect(self) -> None:
        self.client.connection_lost()
        self.gateway.connect()
        self.messages.clear()
        self.perform(self.client.connection_opened())

    def server_reads(self, count: int) -> None:
        for _ in range(min(count, len(self.messages))):
            self.gateway.take(self.messages.popleft())

    def client_reads(self, count: int) -> None:
        for _ in range(min(count, len(self.gateway.sent))):
            frame = self.gateway.sent.popleft()
            if frame.get("action") == "subscribe":
                for topic in frame["topics"]:
                    self.starts.setdefault(topic, parse_cursor(frame["cursor"])[EPOCH])
            self.perform(self.client.receive(frame))

    def settle(self) -> None:
        while self.messages or self.gateway.sent:
            self.server_reads(1000)
            self.client_reads(1000)

    def expected(self) -> list[int]:
        return [
            seq
            for seq, topics in enumerate(self.gateway.log, 1)
            if any(self.starts[topic] < seq for topic in topics & self.starts.keys())
        ]


counts = st.integers(1, 4)
moves = st.one_of(
    st.tuples(st.just("publish"), st.frozensets(st.sampled_from(TOPICS), min_size=1, max_size=3)),
    st.tuples(st.just("server_reads"), counts),
    st.tuples(st.just("client_reads"), counts),
    st.tuples(st.just("reconnect"), st.none()),
    st.tuples(st.just("subscribe"), st.sampled_from(TOPICS)),
    st.tuples(st.just("ping"), st.none()),
)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "CHUNK", 2)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(TOPICS), max_size=5, unique=True), st.lists(moves, max_size=60))
def test_every_event_is_delivered_once_if_connections_break(
    topics: list[str], steps: list[tuple[str, Any]]
) -> None:
    simulation = Simulation(topics)
    for move, argument in steps:
        match move:
            case "publish":
                simulation.gateway.publish(argument)
            case "reconnect":
                simulation.reconnect()
            case "subscribe":
                simulation.perform(simulation.client.subscribe([argument], lambda: None)[1])
            case "ping":
                simulation.gateway.ping()
            case _:
                getattr(simulation, move)(argument)
    simulation.settle()
    simulation.reconnect()
    simulation.settle()
    assert sorted(simulation.received) == simulation.expected()


def test_events_are_in_order_if_one_message_has_all_topics() -> None:
    simulation = Simulation(["a", "b"])
    simulation.settle()
    for number in range(20):
        simulation.gateway.publish(frozenset(["a"] if number % 2 else ["b"]))
        simulation.client_reads(1 if number % 3 else 0)
        if number % 5 == 0:
            simulation.reconnect()
            simulation.server_reads(1)
    simulation.settle()
    assert simulation.received == simulation.expected() == list(range(1, 21))


def test_a_duplicate_of_one_connection_is_not_hidden() -> None:
    simulation = Simulation(["a"])
    simulation.settle()
    simulation.gateway.publish(frozenset("a"))
    simulation.gateway.sent.append(simulation.gateway.sent[-1])
    simulation.settle()
    assert simulation.received == [1, 1]
