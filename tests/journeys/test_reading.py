"""Reading over HTTP on each stack: the state and then what follows it, the filters, and what is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag
from typing import Any
from urllib.parse import urlencode

from tests.journeys.support.cast import Company, new_id
from tests.journeys.support.conversation import Conversation, get, publish
from tests.support.gateway import Gateway

_AGE = """
from datetime import timedelta
from django.utils import timezone
from events.models import Event
Event.objects.filter(customer_id="{customer_id}", seq__lte={upto}).update(stored_at=timezone.now() - timedelta(days=40))
"""


def read(
    gateway: Gateway, acme: Company, path: str, *, by: str = "manager", **parameters: str
) -> dict[str, Any]:
    named = urlencode({name.rstrip("_"): value for name, value in parameters.items()})
    answer = get(gateway, acme.token(by), f"{path}?{named}")
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_state_first_then_subscribe_and_nothing_falls_between(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    gateway = gateway_on_each_stack
    calls = [new_id() for _ in range(5)]
    stop = Flag()

    def publish_on() -> None:
        number = 0
        while not stop.is_set():
            # A field that no later event repeats, so that an event that falls between is missed for good.
            number += 1
            publish(
                gateway,
                acme.key("that publishes"),
                *(
                    {"event_type": "call.status", "data": {"id": each, f"f{number % 40}": number}}
                    for each in calls
                ),
            )

    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish_on)
        try:
            known: dict[str, dict[str, Any]] = {}
            while len(known) < len(calls):
                known.clear()
                page = read(gateway, acme, "/v1.0/calls", limit="2")
                cursor = page["cursor"]
                while True:
                    known.update({each["resource_id"]: each["data"] for each in page["items"]})
                    if not page["next"]:
                        break
                    page = read(gateway, acme, "/v1.0/calls", limit="2", next=page["next"])
            with Conversation(gateway, acme.token("manager")) as manager:
                ack = manager.ask(
                    {"type": "subscribe", "topics": [f"customer_id:{acme.id}:call:*"], "since": cursor}
                )
                assert ack["recovered"] is True
                stop.set()
                publishing.result()
                [last] = publish(
                    gateway,
                    acme.key("that publishes"),
                    {"event_type": "call.status", "data": {"id": calls[0]}},
                )
                for frame in manager.until(last["cursor"]):
                    known[frame["data"]["id"]].update(frame["data"])
        finally:
            stop.set()
    final = read(gateway, acme, "/v1.0/calls", limit="1000")["items"]
    assert known == {each["resource_id"]: each["data"] for each in final}


def test_a_call_that_ended_is_in_no_queue_or_conference(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    gateway, queue, conference = gateway_on_each_stack, acme.queues[0], new_id()
    ended, stays = new_id(), new_id()
    for call in (ended, stays):
        publish(
            gateway,
            acme.key("that publishes"),
            {"event_type": "call.created", "data": {"id": call, "status": "ringing"}},
            {"event_type": "queue.joined", "data": {"queue_id": queue, "call_id": call}},
            {"event_type": "queue.connected", "data": {"queue_id": queue, "call_id": call}},
            {"event_type": "conference.joined", "data": {"conference_id": conference, "call_id": call}},
        )
    publish(
        gateway,
        acme.key("that publishes"),
        {"event_type": "call.ended", "data": {"id": ended, "status": "hangup"}},
    )
    for resource, resource_id in (("queue", queue), ("conference", conference)):
        path = f"/v1.0/resources/{resource}"
        items = read(gateway, acme, path, resource_id=resource_id)["items"]
        assert {each["member_id"]: each["active"] for each in items} == {ended: False, stays: True}
        [still] = read(gateway, acme, path, resource_id=resource_id, active="true")["items"]
        assert still["member_id"] == stays


def test_filters_find_the_same_on_each_database(gateway_on_each_stack: Gateway, globex: Company) -> None:
    gateway, acme = gateway_on_each_stack, globex
    one, two, three, agent_id = new_id(), new_id(), new_id(), new_id()
    first, second, third = publish(
        gateway,
        acme.key("that publishes"),
        {
            "event_type": "call.created",
            "data": {"id": one, "status": "ringing", "direction": "inbound"},
            "timestamp": "2024-01-15T10:30:01Z",
            "agent_ids": [agent_id],
        },
        {
            "event_type": "call.created",
            "data": {"id": two, "status": "ringing", "direction": "outbound", "odd": {"status": "answered"}},
            "timestamp": "2024-01-15T10:30:02Z",
        },
        {
            "event_type": "call.ended",
            "data": {
                "id": three,
                "status": "hangup",
                "direction": 5,
                "note": "100% \\ 'quoted' \"é\" \u2028",
            },
            "timestamp": "2024-01-15T10:30:03Z",
        },
    )

    def states(**parameters: str) -> list[str]:
        return [each["resource_id"] for each in read(gateway, acme, "/v1.0/calls", **parameters)["items"]]

    assert states() == [one, two, three]
    assert states(active="true", order="desc") == [two, one]
    assert states(active="false") == [three]
    assert states(status="ringing", direction="outbound") == [two]
    assert states(status="answered") == []
    assert states(agent_id=agent_id) == [one]
    assert states(resource_id=three) == [three]
    assert states(updated_after="2024-01-15T10:30:02Z") == [three]

    def events(**parameters: str) -> list[str]:
        return [each["id"] for each in read(gateway, acme, "/v1.0/events", **parameters)["items"]]

    assert events() == [first["id"], second["id"], third["id"]]
    assert events(type="call.created", order="desc") == [second["id"], first["id"]]
    assert events(from_="2024-01-15T10:30:02Z", to="2024-01-15T10:30:03Z") == [second["id"]]
    assert events(resource="call", resource_id=one) == [first["id"]]
    assert events(agent_id=agent_id) == [first["id"]]
    assert events(after=second["cursor"]) == [third["id"]]
    assert events(by="agent") == []
    shown = read(gateway, acme, f"/v1.0/events/{third['id']}")
    assert shown["data"]["note"] == "100% \\ 'quoted' \"é\" \u2028"


def test_what_was_pruned_is_reported_to_readers_and_to_sockets(
    gateway_on_each_stack: Gateway, platform: Company
) -> None:
    gateway, acme = gateway_on_each_stack, platform
    receipts = publish(
        gateway,
        acme.key("of the staff"),
        *({"event_type": "call.ended", "data": {"id": new_id()}} for _ in range(5)),
    )
    gateway.manage("shell", "--verbosity", "0", text=_AGE.format(customer_id=acme.id, upto=3))
    done = gateway.manage("prune_events", "--older-than", "30d", "--customer", acme.id)
    assert "removed 3 events and 3 ended states; kept from number 4 on" in done
    kept = read(gateway, acme, "/v1.0/events", by="staff")["items"]
    assert [each["id"] for each in kept] == [each["id"] for each in receipts[3:]]
    assert len(read(gateway, acme, "/v1.0/calls", by="staff")["items"]) == 2
    old, last_pruned = receipts[0]["cursor"], receipts[2]["cursor"]
    answer = get(gateway, acme.token("staff"), f"/v1.0/events?after={old}")
    assert (answer.status_code, answer.json()["code"]) == (410, "NOT_KEPT")
    with Conversation(gateway, acme.token("staff")) as staff:
        topic = f"customer_id:{acme.id}:call:*"
        ack = staff.ask({"type": "subscribe", "topics": [topic], "since": old})
        assert (ack["recovered"], "older than what is kept" in ack["reason"]) == (False, True)
        staff.ask({"type": "unsubscribe", "topics": [topic]})
        ack = staff.ask({"type": "subscribe", "topics": [topic], "since": last_pruned})
        assert ack["recovered"] is True
        assert [frame["id"] for frame in staff.until(receipts[4]["cursor"])] == [
            each["id"] for each in receipts[3:]
        ]
