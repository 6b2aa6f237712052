"""Every client receives each event once, whatever the layer, clients and database do.

A random walk over everything that can happen to a gateway process; `hub_oracle` checks the promises at each step.
"""

# Long because one class has all rules of the walk, and the tests of its oracle are beside it.
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from events.domain.event import Entry
from subscriptions.delivery.feed import Feed
from subscriptions.delivery.gap_repair import OpenFeed
from subscriptions.delivery.hub import Hub
from subscriptions.delivery.replay import Replay
from subscriptions.delivery.replayer import Replayer
from tests.subscriptions.support.hub_oracle import BrokenPromise
from tests.subscriptions.support.hub_world import ACME, ANN, GLOBEX, GUS, ClientConnection, World

TOPICS = {
    ACME: [
        f"customer_id:{ACME}",
        f"customer_id:{ACME}:*:*",
        f"customer_id:{ACME}:call",
        f"customer_id:{ACME}:call:*",
        f"customer_id:{ACME}:call:1",
        f"customer_id:{ACME}:*:1",
        f"customer_id:{ACME}:message:2",
        f"agent_id:{ANN}",
        f"agent_id:{ANN}:call:1",
    ],
    GLOBEX: [f"customer_id:{GLOBEX}", f"customer_id:{GLOBEX}:call", f"agent_id:{GUS}:message"],
}
CUSTOMERS = st.sampled_from([ACME, ACME, ACME, GLOBEX])
INDEX = st.integers(0, 1000)
MOST_CONNECTIONS = 4


class HubMachine(RuleBasedStateMachine):
    """One process, a few clients, two customers."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.world = World(self.patch)
        self.connections: list[ClientConnection] = []

    # --- Publishers ---

    @rule(
        customer_id=CUSTOMERS,
        events=st.lists(
            st.tuples(st.sampled_from(["call", "message"]), st.sampled_from("12"), st.booleans()),
            min_size=1,
            max_size=6,
        ),
        arrives=st.booleans(),
    )
    def publish(self, customer_id: str, events: list[tuple[str, str, bool]], arrives: bool) -> None:
        for resource, resource_id, for_agent in events:
            self.world.publish(customer_id, resource, resource_id, for_agent=for_agent)
            if arrives:
                self.world.deliver(-1)

    # --- Clients ---

    @initialize(customer_id=CUSTOMERS, data=st.data(), prunes=st.booleans())
    def one_is_there_already(self, customer_id: str, data: Any, prunes: bool) -> None:
        self.prunes = prunes
        self.connect()
        self.subscribe(customer_id, data, 0, None)

    @precondition(lambda self: len(self.connections) < MOST_CONNECTIONS)
    @rule()
    def connect(self) -> None:
        self.connections.append(ClientConnection(self.world))

    @precondition(lambda self: self.connections)
    @rule(customer_id=CUSTOMERS, data=st.data(), which=INDEX, behind=st.none() | st.integers(0, 9))
    def subscribe(self, customer_id: str, data: Any, which: int, behind: int | None) -> None:
        """`behind` is how many events the client missed; `None` for a new client."""
        topics = data.draw(
            st.lists(st.sampled_from(TOPICS[customer_id]), min_size=1, max_size=3, unique=True)
        )
        log = self.world.database.logs[customer_id]
        since = {} if behind is None else {"since": f"{log.epoch}.{max(0, log.last_seq - behind)}"}
        self._chosen(which).send(type="subscribe", topics=topics, **since)

    @precondition(lambda self: self.connections)
    @rule(customer_id=CUSTOMERS, which=INDEX, topic=INDEX)
    def unsubscribe(self, customer_id: str, which: int, topic: int) -> None:
        topics = TOPICS[customer_id]
        self._chosen(which).send(type="unsubscribe", topics=[topics[topic % len(topics)]])

    @precondition(lambda self: self.connections)
    @rule(which=INDEX)
    def ping(self, which: int) -> None:
        self._chosen(which).send(type="ping")

    @precondition(lambda self: self.connections)
    @rule(which=INDEX, comes_back=st.booleans())
    def leave(self, which: int, comes_back: bool) -> None:
        """Leave, and perhaps reconnect with the last cursors, as clients should."""
        gone = self._chosen(which)
        gone.judge()
        gone.leave()
        self.connections.remove(gone)
        if comes_back:
            again = ClientConnection(self.world)
            self.connections.append(again)
            for customer_id in sorted({held.customer_id for held in gone.oracle.held.values()}):
                topics = [each for each, held in gone.oracle.held.items() if held.customer_id == customer_id]
                again.send(type="subscribe", topics=topics, since=gone.oracle.cursors[customer_id])

    @precondition(lambda self: self.connections)
    @rule(which=INDEX)
    def stop_or_go_on_reading(self, which: int) -> None:
        peer = self._chosen(which).peer
        if peer.writable:
            peer.writable = False
        else:
            peer.read_on()
        self.world.loop.settle()

    def _chosen(self, which: int) -> ClientConnection:
        return self.connections[which % len(self.connections)]

    # --- The layer ---

    @precondition(lambda self: self.world.wire)
    @rule(which=INDEX, outcome=st.sampled_from(["arrives", "is lost", "is doubled"]))
    def an_announcement(self, which: int, outcome: str) -> None:
        index = which % len(self.world.wire)
        if outcome == "is doubled":
            self.world.deliver(index, keep=True)
        if outcome == "is lost":
            del self.world.wire[index]
        else:
            self.world.deliver(index)

    # --- The database and the clock ---

    @rule(slow=st.booleans())
    def the_database_gets(self, slow: bool) -> None:
        self.world.database.is_slow = slow

    @precondition(lambda self: self.world.database.questions)
    @rule(which=INDEX, fails=st.sampled_from([False, False, True]))
    def the_database_answers(self, which: int, fails: bool) -> None:
        questions = self.world.database.questions
        self.world.database.answer(which % len(questions), fails=fails)
        self.world.loop.settle()

    @rule(seconds=st.sampled_from([0.03, 0.2, 2.1, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.loop.advance(seconds)

    @precondition(lambda self: self.prunes)
    @rule(customer_id=CUSTOMERS, kept=st.integers(0, 8))
    def prune(self, customer_id: str, kept: int) -> None:
        log = self.world.database.logs[customer_id]
        if log.last_seq - kept > log.floor:
            self.world.prune(customer_id, log.last_seq - kept)

    # --- What must hold ---

    @invariant()
    def every_promise_was_kept(self) -> None:
        for connection in list(self.connections):
            connection.judge()
            if connection.oracle.closed or connection.peer.is_closed:
                connection.leave()
                self.connections.remove(connection)

    def teardown(self) -> None:
        try:
            self.world.come_to_rest(self.connections)
            for connection in self.connections:
                connection.send(type="ping")
                connection.judge()
                if connection.oracle.closed is None:
                    connection.oracle.is_complete()
            for connection in self.connections:
                connection.leave()
            assert not self.world.hub.subscribers
            assert all(opened.feed.is_idle for opened in self.world.hub._feeds.values()), (
                "a feed has a subscriber that left"
            )
        finally:
            self.patch.undo()
            self.world.end()


def walk(examples: int, steps: int, *phases: Phase) -> None:
    run_state_machine_as_test(
        HubMachine,
        settings=hypothesis_settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=phases or (Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_client_receives_each_event_once() -> None:
    walk(150, 50)


# --- Tests of the oracle ---


def no_back_fill(patch: pytest.MonkeyPatch) -> None:
    """Gaps are not read from the log."""
    patch.setattr(OpenFeed, "repair_if_needed", lambda self: None)


def no_number_check(patch: pytest.MonkeyPatch) -> None:
    """Numbers are not compared with the log's."""

    async def nothing(self: Hub) -> None: ...

    patch.setattr(Hub, "_compare_numbers", nothing)


def no_holding_while_replaying(patch: pytest.MonkeyPatch) -> None:
    """Live events go out while older ones are still being read."""
    begin = Replayer.begin

    def attached_at_once(self: Replayer, subscriber: Any, topics: Any, starts: Any) -> None:
        begin(self, subscriber, topics, starts)
        for customer_id, subscription in subscriber.subscriptions.items():
            if subscription.replay is not None:
                self._hub.feed(customer_id).attach(subscriber, subscription.replay.starts)

    patch.setattr(Replayer, "begin", attached_at_once)


def no_dropping_of_doubles(patch: pytest.MonkeyPatch) -> None:
    """An announcement that comes twice is delivered twice."""
    offer = Feed.offer

    def everything_old_too(self: Feed[Any], entries: Any) -> list[Entry]:
        offered = list(entries)
        old = [entry for entry in offered if entry.seq <= self.position]
        return old + offer(self, offered)

    patch.setattr(Feed, "offer", everything_old_too)


def no_order(patch: pytest.MonkeyPatch) -> None:
    """Early entries are delivered at once."""

    def at_once(self: Feed[Any], entries: Any) -> list[Entry]:
        fresh = [entry for entry in entries if entry.seq > self.position]
        if fresh:
            self.position = max(entry.seq for entry in fresh)
        return fresh

    patch.setattr(Feed, "offer", at_once)


def no_memory_of_what_was_live(patch: pytest.MonkeyPatch) -> None:
    """A replay repeats what held topics have delivered."""
    patch.setattr(Replay, "__init__", _forgetting(Replay.__init__))


def _forgetting(init: Callable[..., None]) -> Callable[..., None]:
    def forget(self: Replay, *arguments: Any) -> None:
        init(self, *arguments)
        self._held = {}

    return forget


@pytest.mark.parametrize(
    "switched_off",
    [
        no_back_fill,
        no_number_check,
        no_holding_while_replaying,
        no_dropping_of_doubles,
        no_order,
        no_memory_of_what_was_live,
    ],
    ids=lambda each: each.__name__,
)
def test_without_one_of_its_parts_the_walk_fails(
    switched_off: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    switched_off(monkeypatch)
    with pytest.raises(BrokenPromise):
        walk(1000, 50, Phase.generate)
