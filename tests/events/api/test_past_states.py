"""GET /v1.0/states: the states of a past moment, for those who may see them."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest

from events.domain.event import format_timestamp
from events.log import snapshots
from events.models import CustomerLog, Event, StateSnapshot
from events.reading import look_back
from subscriptions.models import Agent
from subscriptions.presence.target_watch import TargetWatch
from tests.events.support.people import ANONYMOUS, Company, new_id
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db

STATES = "/v1.0/states"


def stored_at(company: Company, seq: int) -> datetime:
    return Event.objects.get(customer_id=company.id, seq=seq).stored_at


def at(company: Company, seq: int) -> str:
    return format_timestamp(stored_at(company, seq))


def test_the_answer_is_what_the_present_states_were() -> None:
    acme, agent_id = Company(), new_id()
    manager = acme.person("manager")
    store(acme.id, "call.created", {"id": "c1", "status": "ringing"}, agent_ids=[agent_id])
    store(acme.id, "queue.joined", {"queue_id": "q", "call_id": "c1"})
    last = store(acme.id, "agent.status", {"agent_id": agent_id, "status": "available"})
    then = {
        resource: manager.get(f"/v1.0/resources/{resource}", active="true").body["items"]
        for resource in ("agent", "call", "queue")
    }
    snapshots.take(acme.id)
    store(acme.id, "call.ended", {"id": "c1", "status": "hangup"})
    answer = manager.get(STATES, at=at(acme, 3))
    assert answer.status == 200
    assert answer.timeless == {
        "at": at(acme, 3),
        "cursor": last.cursor,
        "items": [{**item, "resource": resource} for resource, items in then.items() for item in items],
        "next": None,
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert [item["resource"] for item in manager.get(STATES, at=at(acme, 4)).body["items"]] == ["agent"]
    [first] = manager.get(STATES, at=at(acme, 1)).body["items"]
    assert (first["resource"], first["state"]["status"]) == ("call", "ringing")
    before = format_timestamp(stored_at(acme, 1) - timedelta(microseconds=1))
    assert manager.get(STATES, at=before).ids == []
    # The history goes on from there.
    later = manager.get("/v1.0/events", after=last.cursor).body["items"]
    assert [event["event_type"] for event in later] == ["call.ended"]


def test_nobody_else_sees_them() -> None:
    acme, other, ben = Company(), Company("Other"), new_id()
    anna = acme.person()
    store(acme.id, "call.created", {"id": "own"}, agent_ids=[anna.agent_id, ben])
    store(acme.id, "call.created", {"id": "bens"}, agent_ids=[ben])
    moment = at(acme, 2)
    assert ANONYMOUS.get(STATES, at=moment).status == 401
    assert other.person("manager").get(STATES, at=moment).ids == []
    assert other.person("manager").get(STATES, at=moment, customer_id=acme.id).status == 403
    assert acme.key(may_subscribe=False).get(STATES, at=moment).status == 403
    [item] = anna.get(STATES, at=moment).body["items"]
    assert (item["resource_id"], item["agent_ids"]) == ("own", [anna.agent_id])
    assert item["topic"] == f"agent_id:{anna.agent_id}:call:own"
    assert anna.get(STATES, at=moment, agent_id=ben).ids == []
    assert anna.get(STATES, at=moment, agent_id=anna.agent_id).ids == ["own"]
    of_one_call = acme.key(allowed_topics=[f"customer_id:{acme.id}:call:bens"])
    assert of_one_call.get(STATES, at=moment).ids == ["bens"]
    filtered = acme.key(filter='{"field": "status", "op": "eq", "value": "ringing"}')
    assert filtered.get(STATES, at=moment).ids == []


def test_filters_choose_and_together_narrow() -> None:
    acme, agent_id = Company(), new_id()
    store(acme.id, "call.created", {"id": "a", "status": "ringing", "direction": "inbound"})
    store(acme.id, "call.created", {"id": "b", "status": "answered"}, agent_ids=[agent_id])
    store(acme.id, "queue.joined", {"queue_id": "a", "call_id": "b"})
    manager = acme.person("manager")

    def ids(**parameters: str) -> list[str]:
        return manager.get(STATES, at=at(acme, 3), **parameters).ids

    assert ids() == ["a", "b", "a"]
    assert ids(resource="call") == ["a", "b"]
    assert ids(resource="call", resource_id="b") == ["b"]
    assert ids(status="ringing") == ids(direction="inbound") == ["a"]
    assert ids(agent_id=agent_id) == ["b", "a"]
    assert ids(agent_id=new_id()) == []
    assert ids(filter='{"field": "status", "op": "eq", "value": "answered"}') == ["b"]


def test_pages_are_of_one_moment() -> None:
    acme = Company()
    for number in range(5):
        store(acme.id, "call.created", {"id": str(number)})
    manager, moment = acme.person("manager"), at(acme, 5)
    first = manager.get(STATES, at=moment, limit="2")
    snapshots.take(acme.id)
    store(acme.id, "call.ended", {"id": "3"})
    second = manager.get(STATES, at=moment, limit="2", next=first.body["next"])
    third = manager.get(STATES, at=moment, limit="2", next=second.body["next"])
    assert (*first.ids, *second.ids, *third.ids) == ("0", "1", "2", "3", "4")
    assert {each.body["cursor"] for each in (first, second, third)} == {first.body["cursor"]}
    assert third.body["next"] is None
    CustomerLog.objects.filter(pk=acme.id).update(epoch="0" * 12)
    assert manager.get(STATES, at=moment, limit="2", next=first.body["next"]).status == 410


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "at: name the moment, such as 2024-01-15T10:30:00Z"),
        ({"at": "yesterday"}, 'at: "yesterday" is no time'),
        ({"at": "2999-01-01T00:00:00Z"}, "at: this moment is still to come"),
        ({"at": "0001-01-01T00:00:00Z"}, "at: this moment is before any event"),
        ({"at": "2024-01-01T00:00:00Z", "resource_id": "c"}, "resource_id: say of which resource"),
        ({"at": "2024-01-01T00:00:00Z", "resource": "calls"}, 'resource: "calls" is no known resource'),
        ({"at": "2024-01-01T00:00:00Z", "active": "true"}, "active: unknown parameter"),
    ],
)
def test_a_wrong_query_is_refused_with_what_is_right(parameters: dict[str, str], message: str) -> None:
    answer = Company().person("manager").get(STATES, **parameters)
    assert (answer.status, answer.body["code"]) == (400, "INVALID_REQUEST")
    assert message in answer.body["message"]


def test_what_is_not_kept_is_refused_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    acme = Company()
    manager: Any = acme.person("manager")
    store(acme.id, "call.created", {"id": "a"})
    store(acme.id, "call.created", {"id": "b"})
    CustomerLog.objects.filter(pk=acme.id).update(floor=1)
    answer = manager.get(STATES, at=at(acme, 2))
    assert (answer.status, answer.body["code"]) == (410, "NOT_KEPT")
    monkeypatch.setattr(look_back, "WAIT_SECONDS", 0.0)
    begun, done = threading.Event(), threading.Event()

    def compute() -> None:
        with look_back.one_at_a_time():
            begun.set()
            done.wait(10)

    thread = threading.Thread(target=compute)
    thread.start()
    begun.wait(10)
    answer = manager.get(STATES, at=at(acme, 2))
    done.set()
    thread.join()
    assert (answer.status, answer.body["code"]) == (503, "UNAVAILABLE")


def figures(answer: Any) -> Any:
    """Return what a summary says of queues and agents, without its time."""
    return {name: value for name, value in answer.body.items() if name not in ("now", "cursor")}


def test_figures_of_a_past_moment_are_those_that_were_shown_then() -> None:
    acme, other = Company(), Company("Other")
    manager, agent_id = acme.person("manager"), new_id()
    then = []
    for number in range(6):
        call = {"queue_id": "q", "call_id": f"c{number}"}
        store(acme.id, "queue.joined", call)
        if number % 2:
            store(acme.id, "queue.connected", call | {"agent_id": agent_id})
        store(
            acme.id, "agent.status", {"agent_id": agent_id, "status": "busy" if number % 2 else "available"}
        )
        if number > 2:
            store(
                acme.id, "queue.left", {"queue_id": "q", "call_id": f"c{number - 1}", "reason": "abandoned"}
            )
        if number == 3:
            watch = TargetWatch()
            watch.round()
            snapshots.take(acme.id, watch.figures_of(acme.id))
            assert StateSnapshot.objects.get(customer_id=acme.id).summary is not None
        head = CustomerLog.objects.get(pk=acme.id).last_seq
        then.append((head, manager.get("/v1.0/summary")))
    for head, shown in then:
        found = manager.get("/v1.0/summary", at=at(acme, head))
        assert found.body["cursor"] == shown.body["cursor"]
        expected = figures(shown)
        # Seconds go on, and occupancy with them.
        for one in (found.body["total"], expected["total"], *found.body["queues"], *expected["queues"]):
            one.pop("occupancy")
        assert figures(found) == expected
    assert other.person("manager").get("/v1.0/summary", at=at(acme, 3)).body["queues"] == []
    assert other.person("manager").get("/v1.0/summary", at=at(acme, 3), customer_id=acme.id).status == 403
    for outside in ("2999-01-01T00:00:00Z", "0001-01-01T00:00:00Z"):
        assert manager.get("/v1.0/summary", at=outside).status == 400
    assert manager.get("/v1.0/summary", at="2020-01-01T00:00:00Z").body["total"]["waiting"] == 0


def test_the_present_status_of_an_agent_is_not_that_of_a_past_moment() -> None:
    acme = Company()
    manager, agent_id = acme.person("manager"), acme.person("agent").agent_id
    store(acme.id, "call.created", {"id": "c"})
    store(acme.id, "agent.status", {"agent_id": agent_id, "status": "busy"})
    Agent.objects.filter(pk=agent_id).update(status="busy")
    counts = [manager.get("/v1.0/summary", at=moment).body["agents"] for moment in (at(acme, 1), at(acme, 2))]
    assert [(each["busy"], each["offline"]) for each in counts] == [(0, 1), (1, 0)]
