"""publish_all: the response to every kind of request, alone and in a batch, and what happens if the database fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, InterfaceError, OperationalError, ProgrammingError
from rest_framework.exceptions import AuthenticationFailed

from events.api import publish_request as module
from events.api.publish_parser import parse_events, parse_webhook
from events.api.publish_request import PublishRequest, publish_all
from events.log import publish as log_publish
from events.log.publish_rates import publish_rates
from events.models import Event
from subscriptions.auth.authentication import identify_request
from subscriptions.auth.credentials import BadCredential
from subscriptions.models import Customer
from subscriptions.protocol.permissions import Identity
from tests.events.support.people import Company
from tests.events.support.publish_cases import (
    CALL,
    CASES,
    HOOK,
    KEY,
    WEBHOOK,
    Case,
    encoded,
    masked,
    without_rates,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def company() -> Company:
    return Company()


def authenticate(request: PublishRequest) -> Identity:
    try:
        return identify_request(request.query, request.headers)
    except BadCredential as error:
        raise AuthenticationFailed(str(error)) from None


def request_of(case: Case, company: Company, name: str = "named") -> PublishRequest:
    key = company.key(may_publish=case.may_publish).credential
    headers: dict[str, str] = {}
    for header, value in case.sent_headers(key):
        headers[header] = f"{headers[header]},{value}" if header in headers else value
    parse = parse_webhook if case.path == WEBHOOK else parse_events
    return PublishRequest(parse, headers, case.body, case.query.replace(KEY, key), "192.0.2.7", name)


def good(company: Company, name: str = "named") -> PublishRequest:
    return request_of(CASES[0], company, name)


def check(case: Case, response: Any) -> None:
    assert (response.status, masked(response.body.decode())) == (case.status, case.text)
    assert without_rates(response.headers) == case.own_headers


def publish_earlier(case: Case, company: Company) -> None:
    if case.before is not None:
        (response,) = publish_all([request_of(case.before, company)], authenticate)
        assert response.status == 201


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_request_is_answered_as_the_table_has_it(case: Case, company: Company) -> None:
    publish_earlier(case, company)
    before = Event.objects.count()
    (response,) = publish_all([request_of(case, company)], authenticate)
    check(case, response)
    assert Event.objects.count() == before + case.events


def test_requests_of_a_batch_are_answered_as_they_are_alone(company: Company) -> None:
    companies = [Company(case.name) for case in CASES]
    for case, each in zip(CASES, companies, strict=True):
        publish_earlier(case, each)
    requests = [request_of(case, each) for case, each in zip(CASES, companies, strict=True)]
    for case, response in zip(CASES, publish_all(requests, authenticate), strict=True):
        check(case, response)


def test_a_response_has_the_identity_of_whose_credential_was_accepted(company: Company) -> None:
    cases = [Case("", 0, {}), Case("", 0, {}, may_publish=False), Case("", 0, {}, authorization=None)]
    accepted, forbidden, unknown = publish_all([request_of(case, company) for case in cases], authenticate)
    assert accepted.identity is not None
    assert forbidden.identity is not None
    assert accepted.identity.customer_id == forbidden.identity.customer_id == company.id
    assert unknown.identity is None


def test_a_batch_is_one_commit(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[int] = []
    store = log_publish._store

    def counted(requests: Any, *rest: Any) -> Any:
        commits.append(len(requests))
        return store(requests, *rest)

    monkeypatch.setattr(log_publish, "_store", counted)
    bad = request_of(Case("", 400, {}, body=b"{"), company)
    responses = publish_all([good(company), bad, good(company)], authenticate)
    assert [response.status for response in responses] == [201, 400, 201]
    assert commits == [2]


def test_an_unsigned_webhook_is_refused(company: Company, settings: Any) -> None:
    settings.EVENTS_VOIPBIN_WEBHOOK_SECRET = "shared"
    (response,) = publish_all(
        [request_of(Case("", 401, {}, path=WEBHOOK, body=encoded(HOOK)), company)], authenticate
    )
    assert (response.status, b"X-VoIPBIN-Signature" in response.body) == (401, True)
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="voipbin"'
    assert not Event.objects.exists()


# --- Failures ---


def failing(error: Exception, calls: list[int]) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        calls.append(1)
        raise error

    return fail


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("fails", ["authenticate", "_agents_of_queues", "_store"])
def test_without_a_database_all_are_answered_503_and_nothing_is_tried_twice(
    company: Company, monkeypatch: pytest.MonkeyPatch, fails: str, error: type[Exception]
) -> None:
    calls: list[int] = []
    fail = failing(error("connection to secret-host failed"), calls)
    if fails != "authenticate":
        monkeypatch.setattr(log_publish, fails, fail)
    requests = [good(company), good(company)]
    responses = publish_all(requests, fail if fails == "authenticate" else authenticate)
    for response in responses:
        assert (response.status, b"UNAVAILABLE" in response.body) == (503, True)
        assert response.headers["Retry-After"] == "1"
        assert b"secret-host" not in response.body
    assert len(calls) == 1
    assert not Event.objects.exists()


def test_what_an_outage_prevented_does_not_count_for_the_rates(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left() -> tuple[str, str]:
        (response,) = publish_all([good(company)], authenticate)
        events, size = response.headers["RateLimit"].split(", ")
        return events.split(";")[1], size.split(";")[1]

    monkeypatch.setattr(publish_rates, "_clock", lambda: 1000.0)
    Customer.objects.update(events_per_second=1, kilobytes_per_second=1)
    length = len(good(company).body)
    assert left() == ("r=9", f"r={10_000 - length}")
    with monkeypatch.context() as patch:
        patch.setattr(log_publish, "_store", failing(OperationalError("away"), []))
        assert [each.status for each in publish_all([good(company)] * 5, authenticate)] == [503] * 5
    events, size = left()
    assert events == "r=8"
    assert size == f"r={10_000 - 2 * length}"


@pytest.mark.parametrize("error", [DataError, ProgrammingError])
def test_what_the_database_does_not_take_of_one_request_is_503_for_it_alone(
    company: Company, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    insert_rows = log_publish.insert_rows

    def refuse(rows: Any) -> None:
        if any(row.resource_id == "poison" for row in rows):
            raise error("value out of range")
        insert_rows(rows)

    monkeypatch.setattr(log_publish, "insert_rows", refuse)
    poison = request_of(Case("", 503, {}, body=encoded(CALL | {"data": {"id": "poison"}})), company)
    responses = publish_all([good(company), poison, good(company)], authenticate)
    assert [response.status for response in responses] == [201, 503, 201]
    assert Event.objects.count() == 2


@pytest.mark.parametrize("fails", ["parse", "publish"])
def test_a_defect_that_one_request_meets_is_500_for_it_alone_and_logged_with_its_id(
    company: Company, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fails: str
) -> None:
    concerned = log_publish.concerned_agents

    def stumble(draft: Any, *rest: Any) -> Any:
        if draft.resource_id == "poison":
            raise KeyError("a bug")
        return concerned(draft, *rest)

    monkeypatch.setattr(log_publish, "concerned_agents", stumble)
    poison = request_of(Case("", 500, {}, body=encoded(CALL | {"data": {"id": "poison"}})), company, "p")
    if fails == "parse":
        poison = PublishRequest(failing(KeyError(), []), poison.headers, b"{}", "", "", "p")
    with caplog.at_level(logging.ERROR, module.__name__):
        responses = publish_all([good(company), poison, good(company)], authenticate)
    assert [response.status for response in responses] == [201, 500, 201]
    assert responses[1].body == (
        b'{"code":"INTERNAL_ERROR","message":"Something went wrong here, and was logged as p"}'
    )
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert Event.objects.count() == 2
