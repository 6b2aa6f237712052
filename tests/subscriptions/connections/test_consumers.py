"""Connections on the whole application: handshake, answers, audit records, ends."""

# Long because a connection can end in many ways, each of which is tested on the whole application.
from __future__ import annotations

import asyncio
import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from events.database.threads import in_database_thread
from events.log.publish import publish
from subscriptions.audit import writer as audit_module
from subscriptions.auth.tokens import issue_token
from subscriptions.connections import connection
from subscriptions.connections.runtime import Runtime
from subscriptions.models import AccessKey, Agent, AuditRecord, Customer
from tests.subscriptions.support.app_socket import Socket
from tests.subscriptions.support.hub_harness import draft, until
from tests.subscriptions.support.people import access_key, agent, customer

WITH_BODY = {"websocket.http.response": {}}


@pytest.fixture
def acme(transactional_db: None) -> Customer:
    return customer()


@pytest.fixture
def key(acme: Customer) -> str:
    return access_key(acme)[1]


@pytest.fixture
def ann(acme: Customer) -> Agent:
    return agent(acme, "manager")


async def audit_entries(process: Runtime) -> list[tuple[str, str, str, str]]:
    """The stored audit records."""
    await process.audit.flush()
    rows = AuditRecord.objects.order_by("id").values_list("action", "verdict", "topic", "rule")
    return [tuple(row) async for row in rows]


def calls(of: Customer) -> str:
    return f"customer_id:{of.pk}:call:*"


# --- The handshake ---


@pytest.mark.parametrize("query", ["", "token=nonsense", "token=vb_unknown", "token=a&accesskey=b"])
async def test_a_client_without_a_valid_credential_is_refused(process: Runtime, query: str) -> None:
    start, body = await Socket(query).connect(WITH_BODY)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert json.loads(body["body"])["code"] == "UNAUTHORIZED"
    (close,) = await Socket(query).connect()
    assert close["type"] == "websocket.close"
    assert {verdict for _, verdict, *_ in await audit_entries(process)} == {"refused"}


async def test_a_foreign_page_is_refused_whatever_its_credential(process: Runtime, key: str) -> None:
    socket = Socket(f"token={key}", host="localhost", origin="https://evil.example.com")
    start, body = await socket.connect(WITH_BODY)
    assert (start["status"], json.loads(body["body"])["code"]) == (403, "FORBIDDEN_ORIGIN")
    assert await audit_entries(process) == [("refuse", "refused", "", "foreign-origin")]
    await Socket(f"token={key}", host="localhost", origin="https://localhost").open()
    await Socket(f"token={key}", host="localhost").open()


async def test_another_path_is_refused_with_the_right_one(process: Runtime, key: str) -> None:
    start, body = await Socket(f"token={key}", path="/v1.0/other").connect(WITH_BODY)
    assert (start["status"], "/v1.0/ws" in json.loads(body["body"])["message"]) == (404, True)
    (close,) = await Socket(f"token={key}", path="/").connect()
    assert close["type"] == "websocket.close"


async def test_each_kind_of_credential_opens_a_socket(process: Runtime, key: str, ann: Agent) -> None:
    for socket in (
        Socket(f"accesskey={key}"),
        Socket(f"token={await sync_to_async(issue_token)(ann)}"),
        Socket(authorization=f"Bearer {key}"),
    ):
        await socket.open()
        assert (await socket.ask({"type": "ping"}))["type"] == "pong"


# --- What is recorded ---


async def test_a_connection_is_recorded_from_its_begin_to_its_end(
    process: Runtime, acme: Customer, key: str
) -> None:
    socket = await Socket(f"token={key}", user_agent="a test").open()
    foreign = "customer_id:bbbbbbbb-0000-4000-8000-000000000002:call:*"
    await socket.send({"type": "subscribe", "topics": [calls(acme), foreign, "nonsense"]})
    assert {(await socket.frame())["type"] for _ in range(3)} == {"ack", "error"}
    await socket.ask({"type": "unsubscribe", "topics": [calls(acme)]})
    await socket.leave(1001)
    assert await audit_entries(process) == [
        ("connect", "granted", "", ""),
        ("subscribe", "granted", calls(acme), "customer-key"),
        ("subscribe", "refused", foreign, "foreign-customer"),
        ("subscribe", "refused", "nonsense", "invalid-topic"),
        ("live", "granted", "", "from-now"),
        ("unsubscribe", "ended", calls(acme), "asked"),
        ("disconnect", "ended", "", "client-left"),
    ]
    records = [record async for record in AuditRecord.objects.all()]
    assert {(record.address, record.client, record.credential) for record in records} == {
        ("192.0.2.7", "a test", f"key {key[:11]}")
    }
    assert len({record.connection_id for record in records}) == 1
    assert {record.customer_id for record in records} == {acme.pk}
    assert not [record for record in records if key in f"{record.detail}{record.rule}{record.topic}"]


async def test_records_say_where_in_the_events_they_hold(process: Runtime, acme: Customer, key: str) -> None:
    mine, messages = calls(acme), f"customer_id:{acme.pk}:message:*"

    async def happens() -> str:
        (receipt,) = await in_database_thread(publish, [draft(str(acme.pk))])
        return receipt.cursor

    socket = await Socket(f"token={key}").open()
    begin = (await socket.subscribe(mine))["cursor"]
    first = await happens()
    await socket.frame()
    await socket.subscribe(messages)
    await socket.ask({"type": "unsubscribe", "topics": [mine]})
    unheard = await happens()
    await socket.ask({"type": "ping"})
    await socket.leave()
    again = await Socket(f"token={key}").open()
    await again.subscribe(mine, since=begin)
    assert [(await again.frame())["cursor"] for _ in range(2)] == [first, unheard]
    await again.leave()
    lost = await Socket(f"token={key}").open()
    await lost.subscribe(mine, since="f" * 12 + ".1")
    await lost.leave()
    await process.audit.flush()
    kept = AuditRecord.objects.exclude(cursor="").order_by("id")
    assert [tuple(row) async for row in kept.values_list("action", "rule", "cursor")] == [
        ("live", "from-now", begin),
        ("live", "from-now", first),
        ("unsubscribe", "asked", first),
        ("disconnect", "client-left", unheard),
        ("live", "recovered", begin),
        ("disconnect", "client-left", unheard),
        ("live", "not-recovered", unheard),
        ("disconnect", "client-left", unheard),
    ]


async def test_a_subscribe_is_answered_after_its_record_is_stored_and_not_before(
    process: Runtime, acme: Customer, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await Socket(f"token={key}").open()
    await process.audit.flush()
    reached, go_on, store = threading.Event(), threading.Event(), audit_module.append

    def slowly(records: list[AuditRecord]) -> None:
        reached.set()
        assert go_on.wait(30)
        store(records)

    monkeypatch.setattr(audit_module, "append", slowly)
    try:
        await socket.send({"type": "subscribe", "topics": [calls(acme), "nonsense"]})
        await until(reached.is_set, "the record to be stored")
        assert await socket._communicator.receive_nothing(0.05, 0.01), "it was answered unrecorded"
    finally:
        go_on.set()
    ack = await socket.frame()
    assert (ack["type"], ack["topics"]) == ("ack", [calls(acme)])
    assert (await socket.frame())["code"] == "INVALID_TOPIC"


# --- Events ---


async def test_an_event_arrives_with_all_that_the_contract_says(
    process: Runtime, acme: Customer, key: str
) -> None:
    socket = await Socket(f"token={key}").open()
    ack = await socket.subscribe(calls(acme), request_id=7)
    assert ack == {
        "type": "ack",
        "action": "subscribe",
        "topics": [calls(acme)],
        "status": "success",
        "cursor": ack["cursor"],
        "request_id": 7,
    }
    (receipt,) = await in_database_thread(publish, [draft(str(acme.pk), text="é", extra={"a": [1]})])
    event = await socket.frame()
    assert list(event) == ["event_type", "timestamp", "topic", "data", "id", "cursor"]
    assert (event["id"], event["cursor"], event["topic"]) == (receipt.id, receipt.cursor, receipt.topics[0])
    assert event["data"] == {"id": "c1", "text": "é", "extra": {"a": [1]}}
    assert (await socket.ask({"type": "ping"}))["cursor"] == receipt.cursor


async def test_who_comes_back_gets_what_it_missed(process: Runtime, acme: Customer, key: str) -> None:
    socket = await Socket(f"token={key}").open()
    cursor = (await socket.subscribe(calls(acme)))["cursor"]
    await socket.leave()
    receipts = await in_database_thread(publish, [draft(str(acme.pk)) for _ in range(5)])
    again = await Socket(f"token={key}").open()
    ack = await again.subscribe(calls(acme), since=cursor)
    assert (ack["recovered"], ack["cursor"]) == (True, cursor)
    assert [(await again.frame())["cursor"] for _ in range(5)] == [receipt.cursor for receipt in receipts]
    other = await Socket(f"token={key}").open()
    lost = await other.subscribe(calls(acme), since="f" * 12 + ".1")
    assert (lost["recovered"], "another log" in lost["reason"]) == (False, True)
    assert lost["cursor"] == receipts[-1].cursor


async def test_batches_are_sent_to_clients_that_request_them(
    process: Runtime, acme: Customer, key: str
) -> None:
    plain, batched = await Socket(f"token={key}").open(), await Socket(f"token={key}&batch=true").open()
    for socket in (plain, batched):
        await socket.subscribe(calls(acme))
    receipts = await in_database_thread(publish, [draft(str(acme.pk)) for _ in range(20)])
    expected = [receipt.cursor for receipt in receipts]
    assert [(await plain.frame())["cursor"] for _ in expected] == expected
    messages = [await batched.frame()]
    events: list[Any] = []
    while True:
        events += messages[-1] if isinstance(messages[-1], list) else messages[-1:]
        if len(events) == len(expected):
            break
        messages.append(await batched.frame())
    assert [event["cursor"] for event in events] == expected
    assert len(messages) < len(expected)
    assert isinstance(await batched.ask({"type": "ping"}), dict), "an answer was put into an array"


# --- Authenticate ---


async def test_a_token_is_renewed_in_flight(process: Runtime, ann: Agent) -> None:
    token = await sync_to_async(issue_token)(ann)
    socket = await Socket(f"token={token}").open()
    renewed = await sync_to_async(issue_token)(ann)
    ack = await socket.ask({"type": "authenticate", "token": renewed, "request_id": "r"})
    assert (ack["type"], ack["action"], ack["request_id"]) == ("ack", "authenticate", "r")
    assert ("authenticate", "granted", "", "") in await audit_entries(process)


async def test_a_strangers_credential_does_not_take_over(
    process: Runtime, acme: Customer, ann: Agent
) -> None:
    socket = await Socket(f"token={await sync_to_async(issue_token)(ann)}").open()
    await socket.subscribe(calls(acme))
    _, of_customer = await sync_to_async(access_key)(acme)
    _, of_globex = await sync_to_async(access_key)(await sync_to_async(customer)("Globex"))
    for credential in (of_customer, of_globex, "nonsense", "vb_unknown"):
        error = await socket.ask({"type": "authenticate", "token": credential})
        assert (error["action"], error["code"]) == ("authenticate", "PERMISSION_DENIED")
        assert credential not in error["message"]
    rules = [
        rule
        for action, verdict, _, rule in await audit_entries(process)
        if (action, verdict) == ("authenticate", "refused")
    ]
    # A repeat is only counted for now.
    assert rules == ["foreign-credential", "malformed-credential", "unknown-key"]
    await in_database_thread(publish, [draft(str(acme.pk))])
    assert (await socket.frame())["event_type"] == "call.status"


async def test_a_lesser_credential_ends_topics_each_with_an_error(
    process: Runtime, acme: Customer, ann: Agent
) -> None:
    token = await sync_to_async(issue_token)(ann)
    socket = await Socket(f"token={token}").open()
    own = f"agent_id:{ann.pk}:call:*"
    await socket.subscribe(calls(acme), own)
    await Agent.objects.filter(pk=ann.pk).aupdate(role="agent")
    await socket.send({"type": "authenticate", "token": token})
    error, ack = await socket.frame(), await socket.frame()
    assert (error["code"], error["topics"], ack["type"]) == ("PERMISSION_DENIED", [calls(acme)], "ack")
    await in_database_thread(publish, [draft(str(acme.pk)), draft(str(acme.pk), agent_id=str(ann.pk))])
    assert (await socket.frame())["topic"] == f"agent_id:{ann.pk}:call:c1"


# --- The end ---


@pytest.fixture
def moved_clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The clock of connections, `by` seconds ahead and read often."""
    clock = {"by": 0.0}
    real = time.time
    monkeypatch.setattr(connection.time, "time", lambda: real() + clock["by"])
    monkeypatch.setattr(connection, "LONGEST_TIMER_SECONDS", 0.01)
    return clock


async def test_a_credential_that_expires_in_flight_closes_the_socket(
    process: Runtime, acme: Customer, moved_clock: dict[str, float]
) -> None:
    _, secret = await sync_to_async(access_key)(acme, expires_at=timezone.now() + timedelta(hours=1))
    socket = await Socket(f"token={secret}").open()
    await socket.subscribe(calls(acme))
    moved_clock["by"] = 3601.0
    frame, code = await socket.closed()
    assert (frame["type"], frame["code"], frame["retry"], code) == ("error", "TOKEN_EXPIRED", True, 4401)
    assert (await audit_entries(process))[-1] == ("disconnect", "ended", "", "TOKEN_EXPIRED")


async def test_a_renewed_credential_outlives_the_old_one(
    process: Runtime, acme: Customer, moved_clock: dict[str, float]
) -> None:
    _, short = await sync_to_async(access_key)(acme, expires_at=timezone.now() + timedelta(hours=1))
    _, lasting = await sync_to_async(access_key)(acme, expires_at=timezone.now() + timedelta(hours=3))
    socket = await Socket(f"token={short}").open()
    assert (await socket.ask({"type": "authenticate", "token": lasting}))["type"] == "ack"
    moved_clock["by"] = 3601.0
    assert await socket._communicator.receive_nothing(0.1, 0.01)
    moved_clock["by"] = 3 * 3600 + 1.0
    assert (await socket.closed())[1] == 4401


async def test_a_credential_that_replaces_a_lasting_one_ends_when_it_says(
    process: Runtime, acme: Customer, key: str, moved_clock: dict[str, float]
) -> None:
    _, short = await sync_to_async(access_key)(acme, expires_at=timezone.now() + timedelta(hours=1))
    socket = await Socket(f"token={key}").open()
    assert (await socket.ask({"type": "authenticate", "token": short}))["type"] == "ack"
    moved_clock["by"] = 3601.0
    assert (await socket.closed())[1] == 4401


async def test_a_credential_has_so_many_connections_and_no_more(
    process: Runtime, acme: Customer, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "connections_per_credential", 2)
    first, second = await Socket(f"token={key}").open(), await Socket(f"token={key}").open()
    frame, code = await (await Socket(f"token={key}").open()).closed()
    assert (frame["code"], frame["retry"], code) == ("TOO_MANY", True, 4429)
    assert (await second.ask({"type": "ping"}))["type"] == "pong"
    _, other = await sync_to_async(access_key)(acme)
    assert (await (await Socket(f"token={other}").open()).ask({"type": "ping"}))["type"] == "pong"
    await first.leave()
    assert (await (await Socket(f"token={key}").open()).ask({"type": "ping"}))["type"] == "pong"


async def test_a_client_that_keeps_sending_invalid_messages_is_closed(process: Runtime, key: str) -> None:
    socket = await Socket(f"token={key}").open()
    most = process.limits.unreadable_messages_max
    for number in range(most):
        error = await socket.ask(b"\x00" if number % 2 else "nonsense")
        assert error["code"] == "INVALID_MESSAGE"
    frame, code = await socket.closed()
    assert (frame["code"], frame["retry"], code) == ("PROTOCOL_ERROR", False, 4400)


async def test_a_process_that_stops_closes_all_connections_and_stores_all_records(
    process: Runtime, acme: Customer, key: str
) -> None:
    socket = await Socket(f"token={key}").open()
    await socket.subscribe(calls(acme))
    await in_database_thread(publish, [draft(str(acme.pk))])
    assert (await socket.frame())["event_type"] == "call.status"
    stopping = asyncio.ensure_future(process.stop())
    frame, code = await socket.closed()
    assert (frame["code"], frame["retry"], code) == ("RESTARTING", True, 4012)
    # A handshake that had begun before is too late.
    late = await (await Socket(f"token={key}").open()).closed()
    assert late[1] == 4012
    await stopping
    assert (await audit_entries(process)).count(("disconnect", "ended", "", "RESTARTING")) == 2


async def test_nothing_is_left_of_those_who_went(process: Runtime, acme: Customer, key: str) -> None:
    sockets = [await Socket(f"token={key}").open() for _ in range(3)]
    for socket in sockets:
        await socket.subscribe(calls(acme))
    assert len(process.hub.subscribers) == 3
    for socket in sockets:
        await socket.leave()
    assert process.hub.subscribers == set()
    assert process.hub.feed(str(acme.pk)).is_idle
    assert process.all_left.is_set()


async def test_a_key_revoked_before_the_handshake_gets_nothing(process: Runtime, key: str) -> None:
    await AccessKey.objects.aupdate(revoked_at=timezone.now())
    (start, _) = await Socket(f"token={key}").connect(WITH_BODY)
    assert start["status"] == 401
    assert await audit_entries(process) == [("refuse", "refused", "", "revoked-key")]
