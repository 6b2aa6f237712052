"""The queue of publishing: batches that share a commit, large requests beside them, and defects."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.utils import timezone

from events.api.publish_parser import parse_events
from events.api.publish_request import PublishRequest
from events.database.threads import good_connections
from events.log import publish as log_publish
from events.models import Event
from subscriptions.auth.access_keys import revoke
from subscriptions.models import AccessKey
from tests.events.support.people import Company
from tests.events.support.publish_cases import CALL, encoded
from tests.support.waiting import wait_until
from voipbin_ws.http import publish_queue
from voipbin_ws.http.publish_queue import LARGE_BODY_BYTES, MAX_BATCH_BYTES, MAX_BATCH_REQUESTS, PublishQueue

PATIENCE_SECONDS = 20
"""Bounds a failure."""

LARGE = encoded([CALL | {"data": {"id": "large", "text": "x" * 1000}}] * (LARGE_BODY_BYTES // 1000))


@pytest.fixture
def queue(transactional_db: None) -> Iterator[PublishQueue]:
    queue = PublishQueue()
    yield queue
    for threads in queue.executors:
        threads.submit(connections.close_all).result()
        threads.shutdown()


@pytest.fixture
async def key(transactional_db: None) -> str:
    made = await sync_to_async(lambda: Company().key(may_publish=True))()
    return str(made.credential)


def request(key: str, body: bytes = encoded(CALL)) -> PublishRequest:
    return PublishRequest(parse_events, {"authorization": f"Bearer {key}"}, body, "", "", "named")


def call(number: int) -> bytes:
    return encoded(CALL | {"data": {"id": f"c{number}"}})


class HeldCommits:
    """Holds every commit of some requests until `go_on` is set; `batches` are their sizes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, resource_id: str = "") -> None:
        self.batches: list[int] = []
        self.go_on = threading.Event()
        store = log_publish._store

        def held(requests: Any, *rest: Any) -> Any:
            if not resource_id or requests[0].drafts[0].resource_id == resource_id:
                self.batches.append(len(requests))
                assert self.go_on.wait(PATIENCE_SECONDS)
            return store(requests, *rest)

        monkeypatch.setattr(log_publish, "_store", held)


def failing_after(publish_batch: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Mark the connection as failed after each batch, as the ORM does at an error."""

    def run(batch: Any) -> Any:
        responses = publish_batch(batch)
        connection.errors_occurred = True
        return responses

    return run


async def test_requests_that_come_during_a_commit_share_the_next_and_a_bad_one_harms_none(
    queue: PublishQueue, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = HeldCommits(monkeypatch)
    first = asyncio.create_task(queue.publish(request(key)))
    await asyncio.to_thread(wait_until, lambda: commits.batches == [1], "the first commit")
    others = [asyncio.create_task(queue.publish(request(key, call(number)))) for number in range(5)]
    bad = asyncio.create_task(queue.publish(request(key, b"nonsense")))
    await asyncio.to_thread(wait_until, lambda: len(queue._waiting) == 6, "those that wait")
    commits.go_on.set()
    responses = await asyncio.gather(first, *others)
    assert commits.batches == [1, 5]
    assert [response.body.partition(b":call:")[2][:2] for response in responses] == [
        b'c"',
        *(b"c%d" % number for number in range(5)),
    ]
    assert (await bad).status == 400


@pytest.mark.parametrize("is_broken", [False, True])
async def test_a_connection_is_kept_while_requests_wait_unless_it_failed(
    queue: PublishQueue, key: str, monkeypatch: pytest.MonkeyPatch, is_broken: bool
) -> None:
    commits, kept = HeldCommits(monkeypatch), Mock(side_effect=good_connections)
    monkeypatch.setattr(publish_queue, "good_connections", kept)
    if is_broken:
        monkeypatch.setattr(queue, "_publish_batch", failing_after(queue._publish_batch))
    first = asyncio.create_task(queue.publish(request(key)))
    await asyncio.to_thread(wait_until, lambda: commits.batches == [1], "the first commit")
    other = asyncio.create_task(queue.publish(request(key, call(1))))
    await asyncio.to_thread(wait_until, lambda: len(queue._waiting) == 1, "the one that waits")
    commits.go_on.set()
    await asyncio.gather(first, other)
    assert (commits.batches, kept.call_count) == ([1, 1], 2 if is_broken else 1)


async def test_a_batch_is_bounded_in_requests_and_in_bytes(queue: PublishQueue, key: str) -> None:
    loop = asyncio.get_running_loop()
    small, half = request(key), request(key, b" " * (MAX_BATCH_BYTES // 2))
    for each in [half, half, *[small] * (MAX_BATCH_REQUESTS + 1)]:
        queue._waiting.put("a", publish_queue._Waiting(each, loop.create_future(), "a", 0.0))
    assert [len(queue._next_batch()) for _ in range(4)] == [2, MAX_BATCH_REQUESTS, 1, 0]


async def test_a_large_request_holds_up_no_small_one(
    queue: PublishQueue, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsing, go_on = threading.Event(), threading.Event()

    def slowly(*what: Any) -> Any:
        parsing.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return parse_events(*what)

    slow = request(key, LARGE)
    large = asyncio.create_task(
        queue.publish(PublishRequest(slowly, slow.headers, slow.body, "", "", "large"))
    )
    await asyncio.to_thread(parsing.wait, PATIENCE_SECONDS)
    assert (await queue.publish(request(key))).status == 201
    go_on.set()
    response = await large
    assert (response.status, response.body.count(b"cursor")) == (201, LARGE.count(b"event_type"))


async def test_a_large_request_is_refused_by_its_credential_too(queue: PublishQueue) -> None:
    assert (await queue.publish(request("vb_unknown", LARGE))).status == 401


async def test_a_request_that_is_cancelled_holds_up_no_other(queue: PublishQueue, key: str) -> None:
    left = asyncio.create_task(queue.publish(request(key)))
    await asyncio.sleep(0)
    left.cancel()
    assert (await queue.publish(request(key))).status == 201


async def test_a_defect_of_the_queue_is_answered_and_the_next_request_is_published(
    queue: PublishQueue, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(publish_queue, "publish_unlocked", broken)
        response = await queue.publish(request(key))
    assert (response.status, b"named" in response.body) == (500, True)
    assert (await queue.publish(request(key))).status == 201
    assert await Event.objects.acount() == 1


async def test_whatever_fails_the_queue_goes_on(
    queue: PublishQueue, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patch:
        # Of the function that makes an error of the publishing a response, too.
        patch.setattr(publish_queue, "publish_unlocked", fail)
        patch.setattr(publish_queue, "refusal", fail)
        with pytest.raises(RuntimeError, match="a defect"):
            await asyncio.wait_for(queue.publish(request(key)), PATIENCE_SECONDS)
    assert (await asyncio.wait_for(queue.publish(request(key)), PATIENCE_SECONDS)).status == 201


async def test_a_key_that_was_revoked_publishes_nothing_more(queue: PublishQueue, key: str) -> None:
    assert (await queue.publish(request(key))).status == 201
    revoked = await sync_to_async(lambda: revoke(AccessKey.objects.get(), timezone.now()))()
    assert revoked
    assert (await queue.publish(request(key))).status == 401
    assert await Event.objects.acount() == 1


async def test_a_customer_with_many_requests_does_not_hold_up_another(
    queue: PublishQueue, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = str((await sync_to_async(lambda: Company().key(may_publish=True))()).credential)
    for each in (key, other):
        assert (await queue.publish(request(each))).status == 201
    commits = HeldCommits(monkeypatch)
    first = asyncio.create_task(queue.publish(request(key)))
    await asyncio.to_thread(wait_until, lambda: commits.batches == [1], "the first commit")
    many = [asyncio.create_task(queue.publish(request(key))) for _ in range(2 * MAX_BATCH_REQUESTS)]
    await asyncio.to_thread(wait_until, lambda: len(queue._waiting) == len(many), "those that wait")
    one = asyncio.create_task(queue.publish(request(other)))
    await asyncio.to_thread(wait_until, lambda: len(queue._waiting) == len(many) + 1, "the other")
    ended: list[asyncio.Task[Any]] = []
    for task in (*many, one):
        task.add_done_callback(ended.append)
    commits.go_on.set()
    responses = await asyncio.gather(first, one, *many)
    assert {response.status for response in responses} == {201}
    assert ended.index(one) < MAX_BATCH_REQUESTS
