"""How a call went: outcome, queues, agents and wait."""

from __future__ import annotations

from typing import Any

import pytest

from events.domain.state import AgentPhase, State
from events.reading.call_results import QueuePlace, result_of

ANN, BOB = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"


def at(seconds: int) -> str:
    return f"2024-01-15T10:{seconds // 60:02}:{seconds % 60:02}.000000Z"


def call(phases: dict[str, str] | None = None, ended: int | None = 90, **fields: Any) -> State:
    agents = {agent: AgentPhase(phase, at(30)) for agent, phase in (phases or {}).items()}
    end = "" if ended is None else at(ended)
    return State(at(0), live=ended is None, agents=agents, ended_at=end, **fields)


def place(queue_id: str = "q", since: int = 0, **fields: Any) -> QueuePlace:
    given = {"ended_at": at(60), "live": False, "status": "waiting"}
    return QueuePlace(queue_id, State(at(since), **given | fields))


CONNECTED = {"status": "connected", "status_since": at(20)}


@pytest.mark.parametrize(
    ("state", "places", "expected"),
    [
        (call({ANN: "ended"}), [], "answered"),
        (call({ANN: "left"}), [], "answered"),
        (call(), [place(**CONNECTED)], "answered"),
        (call(data={"tm_progressing": "2024-01-15 10:00:10"}), [], "answered"),
        (call(data={"tm_progressing": "9999-01-01 00:00:00.000000"}), [], None),
        (call(data={"tm_answer": "soon", "tm_progressing": 7}), [], None),
        (call(), [place()], "abandoned"),
        (call({ANN: "missed"}), [place()], "abandoned"),
        (call(), [place(data={"reason": "voicemail"})], "voicemail"),
        (call({ANN: "left"}, data={"reason": "voicemail"}), [], "voicemail"),
        (call({ANN: "missed"}), [], "unanswered"),
        (call({ANN: "abandoned"}), [], "unanswered"),
        (call(status="no-answer"), [], "unanswered"),
        (call(status="hangup"), [], None),
        (call({ANN: "talking"}, ended=None), [], None),
    ],
)
def test_the_outcome_follows_from_agents_and_places(
    state: State, places: list[QueuePlace], expected: str | None
) -> None:
    assert result_of(state, places).outcome == expected


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], None),
        ([place()], 60),
        ([place(**CONNECTED)], 20),
        ([place(**CONNECTED, data={"tm_connect": "2024-01-15T10:00:12.500000Z"})], 12.5),
        ([place(data={"tm_join": at(10)})], 50),
        ([place(data={"wait_time": 7})], 7),
        ([place(data={"wait_time": True})], 60),
        ([place(data={"wait_time": -1})], 60),
        ([place(since=70)], 0),
        ([place(ended_at="")], None),
        ([place(), place("q2", since=30)], 90),
        ([place(), place("q2", ended_at="")], None),
    ],
)
def test_the_wait_is_the_time_in_all_queues(places: list[QueuePlace], expected: float | None) -> None:
    assert result_of(call(), places).wait_seconds == expected


def test_queues_and_agents_are_in_their_order_and_named_once() -> None:
    places = [place("later", since=40), place("first"), place("later", since=50)]
    found = result_of(call({BOB: "left", ANN: "ended"}), places)
    assert found.as_json() | {"wait_seconds": 0} == {
        "outcome": "answered",
        "queue_ids": ["first", "later"],
        "agent_ids": [BOB, ANN],
        "wait_seconds": 0,
        "ended_at": at(90),
    }
    by_place = result_of(call(), [place(**CONNECTED, agents={ANN: AgentPhase("ended", at(60))})])
    assert by_place.agent_ids == (ANN,)
