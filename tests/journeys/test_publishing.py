"""Publishing over HTTP, from the request to the socket: whole or not at all, in order, once."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import Conversation, cursors, post, publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.stacks import Stack

MANY = 500


def call(number: int = 0, **fields: Any) -> dict[str, Any]:
    """An event of a call of its own."""
    return {"event_type": "call.status", "data": {"id": new_id(), "number": number}, **fields}


def test_many_events_of_one_request_arrive_in_order_and_once(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    with Conversation(gateway_on_each_stack, acme.token("manager")) as manager:
        manager.subscribe(f"customer_id:{acme.id}:call:*")
        receipts = publish(
            gateway_on_each_stack, acme.key("that publishes"), *(call(number) for number in range(MANY))
        )
        received = manager.until(receipts[-1]["cursor"])
        assert manager.before_pong() == []
    assert [frame["data"]["number"] for frame in received] == list(range(MANY))
    assert [(frame["id"], frame["cursor"], [frame["topic"]]) for frame in received] == [
        (receipt["id"], receipt["cursor"], receipt["topics"]) for receipt in receipts
    ]


def test_one_bad_event_of_many_and_nothing_is_stored(gateway_on_each_stack: Gateway, acme: Company) -> None:
    events = [call(number) for number in range(MANY)]
    events[MANY - 1] = {"event_type": "call.status", "data": {"status": "answered"}}
    with Conversation(gateway_on_each_stack, acme.token("manager")) as manager:
        before = manager.subscribe(f"customer_id:{acme.id}")["cursor"]
        answer = post(gateway_on_each_stack, acme.key("that publishes"), events)
        assert answer.status_code == 400
        assert answer.json()["code"] == "INVALID_EVENT"
        assert [(each["index"], each["field"]) for each in answer.json()["errors"]] == [
            (MANY - 1, "data.call_id")
        ]
        [after] = publish(gateway_on_each_stack, acme.key("that publishes"), call())
        assert cursors(manager.until(after["cursor"])) == [after["cursor"]]
    assert _number(after["cursor"]) == _number(before) + 1


def test_more_events_than_a_request_may_hold_are_refused(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    answer = post(gateway_on_each_stack, acme.key("that publishes"), [call()] * 1001)
    assert answer.status_code == 413
    assert answer.json() == {
        "code": "TOO_LARGE",
        "message": "1001 events in one request, 1000 are the most",
    }


def test_the_same_key_publishes_once_and_another_event_under_it_not_at_all(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    key = acme.key("that publishes")
    event = call(idempotency_key=new_id())
    with Conversation(gateway_on_each_stack, acme.token("manager")) as manager:
        manager.subscribe(f"customer_id:{acme.id}:call")
        first = post(gateway_on_each_stack, key, event)
        again = post(gateway_on_each_stack, key, event)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.json() == first.json() | {"replayed": True}

        other = post(gateway_on_each_stack, key, [call(), event | {"event_type": "call.ended"}])
        assert other.status_code == 409
        assert other.json()["code"] == "IDEMPOTENCY_CONFLICT"
        assert [each["index"] for each in other.json()["errors"]] == [1]

        [last] = publish(gateway_on_each_stack, key, call())
        assert cursors(manager.until(last["cursor"])) == [first.json()["cursor"], last["cursor"]]


def test_two_customers_may_use_the_same_key(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    event = call(idempotency_key=new_id())
    for publisher in (acme, globex):
        [receipt] = publish(gateway_on_each_stack, publisher.key("that publishes"), event)
        assert receipt["replayed"] is False
        assert receipt["topics"] == [f"customer_id:{publisher.id}:call:{event['data']['id']}"]


def test_a_customer_publishes_for_itself_alone_and_staff_for_everybody(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company, platform: Company
) -> None:
    foreign, own = call(customer_id=globex.id), call(customer_id=acme.id)
    refused = post(gateway_on_each_stack, acme.key("that publishes"), [own, foreign])
    assert refused.status_code == 403
    assert refused.json()["code"] == "PERMISSION_DENIED"
    assert [(each["index"], each["field"]) for each in refused.json()["errors"]] == [(1, "customer_id")]

    with (
        Conversation(gateway_on_each_stack, acme.token("admin")) as of_acme,
        Conversation(gateway_on_each_stack, globex.token("admin")) as of_globex,
    ):
        of_acme.subscribe(f"customer_id:{acme.id}")
        of_globex.subscribe(f"customer_id:{globex.id}")
        for_acme, for_globex = publish(gateway_on_each_stack, platform.token("staff"), own, foreign)
        assert [frame["data"] for frame in of_acme.until(for_acme["cursor"])] == [own["data"]]
        assert [frame["data"] for frame in of_globex.until(for_globex["cursor"])] == [foreign["data"]]


@pytest.mark.parametrize("name", ["agent", "granted agent", "manager"])
def test_who_is_not_authorised_to_publish_is_refused(
    gateway_on_each_stack: Gateway, acme: Company, name: str
) -> None:
    answer = post(gateway_on_each_stack, acme.token(name), call())
    assert answer.status_code == 403
    assert answer.json()["code"] == "PERMISSION_DENIED"


def test_an_admin_publishes_with_its_token(gateway_on_each_stack: Gateway, acme: Company) -> None:
    assert post(gateway_on_each_stack, acme.token("admin"), call()).status_code == 201


@pytest.mark.parametrize(
    ("credential", "said"),
    [("", "Send a credential"), ("vb_unknown", "not known"), ("a.b.c", "not a JWT"), ("x", "neither")],
)
def test_nothing_is_published_without_a_credential_that_is_accepted(
    gateway_on_each_stack: Gateway, credential: str, said: str
) -> None:
    answer = post(gateway_on_each_stack, credential, call())
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "UNAUTHORIZED"
    assert said in answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'"text"',
        b"[]",
        b"null",
        b'{"event_type": "call.status", "data": {"id": "x", "n": NaN}}',
        b'{"event_type": "call.status", "data": {"id": "x", "n": 1e400}}',
        b'{"event_type": "call.status", "data": {"id": "x", "n": 18446744073709551616}}',
        b'{"event_type": "call.status", "data": {"id": "x", "id": "y"}}',
        b'{"event_type": "call.status", "data": {"id": "x", "n": "\\ud800"}}',
        b'{"event_type": "call.status", "data": {"id": "x", "n": "\\u0000"}}',
        b'{"event_type": "call.status", "data": {"id": "x", "n": "\xff"}}',
        b'{"event_type": "call.status", "data": {"id": "x", "n": ' + b"[" * 32 + b"]" * 32 + b"}}",
        b"[" * 100_000,
        b'{"event_type": "cal.status", "data": {"id": "x"}}',
        b'{"event_type": "call.status", "data": {"id": "x"}, "unknown": 1}',
        b'{"event_type": "call.status", "data": {"id": "x"}, "timestamp": "yesterday"}',
        b'{"event_type": "call.status", "data": {"id": "x"}, "agent_ids": ["somebody"]}',
        b'{"event_type": "call.status", "data": {"id": "x"}, "customer_id": "acme"}',
    ],
    ids=lambda body: repr(body[:70]),
)
def test_bad_input_is_refused_with_a_reason_and_stores_nothing(
    gateway_on_each_stack: Gateway, acme: Company, body: bytes
) -> None:
    key = acme.key("that publishes")
    [before] = publish(gateway_on_each_stack, key, call())
    answer = post(gateway_on_each_stack, key, body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "INVALID_EVENT"
    assert answer.json()["message"]
    [after] = publish(gateway_on_each_stack, key, call())
    assert _number(after["cursor"]) == _number(before["cursor"]) + 1


def test_a_compressed_body_is_refused_and_the_content_type_is_nobodys_business(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    body = json.dumps(call()).encode()
    key = acme.key("that publishes")
    compressed = post(gateway_on_each_stack, key, gzip.compress(body), **{"Content-Encoding": "gzip"})
    assert (compressed.status_code, compressed.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # As curl sends it, by default.
    assert post(gateway_on_each_stack, key, body, **form).status_code == 201


def test_another_process_publishes_and_subscribers_receive_it(
    gateway_on_each_stack: Gateway, acme: Company, stack: Stack
) -> None:
    """With Redis at once; without, the gateway finds it when it next compares its numbers with the log's."""
    event = call()
    with Conversation(gateway_on_each_stack, acme.token("manager")) as manager:
        manager.subscribe(f"customer_id:{acme.id}")
        cursor = _publish_from_another_process(gateway_on_each_stack, acme, event)
        [received] = manager.until(cursor)
    assert received["data"] == event["data"]


def test_with_redis_no_subscriber_waits_for_the_position_check(gateway: Gateways) -> None:
    # A ping would renew the patience.
    patient = gateway(redis=True, CHECK_INTERVAL_SECONDS="60", PING_SECONDS="60")
    acme = company("Acme")
    settle(patient, acme)
    with Conversation(patient, acme.token("manager")) as manager:
        manager.subscribe(f"customer_id:{acme.id}")
        cursor = _publish_from_another_process(patient, acme, call())
        # Half of the patience that the comparison alone would ask for.
        assert len(manager.until(cursor)) == 1


def _publish_from_another_process(gateway: Gateway, publisher: Company, event: dict[str, Any]) -> str:
    code = f"""
import json
from events.domain.event_parser import read_event
from events.log.publish import publish
from events.domain.topics import known_resources
item = json.loads({json.dumps(event)!r})
draft = read_event(item, customer_id={publisher.id!r}, resources=known_resources(), max_bytes=10_000)
print(publish([draft])[0].cursor)
"""
    return gateway.manage("shell", "--verbosity", "0", "--command", code).strip()


def _number(cursor: str) -> int:
    return int(cursor.rpartition(".")[2])
