"""Whatever is lost when: a client's conversation gives every event of its topics once, from the topic's start on."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voipbin_ws_client import pending_requests as requests
from voipbin_ws_client.conversation import Conversation, Step
from voipbin_ws_client.positions import Progress, parse_cursor
from voipbin_ws_client.updates import Event, Frame, Gap

EPOCH = "0123456789ab"
TOPICS = ("a", "b", "c", "d", "e", "f")


class Gateway:
    """One log and one connection, kept as the real one promises: answers in order, a replay before what is new."""

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
        held = dict(self.starts)
        self.starts.update(dict.fromkeys(topics, since))
        for seq in range(since + 1, position + 1):
            event = self.log[seq - 1]
            if event & set(topics) and not any(held.get(topic, seq) < seq for topic in event):
                self._send(seq)

    def _send(self, seq: int) -> None:
        self.sent.append(
            {"event_type": "x.y", "topic": "t", "data": {"seq": seq}, "cursor": f"{EPOCH}.{seq}"}
        )

    def ping(self) -> None:
        self.sent.append({"type": "pong", "cursor": f"{EPOCH}.{len(self.log)}" if self.starts else None})


class World:
    """A client, a gateway, and the messages between them."""

    def __init__(self, topics: list[str]) -> None:
        self.gateway = Gateway()
        self.client = Conversation(topics, Progress({}))
        self.asked: deque[Frame] = deque()
        self.begins: dict[str, int] = {}
        self.heard: list[int] = []
        self.reconnect()

    def do(self, step: Step) -> None:
        self.asked.extend(step.messages)
        for entry in step.entries:
            assert not isinstance(entry.item, Gap)
            if isinstance(entry.item, Event):
                self.heard.append(entry.item.data["seq"])

    def reconnect(self) -> None:
        self.client.lost()
        self.gateway.connect()
        self.asked.clear()
        self.do(self.client.opened())

    def server_reads(self, count: int) -> None:
        for _ in range(min(count, len(self.asked))):
            self.gateway.take(self.asked.popleft())

    def client_reads(self, count: int) -> None:
        for _ in range(min(count, len(self.gateway.sent))):
            frame = self.gateway.sent.popleft()
            if frame.get("action") == "subscribe":
                for topic in frame["topics"]:
                    self.begins.setdefault(topic, parse_cursor(frame["cursor"])[EPOCH])
            self.do(self.client.receive(frame))

    def settle(self) -> None:
        while self.asked or self.gateway.sent:
            self.server_reads(1000)
            self.client_reads(1000)

    def expected(self) -> list[int]:
        return [
            seq
            for seq, topics in enumerate(self.gateway.log, 1)
            if any(self.begins[topic] < seq for topic in topics & self.begins.keys())
        ]


a_few = st.integers(1, 4)
moves = st.one_of(
    st.tuples(st.just("publish"), st.frozensets(st.sampled_from(TOPICS), min_size=1, max_size=3)),
    st.tuples(st.just("server_reads"), a_few),
    st.tuples(st.just("client_reads"), a_few),
    st.tuples(st.just("reconnect"), st.none()),
    st.tuples(st.just("subscribe"), st.sampled_from(TOPICS)),
    st.tuples(st.just("ping"), st.none()),
)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "CHUNK", 2)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(TOPICS), max_size=5, unique=True), st.lists(moves, max_size=60))
def test_every_event_once_whatever_breaks(topics: list[str], happening: list[tuple[str, Any]]) -> None:
    world = World(topics)
    for move, argument in happening:
        match move:
            case "publish":
                world.gateway.publish(argument)
            case "reconnect":
                world.reconnect()
            case "subscribe":
                world.do(world.client.subscribe([argument], lambda: None)[1])
            case "ping":
                world.gateway.ping()
            case _:
                getattr(world, move)(argument)
    world.settle()
    world.reconnect()
    world.settle()
    assert sorted(world.heard) == world.expected()


def test_without_chunks_they_are_in_order_as_well() -> None:
    world = World(["a", "b"])
    world.settle()
    for number in range(20):
        world.gateway.publish(frozenset(["a"] if number % 2 else ["b"]))
        world.client_reads(1 if number % 3 else 0)
        if number % 5 == 0:
            world.reconnect()
            world.server_reads(1)
    world.settle()
    assert world.heard == world.expected() == list(range(1, 21))


def test_what_one_connection_sends_twice_is_not_hidden() -> None:
    world = World(["a"])
    world.settle()
    world.gateway.publish(frozenset("a"))
    world.gateway.sent.append(world.gateway.sent[-1])
    world.settle()
    assert world.heard == [1, 1]
