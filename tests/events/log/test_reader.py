"""Reading the customers' logs."""

from __future__ import annotations

import json

import pytest

from events.domain.cursor import parse_cursor
from events.log import reader
from events.log.epochs import renew_epochs
from events.models import CustomerLog
from tests.events.support.people import new_id
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db


def seqs(customer_id: str, *, after: int, upto: int = 1000, limit: int = 1000) -> list[int]:
    epoch = reader.heads([customer_id])[customer_id].epoch
    return [entry.seq for entry in reader.read(customer_id, epoch, after=after, upto=upto, limit=limit)]


def test_heads_are_where_logs_stand_and_customers_without_events_have_none() -> None:
    acme, other, quiet = new_id(), new_id(), new_id()
    last = [store(acme, "call.status", {"id": "c"}) for _ in range(3)][-1]
    store(other, "call.status", {"id": "c"})
    heads = reader.heads([acme, other, quiet])
    assert set(heads) == {acme, other}
    assert (heads[acme].last_seq, heads[acme].floor) == (3, 0)
    assert str(heads[acme].position) == last.cursor
    assert heads[acme].epoch != heads[other].epoch
    assert not CustomerLog.objects.filter(customer_id=quiet).exists()


def test_opening_a_log_makes_it_once() -> None:
    customer_id = new_id()
    first = reader.open_log(customer_id)
    assert (first.last_seq, first.floor) == (0, 0)
    assert parse_cursor(str(first.position)) == {first.epoch: 0}
    assert reader.open_log(customer_id) == first
    assert store(customer_id, "call.status", {"id": "c"}).cursor == f"{first.epoch}.1"


def test_entries_come_in_order_between_two_numbers() -> None:
    acme, other = new_id(), new_id()
    for _ in range(6):
        store(acme, "call.status", {"id": "c"})
        store(other, "call.status", {"id": "c"})
    assert seqs(acme, after=0) == [1, 2, 3, 4, 5, 6]
    assert seqs(acme, after=2) == [3, 4, 5, 6]
    assert seqs(acme, after=2, upto=4) == [3, 4]
    assert seqs(acme, after=2, limit=2) == [3, 4]
    assert seqs(acme, after=6) == []
    assert seqs(acme, after=4, upto=2) == []


def test_many_rows_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "ROWS_AT_ONCE", 3)
    acme = new_id()
    for _ in range(7):
        store(acme, "call.status", {"id": "c"})
    assert seqs(acme, after=0) == list(range(1, 8))
    assert seqs(acme, after=0, limit=6) == list(range(1, 7))
    assert seqs(acme, after=1, limit=5) == list(range(2, 7))


def test_a_page_of_large_events_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(reader, "PAGE_MAX_CHARACTERS", 5000)
    acme = new_id()
    for _ in range(9):
        store(acme, "call.status", {"id": "c", "note": "x" * 2000})
    pages = [seqs(acme, after=0)]
    while page := seqs(acme, after=pages[-1][-1]):
        pages.append(page)
    # Two have room together, and one more may come with them.
    assert all(len(page) <= 4 for page in pages)
    assert [seq for page in pages for seq in page] == list(range(1, 10))


def test_an_event_larger_than_a_page_is_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PAGE_MAX_CHARACTERS", 1000)
    monkeypatch.setattr(reader, "ROWS_AT_ONCE", 1)
    acme = new_id()
    for _ in range(2):
        store(acme, "call.status", {"id": "c", "note": "x" * 2000})
    assert (seqs(acme, after=0), seqs(acme, after=1)) == ([1], [2])


def test_an_entry_has_all_topics_and_the_data_as_it_was_stored() -> None:
    acme, agent_id = new_id(), new_id()
    receipt = store(acme, "call.status", {"id": "c", "n": 1.50, "é": "\u2028"}, agent_ids=[agent_id])
    epoch, _ = receipt.cursor.split(".")
    [entry] = reader.read(acme, epoch, after=0, upto=1, limit=10)
    assert entry.topics == receipt.topics == (f"customer_id:{acme}:call:c", f"agent_id:{agent_id}:call:c")
    frame = entry.frame(entry.topics[1])
    assert f'"topic": "agent_id:{agent_id}:call:c", "data": {{"id": "c", "n": 1.5, "é": "\u2028"}}, ' in frame
    assert frame.endswith(f'"id": "{receipt.id}", "cursor": "{receipt.cursor}"}}')
    assert json.loads(frame)["agent_ids"] == [agent_id]


def test_a_page_that_is_read_while_the_log_is_replaced_has_no_event_of_the_new_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acme = new_id()
    for _ in range(4):
        store(acme, "call.status", {"id": "c"})
    epoch = reader.head_of(acme).epoch
    monkeypatch.setattr(reader, "ROWS_AT_ONCE", 2)
    fitting = reader._fitting

    def renewed_meanwhile(customer_id: str, after: int, upto: int, limit: int, room: int) -> int:
        found = fitting(customer_id, after, upto, limit, room)
        if after == 2:
            renew_epochs(acme)
        return found

    monkeypatch.setattr(reader, "_fitting", renewed_meanwhile)
    assert [entry.seq for entry in reader.read(acme, epoch, after=0, upto=4, limit=4)] == [1, 2]
    assert reader.read(acme, epoch, after=0, upto=4, limit=4) == []
    monkeypatch.undo()
    assert seqs(acme, after=0) == [1, 2, 3, 4]
