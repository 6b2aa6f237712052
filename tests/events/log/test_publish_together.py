"""Several publishers at once: one commit for them, and each with its own receipts, refusals and troubles."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, connection

from events.domain.event import Draft
from events.log import publish as publishing
from events.log.publish import IdempotencyConflict, publish
from events.models import CustomerLog, Event
from tests.events.support.people import new_id
from tests.events.support.stored import draft
from tests.support.waiting import wait_until


def call(customer_id: str, call_id: str, **fields: Any) -> Draft:
    return draft(customer_id, "call.status", {"id": call_id}, **fields)


def numbers(customer_id: str) -> list[int]:
    return list(Event.objects.filter(customer_id=customer_id).order_by("seq").values_list("seq", flat=True))


class Crowd:
    """Publishers in threads of their own, all of whom wait until the commit of a first one has ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commits = 0
        self.answers: dict[str, Any] = {}
        self._go_on = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = publishing._lock
        monkeypatch.setattr(publishing, "_lock", self._hold)

    def _hold(self, ordered: list[str]) -> Any:
        self.commits += 1
        assert self._go_on.wait(20)
        return self._lock(ordered)

    def publish(self, name: str, *drafts: Draft, check: Callable[[], None] | None = None) -> None:
        started = self.commits + len(publishing._commits._waiting)

        def run() -> None:
            try:
                self.answers[name] = publish(drafts, check=check)
            except Exception as error:
                self.answers[name] = error
            finally:
                connection.close()

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()
        wait_until(lambda: self.commits + len(publishing._commits._waiting) > started, "the publisher")

    def finish(self) -> None:
        self._go_on.set()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Crowd:
    return Crowd(monkeypatch)


def test_publishers_that_come_together_share_a_commit_each_with_its_own_receipts(crowd: Crowd) -> None:
    acme, globex = new_id(), new_id()
    CustomerLog.objects.bulk_create([CustomerLog(customer_id=acme), CustomerLog(customer_id=globex)])
    crowd.publish("first", call(acme, "1"))
    crowd.publish("a", call(acme, "2"), call(globex, "3"))
    crowd.publish("b", call(acme, "4"))
    crowd.publish("c", call(globex, "5"))
    crowd.finish()
    assert crowd.commits == 2
    numbers_of = {
        name: [(receipt.topics[0].rpartition(":")[2], receipt.cursor.partition(".")[2]) for receipt in answer]
        for name, answer in crowd.answers.items()
    }
    assert numbers_of == {
        "first": [("1", "1")],
        "a": [("2", "2"), ("3", "1")],
        "b": [("4", "3")],
        "c": [("5", "2")],
    }
    assert (numbers(acme), numbers(globex)) == ([1, 2, 3], [1, 2])


def test_a_conflict_of_one_leaves_no_trace_and_the_others_whole(crowd: Crowd) -> None:
    acme = new_id()
    crowd.publish("first", call(acme, "1"))
    crowd.publish("a", call(acme, "2", idempotency_key="k"))
    crowd.publish("conflict", call(acme, "3"), call(acme, "4", idempotency_key="k"))
    crowd.publish("again", call(acme, "2", idempotency_key="k"))
    crowd.finish()
    assert isinstance(crowd.answers["conflict"], IdempotencyConflict)
    assert crowd.answers["conflict"].index == 1
    assert [receipt.replayed for receipt in crowd.answers["again"]] == [True]
    assert crowd.answers["again"][0].id == crowd.answers["a"][0].id
    assert numbers(acme) == [1, 2]


def test_what_the_database_does_not_take_of_one_is_not_the_others_trouble(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_id()
    update_states = publishing.update_states

    def refuse(stored: Any) -> None:
        if any(draft.resource_id == "poison" for _, draft in stored):
            raise DataError("value out of range")
        update_states(stored)

    monkeypatch.setattr(publishing, "update_states", refuse)
    crowd.publish("first", call(acme, "1"))
    crowd.publish("a", call(acme, "2"))
    crowd.publish("poison", call(acme, "poison"))
    crowd.publish("b", call(acme, "3"))
    crowd.finish()
    assert isinstance(crowd.answers["poison"], DataError)
    assert numbers(acme) == [1, 2, 3]
    assert all(len(crowd.answers[name]) == 1 for name in ("first", "a", "b"))


def test_who_checks_before_publishing_sees_all_that_others_published_before(crowd: Crowd) -> None:
    acme = new_id()
    seen: list[list[int]] = []
    crowd.publish("first", call(acme, "1"))
    crowd.publish("a", call(acme, "2"))
    crowd.publish("checks", call(acme, "3"), check=lambda: seen.append(numbers(acme)))
    crowd.publish("b", call(acme, "4"))
    crowd.finish()
    assert seen == [[1, 2]]
    assert numbers(acme) == [1, 2, 3, 4]
