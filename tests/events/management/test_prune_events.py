"""`manage.py prune_events`: what is old is deleted, what is needed stays, and replays in progress end."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from events.log import reader, retention
from events.models import CustomerLog, Event, ResourceState
from tests.events.support.people import Company, new_id
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db


def prune(*arguments: str) -> str:
    output = StringIO()
    call_command("prune_events", *arguments, stdout=output)
    return output.getvalue()


def call(customer_id: str, call_id: str, event_type: str = "call.status", *, days: float = 0) -> None:
    """An event that was stored so many days ago."""
    receipt = store(customer_id, event_type, {"id": call_id})
    Event.objects.filter(pk=receipt.id).update(stored_at=timezone.now() - timedelta(days=days))


def kept(customer_id: str) -> list[int]:
    return list(Event.objects.filter(customer_id=customer_id).order_by("seq").values_list("seq", flat=True))


def floor(customer_id: str) -> int:
    return reader.heads([customer_id])[customer_id].floor


def states(customer_id: str) -> set[str]:
    return set(ResourceState.objects.filter(customer_id=customer_id).values_list("resource_id", flat=True))


def test_what_is_older_goes_and_the_floor_rises() -> None:
    acme, other = new_id(), new_id()
    for customer_id in (acme, other):
        for days in (40, 31, 29, 0):
            call(customer_id, "c", days=days)
    said = prune("--older-than", "30d")
    for customer_id in (acme, other):
        assert (kept(customer_id), floor(customer_id)) == ([3, 4], 2)
        assert f"{customer_id}: removed 2 events and 0 ended states; kept from number 3 on\n" in said
    assert said.endswith("Removed 4 events and 0 ended states of 2 customers.\n")
    assert prune("--older-than", "30d") == "Removed 0 events and 0 ended states of 2 customers.\n"
    assert reader.heads([acme])[acme].last_seq == 4


def test_the_newest_event_stays_however_old_it_is() -> None:
    acme = new_id()
    for _ in range(3):
        call(acme, "c", days=400)
    prune("--older-than", "1d")
    assert (kept(acme), floor(acme)) == ([3], 2)


def test_an_event_with_a_wrong_clock_makes_no_hole() -> None:
    acme = new_id()
    for days in (40, 0, 40, 0):
        call(acme, "c", days=days)
    prune("--older-than", "30d")
    assert (kept(acme), floor(acme)) == ([2, 3, 4], 1)


def test_what_ended_goes_with_its_last_event_and_what_lives_stays() -> None:
    acme = new_id()
    call(acme, "ended-long-ago", "call.ended", days=40)
    call(acme, "lives-quietly", days=40)
    store(acme, "message.sent", {"id": "old-message"})
    Event.objects.filter(resource="message").update(stored_at=timezone.now() - timedelta(days=40))
    call(acme, "began-long-ago", days=40)
    call(acme, "began-long-ago", "call.ended", days=1)
    assert "2 ended states" in prune("--older-than", "30d", "--dry-run")
    assert "2 ended states" in prune("--older-than", "30d")
    assert states(acme) == {"lives-quietly", "began-long-ago"}


def test_one_customer_alone() -> None:
    acme, other = new_id(), new_id()
    for customer_id in (acme, other):
        for days in (40, 0):
            call(customer_id, "c", days=days)
    prune("--older-than", "30d", "--customer", acme)
    assert (kept(acme), kept(other)) == ([2], [1, 2])


def test_a_dry_run_tells_what_the_run_then_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_A_TRANSACTION", 2)
    acme = new_id()
    for number in range(7):
        call(acme, f"c{number}", "call.ended", days=40)
    call(acme, "c", days=0)
    output = prune("--older-than", "30d", "--dry-run")
    assert (len(kept(acme)), floor(acme), len(states(acme))) == (8, 0, 8)
    done = prune("--older-than", "30d")
    assert output.replace("would remove", "removed").replace("Would remove", "Removed") == done
    assert "7 events and 7 ended states; kept from number 8 on" in done
    assert (kept(acme), floor(acme), states(acme)) == ([8], 7, {"c"})


def test_a_key_is_free_again_when_its_event_is_gone() -> None:
    acme = new_id()
    first = store(acme, "call.status", {"id": "c"}, idempotency_key="k")
    Event.objects.update(stored_at=timezone.now() - timedelta(days=40))
    assert store(acme, "call.status", {"id": "c"}, idempotency_key="k").id == first.id
    call(acme, "d")
    prune("--older-than", "30d")
    again = store(acme, "call.status", {"id": "c"}, idempotency_key="k")
    assert (again.id != first.id, again.replayed) == (True, False)


def test_reading_page_by_page_meanwhile_has_no_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "ROWS_AT_ONCE", 3)
    acme = new_id()
    for number in range(10):
        call(acme, f"c{number}", days=40 if number < 8 else 0)
    epoch = reader.heads([acme])[acme].epoch
    rows_of = reader._rows
    reads: list[int] = []

    def rows_then_prune(customer_id: str, epoch: str, after: int, upto: int, limit: int) -> object:
        rows = rows_of(customer_id, epoch, after, upto, limit)
        if not reads:
            prune("--older-than", "30d")
        reads.append(after)
        return rows

    monkeypatch.setattr(reader, "_rows", rows_then_prune)
    assert [entry.seq for entry in reader.read(acme, epoch, after=0, upto=10, limit=10)] == [1, 2, 3]
    # Going on from there shows the hole at the very beginning, where the gateway looks for it.
    assert [entry.seq for entry in reader.read(acme, epoch, after=3, upto=10, limit=10)] == [9, 10]
    assert floor(acme) == 8


def test_history_begins_where_the_log_is_kept_and_older_cursors_are_refused() -> None:
    acme = Company()
    for number in range(4):
        call(acme.id, f"c{number}", days=40 if number < 2 else 0)
    manager = acme.person("manager")
    cursors = [item["cursor"] for item in manager.get("/v1.0/events").body["items"]]
    prune("--older-than", "30d")
    assert [item["cursor"] for item in manager.get("/v1.0/events").body["items"]] == cursors[2:]
    assert manager.get("/v1.0/events", after=cursors[0]).status == 410
    assert manager.get("/v1.0/events", after=cursors[1]).status == 200


@pytest.fixture
def left_between(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events there are at each moment in which publishers are let in, outside of any transaction."""
    seen: list[int] = []
    outer = len(transaction.get_connection().savepoint_ids)

    def let_in(began: float) -> None:
        assert len(transaction.get_connection().savepoint_ids) == outer
        seen.append(Event.objects.count())

    monkeypatch.setattr(retention, "_let_publishers_in", let_in)
    return seen


def test_it_goes_in_short_transactions(left_between: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_A_TRANSACTION", 3)
    acme = new_id()
    for number in range(8):
        call(acme, f"c{number}", days=40)
    prune("--older-than", "30d")
    assert left_between == [5, 2, 1]


@pytest.mark.parametrize(
    "age", ["0d", "-1d", "soon", "30", "d", "1.5d", "30 d", "30D", "", "9999999w", "٣d", "1y"]
)
def test_what_is_no_age_is_refused_with_the_right_form(age: str) -> None:
    acme = new_id()
    for _ in range(2):
        call(acme, "c", days=10**4)
    with pytest.raises(CommandError, match=r"such as 30d \(days\)"):
        prune(f"--older-than={age}")
    assert kept(acme) == [1, 2]


def test_an_age_is_needed() -> None:
    with pytest.raises(CommandError, match="--older-than"):
        prune()


@pytest.mark.parametrize(
    ("customer", "says"),
    [("acme", "UUID"), ("0f2a7c54-9d1b-4c59-8a77-3c1b2e4d5f60", "no events of customer")],
)
def test_an_unknown_customer_is_refused(customer: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        prune("--older-than", "30d", "--customer", customer)


def test_its_help_says_what_goes_with_the_events(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("prune_events", "--help")
    said = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "Idempotency keys go with their events" in said
    assert "notified that it was not recovered" in said


def test_no_log_at_all_is_no_error() -> None:
    assert prune("--older-than", "30d") == "Removed 0 events and 0 ended states of 0 customers.\n"
    assert not CustomerLog.objects.exists()
