"""One state on each stack: who receives which end, what stays ended, and what nothing ends but time."""

# Long because each story is written out, event by event.

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import Conversation, get, post, publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until


class Desk:
    """An agent who receives what concerns it."""

    def __init__(self, gateway: Gateway, owner: Company, name: str) -> None:
        self.agent_id = owner.person(name).id
        self._gateway = gateway
        self._owner = owner
        self.socket = Conversation(gateway, owner.token(name))
        self.socket.subscribe(f"agent_id:{self.agent_id}:*")

    def frames(self) -> list[dict[str, Any]]:
        """Return the events up to now; a last one, for this agent alone, shows that all have come."""
        last = {"event_type": "message.sent", "agent_ids": [self.agent_id], "data": {"id": new_id()}}
        [receipt] = publish(self._gateway, self._owner.key("that publishes"), last)
        return self.socket.until(receipt["cursor"])[:-1]

    def types(self, call_id: str) -> list[str]:
        """Return the types of the call's own events up to now."""
        return [each["event_type"] for each in self.frames() if each["topic"].endswith(f":call:{call_id}")]


def item(
    gateway: Gateway, acme: Company, resource: str, resource_id: str, by: str = "manager"
) -> dict[str, Any]:
    answer = get(gateway, acme.token(by), f"/v1.0/resources/{resource}?resource_id={resource_id}")
    [found] = answer.json()["items"]
    return dict(found)


@pytest.fixture
def desks(gateway_on_each_stack: Gateway, acme: Company, globex: Company) -> Iterator[dict[str, Desk]]:
    """Agents of both customers."""
    found = {
        "ann": Desk(gateway_on_each_stack, acme, "agent"),
        "gil": Desk(gateway_on_each_stack, acme, "granted agent"),
        "stranger": Desk(gateway_on_each_stack, globex, "agent"),
    }
    yield found
    for desk in found.values():
        with desk.socket:
            pass


def test_an_agent_receives_the_end_of_its_call_that_names_no_agent(
    gateway_on_each_stack: Gateway, acme: Company, desks: dict[str, Desk]
) -> None:
    ann, call_id = acme.person("agent").id, new_id()
    publish(
        gateway_on_each_stack,
        acme.key("that publishes"),
        {"event_type": "call.assigned", "data": {"id": call_id, "agent_id": ann, "status": "ringing"}},
        {"event_type": "call.status", "data": {"id": call_id, "status": "answered"}},
        {"event_type": "call.ended", "data": {"id": call_id, "status": "hangup"}},
    )
    assert desks["ann"].types(call_id) == [
        "call.assigned",
        "call.status",
        "call.ended",
    ]
    assert desks["gil"].types(call_id) == desks["stranger"].types(call_id) == []


def test_a_past_moment_is_as_it_was_on_each_stack(gateway_on_each_stack: Gateway) -> None:
    gateway = gateway_on_each_stack
    # None of whose agents was at a desk: the gateway publishes at its own time that they are gone.
    acme, globex = company("Acme of the past"), company("Globex of the past")
    settle(gateway, acme, globex)
    manager, key = acme.token("manager"), acme.key("that publishes")
    call, queue = {"id": new_id()}, acme.queues[1]
    place = {"queue_id": queue, "call_id": call["id"]}

    def present() -> list[Any]:
        found = [
            get(gateway, manager, f"/v1.0/resources/{resource}?active=true").json()["items"]
            for resource in ("call", "queue")
        ]
        return [item["data"] | item["state"] for items in found for item in items]

    moments = []
    for event_type, data in (
        ("call.created", call | {"status": "ringing"}),
        ("queue.joined", place),
        # The gateway is wrong, as the next event shows: the state before it is in no snapshot.
        ("call.ended", call | {"status": "hangup", "previous_status": "ringing", "inferred": True}),
        ("call.status", call | {"status": "answered"}),
        ("queue.joined", place),
        ("call.ended", call | {"status": "hangup"}),
    ):
        [receipt] = publish(gateway, key, {"event_type": event_type, "data": data})
        stored = get(gateway, manager, f"/v1.0/events/{receipt['id']}").json()["timestamp"]
        moments.append((stored, receipt["cursor"], present()))
        if data.get("inferred"):
            take = f"from events.log import snapshots; print(snapshots.take({acme.id!r}) is not None)"
            assert "True" in gateway.manage("shell", "--verbosity", "0", "--command", take)
    for at, cursor, expected in moments:
        found = get(gateway, manager, f"/v1.0/states?at={at}").json()
        assert found["cursor"] == cursor
        assert [item["data"] | item["state"] for item in found["items"]] == expected
        assert get(gateway, manager, f"/v1.0/summary?at={at}").json()["cursor"] == cursor
        assert get(gateway, globex.token("manager"), f"/v1.0/states?at={at}").json()["items"] == []


def test_agents_receive_that_a_colleague_has_their_call_and_then_nothing_of_it(
    gateway_on_each_stack: Gateway, acme: Company, desks: dict[str, Desk]
) -> None:
    ann, gil, call_id = acme.person("agent").id, acme.person("granted agent").id, new_id()
    publish(
        gateway_on_each_stack,
        acme.key("that publishes"),
        {
            "event_type": "call.assigned",
            "agent_ids": [ann, gil],
            "data": {"id": call_id, "status": "ringing"},
        },
        {"event_type": "call.status", "agent_ids": [gil], "data": {"id": call_id, "status": "answered"}},
        {"event_type": "call.ended", "data": {"id": call_id}},
    )
    received = desks["ann"].frames()
    assert [(each["event_type"], each["agent_ids"]) for each in received] == [
        ("call.assigned", [ann]),
        ("call.status", []),
    ]
    assert desks["gil"].types(call_id) == [
        "call.assigned",
        "call.status",
        "call.ended",
    ]
    state = item(gateway_on_each_stack, acme, "call", call_id)["state"]
    assert [phase for phase, _ in state["agents"].values()] == ["missed", "ended"]
    own = item(gateway_on_each_stack, acme, "call", call_id, by="agent")["state"]
    assert list(own["agents"]) == [ann]


def test_the_end_of_a_call_reaches_those_whose_queue_it_waited_in_and_ends_its_place(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company, desks: dict[str, Desk]
) -> None:
    call_id, queue_id = new_id(), acme.queues[0]
    events = [
        {"event_type": "call.created", "data": {"id": call_id, "status": "ringing"}},
        {"event_type": "queue.joined", "data": {"queue_id": queue_id, "call_id": call_id}},
    ]
    publish(gateway_on_each_stack, acme.key("that publishes"), *events)
    publish(gateway_on_each_stack, globex.key("that publishes"), *events)
    end = {"event_type": "call.ended", "data": {"id": call_id, "status": "hangup"}}
    late = {"event_type": "queue.joined", "data": {"queue_id": queue_id, "call_id": call_id}}
    publish(gateway_on_each_stack, acme.key("that publishes"), end, late)
    for desk in ("ann", "gil"):
        assert desks[desk].types(call_id) == ["call.ended"]
    assert desks["stranger"].types(call_id) == []
    assert not item(gateway_on_each_stack, acme, "queue", queue_id)["active"]
    assert item(gateway_on_each_stack, globex, "queue", queue_id)["active"]


def test_a_webhook_that_comes_after_the_hangup_does_not_revive_the_call(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    call_id, key = new_id(), acme.key("that publishes")
    with Conversation(gateway_on_each_stack, acme.token("manager")) as socket:
        socket.subscribe(f"customer_id:{acme.id}:call:{call_id}")
        for kind, status, tm in (("hangup", "hangup", "01:00"), ("progressing", "progressing", "00:10")):
            data = {"id": call_id, "status": status, f"tm_{kind}": f"2026-01-01 10:{tm}"}
            hook = {"type": f"call_{kind}", "data": data}
            answer = post(gateway_on_each_stack, key, hook, "/v1.0/webhooks/voipbin")
            assert answer.status_code == 201
        received = [
            (frame["event_type"], frame["data"]["status"], frame.get("active"))
            for frame in socket.until(answer.json()["cursor"])
        ]
    assert received == [
        ("call.status", "hangup", False),
        ("call.ended", "hangup", False),
        ("call.status", "answered", False),
    ]
    found = item(gateway_on_each_stack, acme, "call", call_id)
    assert (found["active"], found["data"]["status"]) == (False, "hangup")


def test_words_of_a_platform_are_translated_and_unknown_ones_stay(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    call_id = new_id()
    data = {"id": call_id, "direction": "Outgoing", "status": "progressing", "mood": "progressing"}
    publish(gateway_on_each_stack, acme.key("that publishes"), {"event_type": "call.status", "data": data})
    found = item(gateway_on_each_stack, acme, "call", call_id)["data"]
    assert found == {
        **data,
        "direction": "outbound",
        "status": "answered",
        "voipbin": {"direction": "Outgoing", "status": "progressing"},
    }
    publish(
        gateway_on_each_stack,
        acme.key("that publishes"),
        {"event_type": "call.status", "data": {"id": call_id, "status": "Parked"}},
    )
    assert item(gateway_on_each_stack, acme, "call", call_id)["state"]["status"] == "Parked"


def test_a_time_far_ahead_is_replaced_with_a_warning(gateway_on_each_stack: Gateway, acme: Company) -> None:
    event = {"event_type": "call.created", "timestamp": "2190-01-01T00:00:00Z", "data": {"id": new_id()}}
    answer = post(gateway_on_each_stack, acme.key("that publishes"), event)
    assert answer.status_code == 201
    assert "future" in answer.json()["warnings"][0]


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_silent_call_is_ended_by_one_of_the_processes_also_if_the_first_one_dies(
    gateway: Gateways, server: str
) -> None:
    first = gateway(server, CALL_SILENCE="ringing=1s")
    second = gateway(server, database_url=first.database_url, CALL_SILENCE="ringing=1s")
    acme = company("Acme")
    settle(first, acme)
    for current, other in ((first, second), (second, None)):
        call_id, answered = new_id(), new_id()
        ann = acme.person("agent").id
        sockets = []
        for each in filter(None, (current, other)):
            socket = Conversation(each, acme.token("agent"))
            socket.subscribe(f"agent_id:{ann}:*")
            sockets.append(socket)
        publish(
            current,
            acme.key("that publishes"),
            {"event_type": "call.assigned", "data": {"id": call_id, "agent_id": ann, "status": "ringing"}},
            {"event_type": "call.status", "data": {"id": answered, "status": "answered"}},
        )
        wait_until(lambda: not item(current, acme, "call", call_id)["active"], "the end of the call")  # noqa: B023
        for socket in sockets:
            with socket:
                frames = [socket.receive() for _ in range(3)]
            kinds = [(frame["event_type"], frame["data"].get("inferred")) for frame in frames]
            assert kinds == [("call.assigned", None), ("call.status", True), ("call.ended", True)]
        events = get(current, acme.token("manager"), f"/v1.0/events?resource=call&resource_id={call_id}")
        assert len(events.json()["items"]) == 3
        assert item(current, acme, "call", answered)["active"]
        assert json.loads(get(current, acme.token("manager"), "/v1.0/calls?active=true").content)["items"]
        if other is not None:
            first.kill()
