"""Publishing by the fast path: the same answers as by the usual way, and nothing stored twice or lost between them."""

# Long because each way of refusing is compared with the usual one.

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import DataError, OperationalError, connections
from django.test import override_settings

from events.log import publish as publishing
from events.models import Event
from tests.events.support.people import Company
from tests.support.waiting import wait_until
from voipbin_ws.http import publish_endpoint as fast_path
from voipbin_ws.http import publish_queue as posts
from voipbin_ws.http import request_log as access_log
from voipbin_ws.http.django_handler import OneThreadHandler
from voipbin_ws.http.publish_endpoint import MAX_BODY_BYTES, FastPath
from voipbin_ws.http.security_headers import headers_of_data

EVENTS, WEBHOOK = "/v1.0/events", "/v1.0/webhooks/voipbin"
CALL: dict[str, Any] = {"event_type": "call.status", "data": {"id": "c", "status": "answered"}}
HOOK: dict[str, Any] = {"type": "call_hangup", "data": {"id": "4fbd4d6c-6a2c-4a4a-8c1c-0e9ab6cf2c3e"}}
PATIENCE_SECONDS = 20
"""Bounds a failure."""

_OF_ONE_ANSWER = {"x-request-id", "content-length", "allow"}
"""Headers that differ: of this very answer, and one that REST framework adds which nobody needs here."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def content(self) -> Any:
        return json.loads(self.text)

    @property
    def lasting(self) -> tuple[int, dict[str, str], str]:
        """What of it does not depend on when it was given."""
        headers = {name: value for name, value in self.headers.items() if name not in _OF_ONE_ANSWER}
        return self.status, headers, re.sub(r'("id":|"cursor":)"[^"]+"', r"\1", self.text)


class Gate:
    """The fast path, and beside it the usual way alone; `usual` counts what went on to it."""

    def __init__(self) -> None:
        self.usual = 0
        self._usual_way = OneThreadHandler()
        self.fast = FastPath(self._counted)

    async def _counted(self, scope: Any, receive: Any, send: Any) -> None:
        self.usual += 1
        await self._usual_way(scope, receive, send)

    async def post(self, path: str, body: bytes, headers: dict[str, str], **scope: Any) -> Answer:
        return await _ask(self.fast, path, body, headers, **scope)

    async def post_usually(self, path: str, body: bytes, headers: dict[str, str], **scope: Any) -> Answer:
        return await _ask(self._usual_way, path, body, headers, **scope)

    def close(self) -> None:
        for threads in (self.fast._posts._thread, self._usual_way._threads):
            threads.submit(connections.close_all).result()
            threads.shutdown()


async def _ask(application: Any, path: str, body: bytes, headers: dict[str, str], **more: Any) -> Answer:
    sent: list[dict[str, Any]] = []
    parts = [body[:10], body[10:]]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(_scope(path, body, headers, **more), receive, send)
    return Answer(
        sent[0]["status"],
        {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]},
        b"".join(each["body"] for each in sent[1:]).decode(),
    )


def _scope(path: str, body: bytes, headers: dict[str, str], **more: Any) -> dict[str, Any]:
    given = {"host": "localhost", "content-length": str(len(body)), **headers}
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("192.0.2.7", 5000),
        **more,
    }


@pytest.fixture
def gate(transactional_db: None) -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.close()


@pytest.fixture
def company(transactional_db: None) -> Company:
    return Company()


def bearer(company: Company, **fields: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {company.key(**{'may_publish': True, **fields}).credential}"}


def broken(*_: Any) -> Any:
    raise KeyError("a bug")


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


# --- The same answers ---


@pytest.mark.parametrize(
    ("path", "body", "more"),
    [
        (EVENTS, CALL, {}),
        (EVENTS, [CALL, CALL], {}),
        (EVENTS, [CALL], {"accept": "application/json", "content-type": "text/plain"}),
        (EVENTS, CALL | {"idempotency_key": "k"}, {"user-agent": "somebody"}),
        (WEBHOOK, HOOK, {}),
        (WEBHOOK, HOOK, {"idempotency-key": "h"}),
    ],
)
async def test_what_is_stored_is_answered_as_the_usual_way_does(
    gate: Gate, company: Company, path: str, body: Any, more: dict[str, str]
) -> None:
    headers = {**await sync_to_async(bearer)(company), **more}
    fast = await gate.post(path, encoded(body), headers)
    assert (fast.status, gate.usual) == (201, 0)
    usual = await gate.post_usually(path, encoded(body), headers)
    status, told, text = usual.lasting
    # With an idempotency key the second is told of the first.
    assert fast.lasting == (status, told, text.replace('"replayed":true', '"replayed":false'))


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_https_stays_https_by_either_way(company: Company, scheme: str) -> None:
    headers = await sync_to_async(bearer)(company)
    headers_of_data.cache_clear()
    with override_settings(SECURE_HSTS_SECONDS=60):
        gate = Gate()
        fast = await gate.post(EVENTS, encoded(CALL), headers, scheme=scheme)
        usual = await gate.post_usually(EVENTS, encoded(CALL), headers, scheme=scheme)
    await sync_to_async(gate.close)()
    headers_of_data.cache_clear()
    assert (fast.lasting, gate.usual) == (usual.lasting, 0)
    assert ("strict-transport-security" in fast.headers) == (scheme == "https")


REFUSED: dict[str, tuple[int, Any, dict[str, Any]]] = {
    "no JSON": (400, b"{", {}),
    "no event": (400, {"event_type": "call.status"}, {}),
    "an empty list": (400, [], {}),
    "another customer's": (403, CALL | {"customer_id": "11111111-2222-4333-8444-555555555555"}, {}),
    "no credential": (401, CALL, {"authorization": None}),
    "an unknown key": (401, CALL, {"authorization": "Bearer vb_" + "x" * 32}),
    "another scheme": (401, CALL, {"authorization": "Basic eA=="}),
    "nothing": (400, b" ", {}),
    "no body": (400, b"", {}),
    "a compressed body": (415, CALL, {"content-encoding": "gzip"}),
    "an answer that is no JSON": (406, CALL, {"accept": "text/html"}),
    "a foreign host": (400, CALL, {"host": "elsewhere.example.com"}),
    "an unreadable host": (400, CALL, {"host": "a b"}),
    "an unreadable length": (413, CALL, {"content-length": "1e3"}),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_is_told_by_the_usual_way(gate: Gate, company: Company, case: str) -> None:
    status, body, changes = REFUSED[case]
    headers = {**await sync_to_async(bearer)(company), **changes}
    given = {name: value for name, value in headers.items() if value is not None}
    raw = body if isinstance(body, bytes) else encoded(body)
    answer = await gate.post(EVENTS, raw, given)
    assert (answer.status, gate.usual) == (status, 1)
    assert answer.lasting == (await gate.post_usually(EVENTS, raw, given)).lasting
    assert not await Event.objects.aexists()


async def test_who_may_not_publish_does_not(gate: Gate, company: Company) -> None:
    headers = await sync_to_async(bearer)(company, may_publish=False)
    assert (await gate.post(EVENTS, encoded(CALL), headers)).status == 403
    assert not await Event.objects.aexists()


async def test_a_key_that_stands_for_another_event_is_a_conflict(gate: Gate, company: Company) -> None:
    headers = await sync_to_async(bearer)(company)
    keyed = CALL | {"idempotency_key": "k"}
    first = await gate.post(EVENTS, encoded(keyed), headers)
    again = await gate.post(EVENTS, encoded(keyed), headers)
    other = await gate.post(EVENTS, encoded(keyed | {"event_type": "call.ended"}), headers)
    assert again.content == first.content | {"replayed": True}
    assert (other.status, other.content["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert await Event.objects.acount() == 1


@override_settings(EVENTS_VOIPBIN_WEBHOOK_SECRET="shared")
async def test_an_unsigned_webhook_is_refused(gate: Gate, company: Company) -> None:
    answer = await gate.post(WEBHOOK, encoded(HOOK), await sync_to_async(bearer)(company))
    assert (answer.status, "X-VoIPBIN-Signature" in answer.content["message"]) == (401, True)
    assert not await Event.objects.aexists()


@pytest.mark.parametrize(
    "scope",
    [
        {"method": "GET"},
        {"path": "/v1.0/calls"},
        {"query_string": b"token=x"},
        {"root_path": "/gateway"},
    ],
)
async def test_what_is_asked_otherwise_goes_the_usual_way(
    gate: Gate, company: Company, scope: dict[str, Any]
) -> None:
    headers = await sync_to_async(bearer)(company)
    await gate.post(scope.pop("path", EVENTS), encoded(CALL), headers, **scope)
    assert gate.usual == 1


async def test_a_long_list_goes_the_usual_way(gate: Gate, company: Company) -> None:
    many = [CALL | {"data": {"id": "c", "text": "x" * 1000}}] * (MAX_BODY_BYTES // 1000)
    answer = await gate.post(EVENTS, encoded(many), await sync_to_async(bearer)(company))
    assert (answer.status, len(answer.content), gate.usual) == (201, len(many), 1)


# --- Together, and in trouble ---


async def test_posts_that_come_together_share_a_commit_and_a_bad_one_harms_nobody(
    gate: Gate, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, batches = threading.Event(), []
    store = publishing._store

    def held(group: list[Any]) -> None:
        batches.append(len(group))
        assert go_on.wait(PATIENCE_SECONDS)
        store(group)

    monkeypatch.setattr(publishing, "_store", held)
    headers = await sync_to_async(bearer)(company)

    def posted(body: bytes) -> asyncio.Task[Answer]:
        return asyncio.create_task(gate.post(EVENTS, body, headers))

    first = posted(encoded(CALL))
    await asyncio.to_thread(wait_until, lambda: batches == [1], "the first commit")
    others = [posted(encoded(CALL | {"data": {"id": f"c{number}"}})) for number in range(5)]
    bad = posted(b"nonsense")
    await asyncio.to_thread(wait_until, lambda: len(gate.fast._posts._waiting) == 6, "those that wait")
    go_on.set()
    answers = await asyncio.gather(first, *others)
    assert batches == [1, 5]
    assert [answer.content["topics"][0].rpartition(":")[2] for answer in answers] == [
        "c",
        *(f"c{number}" for number in range(5)),
    ]
    assert (await bad).status == 400


@pytest.mark.parametrize("fails", ["credential_in", "publish_each", "_store"])
async def test_a_database_that_does_not_answer_is_told_and_nothing_is_tried_twice(
    gate: Gate, company: Company, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    tried = []

    def away(*_: Any) -> Any:
        tried.append(1)
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(publishing if fails == "_store" else posts, fails, away)
    answer = await gate.post(EVENTS, encoded(CALL), await sync_to_async(bearer)(company))
    assert (answer.status, answer.content["code"], answer.headers["retry-after"]) == (503, "UNAVAILABLE", "1")
    assert (len(tried), gate.usual) == (1, 0)


async def test_a_defect_that_one_runs_into_is_its_own(
    gate: Gate, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(publisher: Any, headers: Any, body: bytes) -> Any:
        raise DataError("no such text")

    monkeypatch.setitem(fast_path.WAYS, WEBHOOK, stumble)  # type: ignore[arg-type]
    headers = await sync_to_async(bearer)(company)
    stumbling, good = await asyncio.gather(
        gate.post(WEBHOOK, encoded(HOOK), headers), gate.post(EVENTS, encoded(CALL), headers)
    )
    assert (stumbling.status, good.status, gate.usual) == (201, 201, 1), "the usual way knows no stumbling"


async def test_a_defect_before_the_commit_is_the_usual_ways_to_show(
    gate: Gate, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "publish_each", broken)
    answer = await gate.post(EVENTS, encoded(CALL), await sync_to_async(bearer)(company))
    assert (answer.status, gate.usual) == (201, 1)


async def test_a_defect_at_the_commit_is_told_and_the_event_is_not_tried_again(
    gate: Gate, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "_store", broken)
    headers = {**await sync_to_async(bearer)(company), "x-request-id": "named"}
    answer = await gate.post(EVENTS, encoded(CALL), headers)
    assert (answer.status, answer.content["code"], gate.usual) == (500, "INTERNAL_ERROR", 0)
    assert answer.content["message"].endswith("named")


async def test_a_client_that_leaves_before_its_body_was_sent_stores_nothing(
    gate: Gate, company: Company
) -> None:
    incoming = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> dict[str, Any]:
        return incoming.pop()

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError(message)

    headers = await sync_to_async(bearer)(company)
    await gate.fast(_scope(EVENTS, encoded(CALL), headers), receive, send)
    assert not await Event.objects.aexists()


async def test_one_that_is_cancelled_holds_up_nobody(gate: Gate, company: Company) -> None:
    headers = await sync_to_async(bearer)(company)
    left = asyncio.create_task(gate.post(EVENTS, encoded(CALL), headers))
    await asyncio.sleep(0)
    left.cancel()
    assert (await gate.post(EVENTS, encoded(CALL), headers)).status == 201


async def test_a_request_is_counted_and_keeps_its_id(gate: Gate, company: Company) -> None:
    counter = access_log.requests.labels(EVENTS, "POST", 201)
    before = counter._value.get()
    headers = {**await sync_to_async(bearer)(company), "x-request-id": "named"}
    assert (await gate.post(EVENTS, encoded(CALL), headers)).headers["x-request-id"] == "named"
    assert counter._value.get() == before + 1
