"""The endpoint of publishing: what it answers, with every response's headers, and what it leaves to Django."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from django.test import override_settings

from events.models import Event
from tests.events.support.people import Company
from tests.events.support.publish_cases import CASES, EVENTS, KEY, Case, masked, without_rates
from voipbin_ws.http import publish_endpoint, request_log
from voipbin_ws.http.publish_endpoint import PublishEndpoint
from voipbin_ws.http.security_headers import json_headers

GOOD = CASES[0]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


class Gate:
    """The endpoint before a Django that answers 299; `to_django` counts what it was given."""

    def __init__(self) -> None:
        self.to_django = 0
        self.endpoint = PublishEndpoint(self._django)

    async def _django(self, scope: Any, receive: Any, send: Any) -> None:
        self.to_django += 1
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(
        self, case: Case, company: Company, *, headers: dict[str, str | None] | None = None, **scope: Any
    ) -> Answer:
        key = (await sync_to_async(company.key)(may_publish=case.may_publish)).credential
        given = [
            *case.sent_headers(key),
            *((name, value) for name, value in {"host": "localhost", **(headers or {})}.items() if value),
        ]
        parts = [case.body[:10], case.body[10:]]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def keep(message: dict[str, Any]) -> None:
            sent.append(message)

        whole = {
            "type": "http",
            "method": "POST",
            "path": case.path,
            "query_string": case.query.replace(KEY, key).encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in given],
            "client": ("192.0.2.7", 5000),
            **scope,
        }
        await self.endpoint(whole, receive, keep)
        names = [name for name, _ in sent[0]["headers"]]
        assert len(names) == len(set(names)), "a header is sent twice"
        return Answer(
            sent[0]["status"],
            {name.decode(): value.decode() for name, value in sent[0]["headers"]},
            b"".join(each["body"] for each in sent[1:]).decode(),
        )

    def close(self) -> None:
        for threads in self.endpoint._queue.executors:
            threads.submit(connections.close_all).result()
            threads.shutdown()


@pytest.fixture
def gate(transactional_db: None) -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.close()


@pytest.fixture
def company(transactional_db: None) -> Company:
    return Company()


# --- What it answers ---


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_request_is_answered_as_the_table_has_it(gate: Gate, company: Company, case: Case) -> None:
    if case.before is not None:
        await gate.send(case.before, company)
    answer = await gate.send(case, company)
    assert (answer.status, masked(answer.text), gate.to_django) == (case.status, case.text, 0)
    expected = {
        **{name.decode(): value.decode() for name, value in json_headers("http")},
        **case.own_headers,
        "content-length": str(len(answer.text.encode())),
        "x-request-id": answer.headers["x-request-id"],
    }
    assert without_rates(answer.headers) == expected
    assert expected["content-type"] == "application/json"


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_https_stays_https(gate: Gate, company: Company, scheme: str) -> None:
    json_headers.cache_clear()
    with override_settings(SECURE_HSTS_SECONDS=60):
        answer = await gate.send(GOOD, company, scheme=scheme)
    json_headers.cache_clear()
    assert ("strict-transport-security" in answer.headers) == (scheme == "https")


async def test_without_a_database_the_response_has_retry_after(
    gate: Gate, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(gate.endpoint._queue._identity_cache, "refresh", away)
    answer = await gate.send(GOOD, company)
    assert (answer.status, json.loads(answer.text)["code"]) == (503, "UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"


async def test_a_request_is_counted_and_keeps_its_id(gate: Gate, company: Company) -> None:
    counter = request_log.requests.labels(EVENTS, "POST", 201)
    before = counter._value.get()
    answer = await gate.send(GOOD, company, headers={"x-request-id": "named"})
    assert answer.headers["x-request-id"] == "named"
    assert counter._value.get() == before + 1


async def test_an_id_that_is_like_a_credential_is_not_taken(gate: Gate, company: Company) -> None:
    answer = await gate.send(GOOD, company, headers={"x-request-id": "vb_named"})
    assert (len(answer.headers["x-request-id"]), "vb_" in answer.headers["x-request-id"]) == (32, False)


async def test_a_client_that_leaves_before_its_body_was_sent_stores_nothing(
    gate: Gate, company: Company
) -> None:
    incoming = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> dict[str, Any]:
        return incoming.pop()

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": EVENTS, "headers": [(b"host", b"localhost")]}
    await gate.endpoint(scope, receive, send)
    assert not await Event.objects.aexists()


async def test_nothing_is_kept_of_a_body_that_is_larger_than_allowed(
    gate: Gate, company: Company, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.EVENTS_MAX_REQUEST_BYTES = 100
    kept: list[bytes] = []

    async def publish(request: Any) -> Any:
        kept.append(request.body)
        return await PublishEndpoint(gate._django)._queue.publish(request)

    monkeypatch.setattr(gate.endpoint._queue, "publish", publish)
    answer = await gate.send(Case("", 413, {}, body=b"x" * 1000), company)
    assert (answer.status, kept) == (413, [b""])


# --- What is Django's ---


@pytest.mark.parametrize(
    "scope",
    [
        *({"method": method} for method in ("GET", "HEAD", "PUT", "OPTIONS")),
        {"path": "/v1.0/calls"},
        {"path": f"{EVENTS}/"},
        {"root_path": "/gateway"},
    ],
)
async def test_other_requests_are_djangos(gate: Gate, company: Company, scope: dict[str, Any]) -> None:
    assert (await gate.send(GOOD, company, **scope)).status == 299
    assert not await Event.objects.aexists()


@pytest.mark.parametrize("host", [None, "", "elsewhere.example.com", "a b", "localhost,localhost"])
async def test_a_host_that_is_not_allowed_is_djangos_to_refuse(
    gate: Gate, company: Company, host: str | None
) -> None:
    assert (await gate.send(GOOD, company, headers={"host": host})).status == 299
    assert not await Event.objects.aexists()


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "LOCALHOST.", "[::1]:80"])
async def test_a_host_that_is_allowed_is_not(gate: Gate, company: Company, host: str) -> None:
    assert (await gate.send(GOOD, company, headers={"host": host})).status == 201


def test_each_address_is_one_that_django_has() -> None:
    from django.urls import resolve

    for path in publish_endpoint.PARSERS:
        assert resolve(path).url_name in ("events", "voipbin-webhook")
