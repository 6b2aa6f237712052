"""Whatever is published: the page that was open, a page loaded at any moment, REST and the fold of the log agree."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.domain.event import Entry, format_timestamp, parse_timestamp
from events.domain.resource_state import StateEvent, apply, changes_state
from events.domain.state import CURRENT_PHASES
from events.domain.strict_json import decode
from events.domain.visibility import Visible
from events.log import reader
from events.log.publish import publish
from events.models import CustomerLog, Event, ResourceState, split_agents
from events.reading.queries import read_state_query
from events.reading.states import read_states
from subscriptions.models import Agent, Customer, Queue
from tests.events.support.state_memory import Memory
from tests.voipbin_ws.static.support.page_models import PageModels
from tests.voipbin_ws.static.support.sequences import (
    ANNA,
    BEN,
    CUSTOMER,
    SALES,
    SUPPORT,
    Published,
    published,
)
from tests.voipbin_ws.static.support.state_views import States, differences, exact, live, of_rest

SEQUENCES = 10_000 if os.environ.get("DRILLS") else 500
NOW = 1_800_000_000_000
NAMES = {ANNA: "Anna", BEN: "Ben"}
SERVING = {SUPPORT: [ANNA, BEN], SALES: [BEN]}
ME = {
    "queues": [{"id": each, "name": each[:4], "agent_ids": agents} for each, agents in SERVING.items()],
    "agents": [{"id": each, "name": name, "role": "agent", "status": ""} for each, name in NAMES.items()],
}
SHOWN = ("call", "queue", "agent")
MANAGER = Visible(CUSTOMER, None, None)


class Loaded(NamedTuple):
    """What a page reads before it subscribes, by resource, and its cursor."""

    items: dict[str, list[Any]]
    cursor: int


class View(NamedTuple):
    """A reader, and the topics' scope by which it receives events."""

    visible: Visible
    scope: str


VIEWS = {
    "manager": View(MANAGER, f"customer_id:{CUSTOMER}:"),
    **{name: View(Visible(CUSTOMER, frozenset(), each), f"agent_id:{each}:") for each, name in NAMES.items()},
}


@pytest.fixture(scope="module")
def models() -> Iterator[PageModels]:
    models = PageModels()
    yield models
    models.end()


@pytest.fixture
def company(db: None) -> None:
    """The customer, with two agents and their queues."""
    customer = Customer.objects.create(id=CUSTOMER, name="Acme")
    for agent_id, name in NAMES.items():
        Agent.objects.create(
            id=agent_id, name=name, customer=customer, user=User.objects.create(username=agent_id)
        )
    for queue_id, agents in SERVING.items():
        queue = Queue.objects.create(id=queue_id, name=queue_id, customer=customer)
        queue.agents.set(agents)


@pytest.mark.timeout(1800)
@settings(
    max_examples=SEQUENCES,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sequence=published(), contained=st.integers(0, 12))
def test_all_views_agree(company: None, models: PageModels, sequence: Published, contained: int) -> None:
    for model in (Event, ResourceState, CustomerLog):
        model.objects.filter(customer_id=CUSTOMER).delete()  # type: ignore[attr-defined]
    drafts, first, second = sequence
    publish(drafts[:first])
    begun = {name: _items(view.visible, ("call",), active="true") for name, view in VIEWS.items()}
    publish(drafts[first:second])
    for name, view in VIEWS.items():
        rest = ("queue", "agent") if view.visible is MANAGER else ("queue",)
        begun[name] |= _items(view.visible, rest, active="true")
    publish(drafts[second:])
    folded = _fold_of_log()
    assert not differences(of_rest(_items(MANAGER, tuple({each.resource for each in drafts}))), folded)
    entries = _entries()
    frames = {name: _frames(entries, view.scope) for name, view in VIEWS.items()}
    # A page may receive again what its states contain.
    after = max(0, first - contained)
    later = {name: [each for each in found if _number(each) > after] for name, found in frames.items()}
    nothing: dict[str, list[Any]] = {resource: [] for resource in SHOWN}
    shared = {"me": ME, "now": NOW}
    answers = models.compute(
        [
            {"command": "states", "frames": frames["manager"]},
            {"command": "states", "frames": later["manager"], "items": begun["manager"]},
            {"command": "board", "frames": frames["manager"], "items": nothing, **shared},
            {"command": "board", "frames": later["manager"], "items": begun["manager"], **shared},
            *(
                {"command": "desk", "agentId": agent, "frames": found[name], "items": items, **shared}
                for agent, name in NAMES.items()
                for found, items in ((frames, nothing), (later, begun[name]))
            ),
        ]
    )
    open_states, fresh_states, open_board, fresh_board, *desks = answers
    assert not differences(exact(open_states), exact({key: folded[key] for key in open_states}))
    assert not differences(live(open_states), live(folded))
    assert not open_board["isIncomplete"]
    if not fresh_board["isIncomplete"]:  # Then the page loads again.
        assert not differences(live(fresh_states, SHOWN), live(folded, SHOWN))
        assert not differences(fresh_board, open_board)
    for agent, open_desk, fresh_desk in zip(NAMES, desks[::2], desks[1::2], strict=True):
        expected = _desk_by_rest(agent)
        if not open_desk["isIncomplete"]:
            assert _shown_at(open_desk) == expected
        if not fresh_desk["isIncomplete"]:
            assert _shown_at(fresh_desk) == expected


def _items(visible: Visible, resources: tuple[str, ...], **parameters: str) -> dict[str, list[Any]]:
    """Read the states of these resources as a page does."""
    if visible.agent_id is not None:
        parameters["agent_id"] = visible.agent_id
    query = read_state_query({"limit": ["1000"], **{name: [value] for name, value in parameters.items()}})
    return {
        each: [json.loads(item) for item in read_states(visible, each, query).items] for each in resources
    }


def _fold_of_log() -> States:
    memory = Memory()
    for event in Event.objects.filter(customer_id=CUSTOMER).order_by("seq"):
        if changes_state(event.event_type):
            named = split_agents(event.named_agents) or None
            at = format_timestamp(event.timestamp)
            apply(StateEvent(event.event_type, event.resource_id, decode(event.body), at, named), memory)
    states = {" ".join(key).strip(): json.loads(json.dumps(asdict(state))) for key, state in memory.items()}
    for state in states.values():
        del state["size"]  # Of the gateway's own, to measure the data seldom.
        del state["tags"]  # For filters only: frames do not have them.
    return states


def _entries() -> list[Entry]:
    head = reader.head_of(CUSTOMER)
    return reader.read(CUSTOMER, head.epoch, after=0, upto=head.last_seq, limit=1000)


def _frames(entries: list[Entry], scope: str) -> list[Any]:
    """Return the frames that a subscriber of this scope receives."""
    return [
        json.loads(entry.frame(topic))
        for entry in entries
        for topic in entry.topics
        if topic.startswith(scope)
    ]


def _number(frame: Any) -> int:
    return int(frame["cursor"].partition(".")[2])


def _desk_by_rest(agent: str) -> Any:
    """Return the agent's present calls and the callers who wait for it, by the states that the agent can read."""
    items = _items(Visible(CUSTOMER, frozenset(), agent), ("call", "queue"), active="true")
    calls = []
    for item in items["call"]:
        phase, since = item["state"].get("agents", {}).get(agent, ("", ""))
        if phase in CURRENT_PHASES:
            calls.append([item["resource_id"], phase, int(parse_timestamp(since).timestamp() * 1000)])
    waiting = [
        [item["member_id"], item["resource_id"]]
        for item in items["queue"]
        if item["state"].get("status") == "waiting" and agent in SERVING.get(item["resource_id"], ())
    ]
    return sorted(calls), sorted({call for call, _ in waiting})


def _shown_at(desk: Any) -> Any:
    calls = [
        [
            call["id"],
            "offered" if call["phase"] == "dialing" else call["phase"],
            call["since"],
        ]
        for call in desk["calls"]
    ]
    return sorted(calls), sorted({place["callId"] for place in desk["waiting"]})
