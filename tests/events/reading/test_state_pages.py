"""GET /v1.0/resources/<resource>: the cursor, the pages, and what they cost."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.domain.cursor import number_in, parse_cursor
from events.domain.strict_json import decode
from events.log import reader
from events.models import CustomerLog, ResourceState
from events.reading import paging as pages
from events.reading import states as present
from tests.events.support.people import Answer, Company
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db

CALLS = "/v1.0/calls"
TIME = "2024-01-15T10:30:0{}.000000Z"


def call(company: Company, call_id: str, status: str = "ringing", **fields: Any) -> None:
    event_type = "call.ended" if status == "hangup" else "call.status"
    store(company.id, event_type, {"id": call_id, "status": status}, **fields)


# --- The cursor and the pages ---


def test_a_customer_without_events_has_a_cursor_to_begin_with() -> None:
    acme = Company()
    answer = acme.key().get(CALLS)
    assert answer.body["items"] == []
    assert answer.body["cursor"] == "000000000000.0"
    assert not CustomerLog.objects.exists(), "a GET inserted a row"


def test_pages_go_on_where_the_log_began_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    acme = Company()
    manager = acme.person("manager")
    with monkeypatch.context() as patch:
        patch.setattr(reader, "heads", lambda _: {})
        for number in range(3):
            call(acme, f"c{number}")
        first = manager.get(CALLS, limit="2")
    second = manager.get(CALLS, limit="2", next_=first.body["next"])
    assert (first.ids, second.ids) == (["c0", "c1"], ["c2"])
    assert first.body["cursor"] == second.body["cursor"] == "000000000000.0"


def pages_of(ask: Any, path: str = CALLS, **parameters: str) -> list[Answer]:
    found = [ask(path, **parameters)]
    while place := found[-1].body["next"]:
        found.append(ask(path, next_=place, **parameters))
        assert len(found) < 1000
    return found


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_hold_each_state_once_and_carry_the_first_cursor(order: str) -> None:
    acme = Company()
    ids = [f"c{number:02}" for number in range(25)]
    for call_id in ids:
        call(acme, call_id)
    found = pages_of(acme.key().get, limit="10", order=order)
    assert [len(page.ids) for page in found] == [10, 10, 5]
    expected = ids if order == "asc" else ids[::-1]
    assert [each for page in found for each in page.ids] == expected
    assert len({page.body["cursor"] for page in found}) == 1


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_what_changes_between_two_pages_is_neither_lost_nor_doubled(order: str) -> None:
    acme = Company()
    ids = [f"c{number}" for number in range(6)]
    for call_id in ids:
        call(acme, call_id)
    ask = acme.key().get
    first = ask(CALLS, limit="3", order=order, active="true")
    for call_id in ids:
        call(acme, call_id, "answered")
    call(acme, "new")
    rest = ask(CALLS, limit="100", order=order, active="true", next_=first.body["next"])
    seen = [*first.ids, *rest.ids]
    assert sorted(set(seen) - {"new"}) == ids
    assert len(seen) == len(set(seen))
    assert rest.body["cursor"] == first.body["cursor"]
    after = {entry.topics[0] for entry in entries_after(acme.id, first.body["cursor"])}
    assert f"customer_id:{acme.id}:call:new" in after


def test_a_place_in_a_log_that_was_replaced_is_gone() -> None:
    acme = Company()
    for number in range(3):
        call(acme, f"c{number}")
    place = acme.key().get(CALLS, limit="1").body["next"]
    CustomerLog.objects.update(epoch="0" * 12)
    answer = acme.key().get(CALLS, limit="1", next_=place)
    assert (answer.status, answer.body["code"]) == (410, "NOT_KEPT")
    assert acme.key().get(CALLS, limit="1", next_=f"{'0' * 12}.9.1").status == 410


def test_a_page_of_large_states_ends_early_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_MAX_CHARACTERS", 5000)
    monkeypatch.setattr(pages, "ROWS_AT_ONCE", 2)
    acme = Company()
    for number in range(7):
        store(acme.id, "call.created", {"id": f"c{number}", "note": "x" * 2000})
    found = pages_of(acme.key().get)
    assert len(found) > 1
    assert [each for page in found for each in page.ids] == [f"c{number}" for number in range(7)]


def data_of(entry: reader.Entry) -> dict[str, Any]:
    data: dict[str, Any] = decode(entry.frame(""))["data"]
    return data


def entries_after(customer_id: str, cursor: str) -> list[reader.Entry]:
    epoch = reader.head_of(customer_id).epoch
    start = number_in(parse_cursor(cursor), epoch)
    assert start is not None
    entries: list[reader.Entry] = []
    while page := reader.read(
        customer_id, epoch, after=entries[-1].seq if entries else start, upto=10**9, limit=1000
    ):
        entries.extend(page)
    return entries


def test_an_event_between_two_steps_of_reading_is_in_the_state_or_after_its_cursor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acme = Company()
    happened: list[str] = []

    def then_publish(step: Any) -> Any:
        def run(*args: Any) -> Any:
            result = step(*args)
            happened.append(f"f{len(happened)}")
            store(acme.id, "call.status", {"id": "c", happened[-1]: 1})
            return result

        return run

    for name in ("start_of", "rows_of_page"):
        monkeypatch.setattr(present, name, then_publish(getattr(present, name)))
    page = acme.key().get(CALLS)
    known = {name for item in page.body["items"] for name in item["data"]}
    for entry in entries_after(acme.id, page.body["cursor"]):
        known |= set(data_of(entry))
    assert len(happened) == 2
    assert known == {"id", *happened}


@pytest.mark.django_db(transaction=True)
def test_state_then_what_follows_its_cursor_is_the_state_at_last() -> None:
    """Publishers go on while the pages are read: nothing may fall between the state and the events after it."""
    acme = Company()
    manager = acme.person("manager")
    stop = threading.Event()
    ids = [f"c{number}" for number in range(8)]

    def publish_on() -> None:
        try:
            for round_ in range(1, 10_000):
                for call_id in ids:
                    # Each call has a field that no later event repeats: who starts too late never learns of it.
                    store(acme.id, "call.status", {"id": call_id, f"f{round_ % 50}": round_, "last": round_})
                if stop.is_set():
                    return
        finally:
            connection.close()

    publisher = threading.Thread(target=publish_on)
    publisher.start()
    try:
        readings = [pages_of(manager.get, limit="3") for _ in range(15)]
    finally:
        stop.set()
        publisher.join()
    final = {state.resource_id: decode(state.body) for state in ResourceState.objects.all()}
    assert len(final) == len(ids)
    cursors = [found[0].body["cursor"] for found in readings]
    assert len(set(cursors)) > 5, "the publisher stood still: nothing was tried"
    for found in readings:
        known = {item["resource_id"]: item["data"] for page in found for item in page.body["items"]}
        for entry in entries_after(acme.id, found[0].body["cursor"]):
            data = data_of(entry)
            known[data["id"]] = {**known.get(data["id"], {}), **data}
        assert known == final


# --- What it costs ---


def test_a_page_costs_as_many_queries_whatever_it_holds() -> None:
    acme = Company()
    manager = acme.person("manager")
    call(acme, "c")
    with CaptureQueriesContext(
        connection,
    ) as one:
        manager.get(CALLS)
    for number in range(80):
        call(acme, f"c{number}")
    with CaptureQueriesContext(connection) as many:
        assert len(manager.get(CALLS).ids) == 81
    assert len(many) == len(one) <= 4


@pytest.mark.parametrize(
    ("parameters", "index"),
    [
        ({"active": "true"}, "state_live_order"),
        ({}, "state_order"),
        ({"active": "false", "order": "desc"}, "state_order"),
        ({"resource_id": "c"}, "resource=? AND resource_id=?"),
        ({"active": "true", "status": "ringing", "direction": "inbound"}, "state_live_order"),
    ],
)
@pytest.mark.parametrize("paged", [False, True])
def test_an_index_leads_to_each_page(parameters: dict[str, str], index: str, paged: bool) -> None:
    acme = Company()
    for number in range(3):
        call(acme, f"c{number}")
    place = {"next": acme.key().get(CALLS, limit="1").body["next"]} if paged else {}
    manager = acme.person("manager")
    with CaptureQueriesContext(connection) as queries:
        manager.get(CALLS, **parameters, **place)
    [query] = [each["sql"] for each in queries if "resourcestate" in each["sql"]]
    plan = explained(query)
    assert index in plan
    if "resource_id" not in parameters:
        assert "TEMP B-TREE" not in plan
    assert UUID(acme.id).hex in query


def explained(query: str) -> str:
    with connection.cursor() as cursor:
        return "\n".join(str(row) for row in cursor.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
