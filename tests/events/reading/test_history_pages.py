"""GET /v1.0/events: the pages, and what they cost."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.models import CustomerLog
from events.reading import history
from tests.events.support.people import Answer, ClientInfo, Company
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db

EVENTS = "/v1.0/events"
TIME = "2024-01-15T10:30:0{}.000000Z"


def numbers(answer: Answer) -> list[int]:
    """The events' numbers in the log."""
    assert answer.status == 200, answer.text
    return [int(item["cursor"].split(".")[1]) for item in answer.body["items"]]


def call(company: Company, call_id: str = "c", event_type: str = "call.status", **fields: Any) -> str:
    return store(company.id, event_type, {"id": call_id}, **fields).cursor


def pages_of(caller: ClientInfo, **parameters: str) -> list[Answer]:
    found = [caller.get(EVENTS, **parameters)]
    while place := found[-1].body["next"]:
        found.append(caller.get(EVENTS, next_=place, **parameters))
        assert len(found) < 1000
    return found


# --- Pages ---


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    "filters",
    [{}, {"type": "call.status"}, {"from": TIME.format(0)}, {"resource": "call", "resource_id": "c"}],
)
def test_pages_end_where_the_log_stood_and_hold_each_event_once(order: str, filters: dict[str, str]) -> None:
    acme = Company()
    for _ in range(7):
        call(acme, timestamp=TIME.format(1))
    manager = acme.person("manager")
    found = [manager.get(EVENTS, limit="3", order=order, **filters)]
    while place := found[-1].body["next"]:
        call(acme, timestamp=TIME.format(1))
        found.append(manager.get(EVENTS, limit="3", order=order, **filters, next=place))
    seen = [number for page in found for number in numbers(page)]
    assert seen == (list(range(1, 8)) if order == "asc" else list(range(7, 0, -1)))
    assert [len(numbers(page)) for page in found] == [3, 3, 1]
    assert {page.body["cursor"].split(".")[1] for page in found} == {"7"}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    "filters", [{}, {"type": "call.ended"}, {"type": "call.ended", "from": TIME.format(2)}]
)
def test_a_rare_event_is_searched_for_in_stretches(
    order: str, filters: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SEARCHED_AT_ONCE", 4)
    acme = Company()
    rare = (2, 3, 10, 18)
    for number in range(1, 20):
        event_type = "call.ended" if number in rare else "call.status"
        call(acme, event_type=event_type, timestamp=TIME.format(2))
    found = pages_of(acme.person("manager"), limit="2", order=order, **filters)
    expected = list(rare if filters else range(1, 20))
    assert [n for page in found for n in numbers(page)] == (expected if order == "asc" else expected[::-1])
    assert len(found) > 2


def test_a_place_in_a_log_that_was_replaced_is_gone() -> None:
    acme = Company()
    for _ in range(3):
        call(acme)
    manager = acme.person("manager")
    place = manager.get(EVENTS, limit="1").body["next"]
    CustomerLog.objects.update(epoch="0" * 12)
    answer = manager.get(EVENTS, limit="1", next_=place)
    assert (answer.status, answer.body["code"]) == (410, "NOT_KEPT")


def test_a_customer_without_events_has_a_cursor_to_begin_with() -> None:
    acme = Company()
    answer = acme.key().get(EVENTS)
    assert answer.timeless == {"cursor": "000000000000.0", "items": [], "next": None}
    assert not CustomerLog.objects.exists(), "a GET inserted a row"


def test_what_follows_that_cursor_is_everything_unless_some_was_pruned() -> None:
    acme = Company()
    manager = acme.person("manager")
    before = manager.get(EVENTS).body["cursor"]
    assert manager.get(EVENTS, after=before).body["items"] == []
    call(acme)
    assert len(manager.get(EVENTS, after=before).body["items"]) == 1
    CustomerLog.objects.update(floor=1)
    assert manager.get(EVENTS, after=before).status == 410


# --- What it costs ---


@pytest.mark.parametrize(
    ("parameters", "index"),
    [
        ({}, "customer_id=? AND seq>? AND seq<?"),
        ({"order": "desc", "type": "call.ended"}, "customer_id=? AND seq>? AND seq<?"),
        ({"resource": "call", "resource_id": "c"}, "event_resource"),
        ({"resource": "call"}, "customer_id=? AND seq>? AND seq<?"),
    ],
)
def test_an_index_leads_to_each_page(parameters: dict[str, str], index: str) -> None:
    acme = Company()
    call(acme)
    manager = acme.person("manager")
    with CaptureQueriesContext(connection) as queries:
        manager.get(EVENTS, **parameters)
    [query] = [each["sql"] for each in queries if "events_event" in each["sql"]]
    plan = explained(query)
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_the_ends_of_a_time_are_found_in_an_index_alone() -> None:
    acme = Company()
    call(acme)
    manager = acme.person("manager")
    with CaptureQueriesContext(connection) as queries:
        manager.get(EVENTS, from_=TIME.format(1), to=TIME.format(2))
    [query] = [each["sql"] for each in queries if "MIN(" in each["sql"]]
    assert "COVERING INDEX event_time" in explained(query)


def explained(query: str) -> str:
    with connection.cursor() as cursor:
        return "\n".join(str(row) for row in cursor.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
