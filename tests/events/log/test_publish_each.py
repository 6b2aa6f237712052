"""Several requests in one commit, each with its own receipts, refusals and failures; publishers in several threads."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection

from events.domain.event import Draft
from events.log import publish as module
from events.log.idempotency import IdempotencyConflict
from events.log.publish import Publication, Result, publish, publish_each
from events.models import CustomerLog, Event
from tests.events.support.people import new_id
from tests.events.support.stored import draft

pytestmark = pytest.mark.django_db(transaction=True)


def call(customer_id: str, call_id: str, **fields: Any) -> Draft:
    return draft(customer_id, "call.status", {"id": call_id}, **fields)


def published(requests: list[list[Draft]]) -> list[Result]:
    return publish_each([Publication(drafts) for drafts in requests])


def numbers(customer_id: str) -> list[int]:
    return list(Event.objects.filter(customer_id=customer_id).order_by("seq").values_list("seq", flat=True))


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of requests of each commit that was tried."""
    tried: list[int] = []
    store = module._store

    def counted(requests: Any, *rest: Any) -> Any:
        tried.append(len(requests))
        return store(requests, *rest)

    monkeypatch.setattr(module, "_store", counted)
    return tried


def test_nothing_is_no_commit(commits: list[int]) -> None:
    assert publish_each([]) == []
    assert commits == []


def test_requests_share_a_commit_each_with_its_own_receipts(commits: list[int]) -> None:
    acme, globex = new_id(), new_id()
    results = published(
        [
            [call(acme, "1")],
            [call(acme, "2"), call(globex, "3")],
            [call(acme, "4")],
            [call(globex, "5")],
        ]
    )
    assert commits == [4]
    assert [
        [(receipt.topics[0].rpartition(":")[2], receipt.cursor.partition(".")[2]) for receipt in result]
        for result in results
        if isinstance(result, list)
    ] == [[("1", "1")], [("2", "2"), ("3", "1")], [("4", "3")], [("5", "2")]]
    assert (numbers(acme), numbers(globex)) == ([1, 2, 3], [1, 2])


def test_a_conflict_of_one_leaves_no_trace_and_the_others_whole(commits: list[int]) -> None:
    acme = new_id()
    first, conflict, again = published(
        [
            [call(acme, "2", idempotency_key="k")],
            [call(acme, "3"), call(acme, "4", idempotency_key="k")],
            [call(acme, "2", idempotency_key="k")],
        ]
    )
    assert isinstance(conflict, IdempotencyConflict)
    assert conflict.index == 1
    assert isinstance(first, list)
    assert isinstance(again, list)
    assert [receipt.replayed for receipt in again] == [True]
    assert again[0].id == first[0].id
    assert numbers(acme) == [1]
    assert commits == [3]


@pytest.mark.parametrize("error", [DataError("value out of range"), KeyError("a bug")])
def test_what_fails_with_one_request_fails_for_it_alone(
    monkeypatch: pytest.MonkeyPatch, commits: list[int], error: Exception
) -> None:
    acme = new_id()
    insert_rows = module.insert_rows

    def refuse(rows: Any) -> None:
        if any(row.resource_id == "poison" for row in rows):
            raise error
        insert_rows(rows)

    monkeypatch.setattr(module, "insert_rows", refuse)
    good, poison, other = published([[call(acme, name)] for name in ("2", "poison", "3")])
    assert poison is error
    assert isinstance(good, list)
    assert isinstance(other, list)
    assert numbers(acme) == [1, 2]
    assert commits == [3, 1, 1, 1]


def test_a_database_that_does_not_answer_is_tried_once(
    monkeypatch: pytest.MonkeyPatch, commits: list[int]
) -> None:
    acme, error = new_id(), OperationalError("server closed the connection")

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(module, "insert_rows", fail)
    assert published([[call(acme, "1")], [call(acme, "2")]]) == [error, error]
    assert commits == [2]
    assert numbers(acme) == []


def test_a_check_sees_all_that_others_published_before_and_no_other_commits_meanwhile() -> None:
    acme = new_id()
    CustomerLog.objects.create(customer_id=acme)
    checking, go_on = threading.Event(), threading.Event()
    seen: list[list[int]] = []

    def check() -> None:
        seen.append(numbers(acme))
        checking.set()
        assert go_on.wait(20)

    def run(*drafts: Draft, **options: Any) -> None:
        try:
            publish(drafts, **options)
        finally:
            connection.close()

    publish([call(acme, "1"), call(acme, "2")])
    first = threading.Thread(target=run, args=[call(acme, "3")], kwargs={"check": check}, daemon=True)
    first.start()
    assert checking.wait(20)
    others = [threading.Thread(target=run, args=[call(acme, f"{n}")], daemon=True) for n in range(4, 9)]
    for thread in others:
        thread.start()
    assert numbers(acme) == [1, 2]
    go_on.set()
    for thread in [first, *others]:
        thread.join(20)
        assert not thread.is_alive()
    assert seen == [[1, 2]]
    assert numbers(acme) == list(range(1, 9))
