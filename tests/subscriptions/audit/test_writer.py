"""The queue of audit records: many in one commit, and waiting until they are stored."""

# Long because one writer is tested with all that it has to survive.

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from subscriptions.audit import writer as audit_module
from subscriptions.audit.writer import AuditWriter
from subscriptions.auth.client_info import ClientInfo
from subscriptions.connections.recorder import ConnectionRecorder
from subscriptions.models import AuditRecord
from subscriptions.protocol.effects import AuditEntry, AuditVerdict
from subscriptions.protocol.messages import Action
from subscriptions.protocol.permissions import Identity, Role

pytestmark = pytest.mark.django_db(transaction=True)

CONNECTION = uuid.UUID(int=7)


def record(topic: str = "", **fields: Any) -> AuditRecord:
    made = {"verdict": "granted", **fields}
    return AuditRecord(action="subscribe", topic=topic, connection_id=CONNECTION, **made)


async def stored() -> list[AuditRecord]:
    return [each async for each in AuditRecord.objects.order_by("id")]


class Gate:
    """Stands before the store: lets nothing pass until it is opened, and counts what passes."""

    def __init__(self, store: Callable[[list[AuditRecord]], None]) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()
        self.batches: list[int] = []
        self.queries: list[str] = []
        self.failures: list[Exception] = []
        self._store = store

    def __call__(self, records: list[AuditRecord]) -> None:
        self.reached.set()
        assert self.open.wait(30)
        if self.failures:
            raise self.failures.pop(0)
        with CaptureQueriesContext(connection) as queries:
            self._store(records)
        self.batches.append(len(records))
        self.queries += [query["sql"] for query in queries]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(audit_module.append)
    monkeypatch.setattr(audit_module, "append", gate)
    yield gate
    gate.open.set()


async def reached(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.reached.wait, 30)


async def test_it_returns_when_the_record_is_committed_and_not_before(gate: Gate) -> None:
    writer = AuditWriter()
    waiting = asyncio.ensure_future(writer.record_and_wait([record("a")]))
    await reached(gate)
    assert not waiting.done()
    assert (writer.waiting, await stored()) == (1, [])
    gate.open.set()
    await asyncio.wait_for(waiting, 30)
    assert [each.topic for each in await stored()] == ["a"]
    assert writer.waiting == 0


async def test_what_comes_while_one_is_written_shares_the_next_commit(gate: Gate) -> None:
    writer = AuditWriter()
    first = asyncio.ensure_future(writer.record_and_wait([record("first")]))
    await reached(gate)
    others = [asyncio.ensure_future(writer.record_and_wait([record(str(number))])) for number in range(100)]
    writer.record_soon([record("noted")])
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.wait_for(asyncio.gather(first, *others), 30)
    await writer.flush()
    assert gate.batches == [1, 101]
    assert sum("COMMIT" in sql for sql in gate.queries) == 2
    assert [each.topic for each in await stored()] == ["first", "noted", *map(str, range(100))]


async def test_while_the_database_is_away_it_waits_and_then_stores(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.database.threads.FIRST_PAUSE_SECONDS", 0.001)
    gate.failures = [OperationalError("the database is away") for _ in range(3)]
    gate.open.set()
    writer = AuditWriter()
    await asyncio.wait_for(writer.record_and_wait([record("a")]), 30)
    assert [each.topic for each in await stored()] == ["a"]
    assert writer.lost == 0


async def test_flushing_stores_all_that_was_noted(gate: Gate) -> None:
    gate.open.set()
    writer = AuditWriter()
    await writer.flush()
    for number in range(20):
        writer.record_soon([record(str(number))])
    await asyncio.wait_for(writer.flush(), 30)
    assert len(await stored()) == 20


async def test_a_record_that_cannot_be_stored_harms_no_other(gate: Gate) -> None:
    writer = AuditWriter()
    first = asyncio.ensure_future(writer.record_and_wait([record("first")]))
    await reached(gate)
    bad = asyncio.ensure_future(writer.record_and_wait([record("bad", customer_id="no UUID")]))
    good = asyncio.ensure_future(writer.record_and_wait([record("good")]))
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.wait_for(asyncio.gather(first, good), 30)
    with pytest.raises(Exception, match="no UUID"):
        await bad
    assert [each.topic for each in await stored()] == ["first", "good"]
    assert (writer.lost, writer.waiting) == (1, 0)
    await asyncio.wait_for(writer.record_and_wait([record("later")]), 30)


async def test_a_commit_that_failed_takes_new_numbers(gate: Gate) -> None:
    gate.open.set()
    writer = AuditWriter()
    # As after a commit that failed: the numbers of the first attempt are another's by now.
    await writer.record_and_wait([record("another's", id=1)])
    again = record("again")
    again.pk = (await stored())[0].pk
    await asyncio.wait_for(writer.record_and_wait([again]), 30)
    assert [each.topic for each in await stored()] == ["another's", "again"]


async def test_the_queue_of_record_soon_is_bounded(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "MAX_WAITING", 3)
    writer = AuditWriter()
    for number in range(5):
        writer.record_soon([record(str(number))])
    waited_for = asyncio.ensure_future(writer.record_and_wait([record("waited for")]))
    gate.open.set()
    await asyncio.wait_for(waited_for, 30)
    assert writer.lost == 2
    assert [each.topic for each in await stored()] == ["0", "1", "2", "waited for"]


async def test_nothing_to_record_is_nothing_to_wait_for(gate: Gate) -> None:
    await asyncio.wait_for(AuditWriter().record_and_wait([]), 5)
    assert not gate.reached.is_set()


# --- What is written of a connection ---

IDENTITY = Identity(
    customer_id=str(uuid.UUID(int=1)),
    agent_id=str(uuid.UUID(int=2)),
    role=Role.AGENT,
    credential="key vb_12345678",
    credential_id="key:1",
    may_subscribe=True,
    may_publish=False,
)


async def test_a_record_says_who_where_from_and_why() -> None:
    writer = AuditWriter()
    recorder = ConnectionRecorder(writer, CONNECTION, ClientInfo.of("192.0.2.7", {"user-agent": "a client"}))
    recorder.record_soon("refuse", "refused", rule="unknown-key", detail="This access key is not known")
    recorder.identity = IDENTITY
    entry = AuditEntry(Action.SUBSCRIBE, "customer_id:x", AuditVerdict.REFUSED, "invalid-topic", "no id")
    await recorder.record_and_wait([entry])
    refused, subscribed = await stored()
    assert (refused.action, refused.rule, refused.customer_id, refused.credential) == (
        "refuse",
        "unknown-key",
        None,
        "",
    )
    assert (subscribed.action, subscribed.verdict, subscribed.topic, subscribed.rule, subscribed.detail) == (
        "subscribe",
        "refused",
        "customer_id:x",
        "invalid-topic",
        "no id",
    )
    assert (str(subscribed.customer_id), str(subscribed.agent_id)) == (
        IDENTITY.customer_id,
        IDENTITY.agent_id,
    )
    assert (str(subscribed.customer_id), str(subscribed.agent_id)) == (
        IDENTITY.customer_id,
        IDENTITY.agent_id,
    )
    assert refused.connection_id == subscribed.connection_id == CONNECTION


async def test_whatever_a_client_sends_can_be_recorded() -> None:
    writer = AuditWriter()
    recorder = ConnectionRecorder(
        writer, CONNECTION, ClientInfo.of("x" * 500, {"user-agent": "agent\0\x7f" * 100})
    )
    await recorder.record_and_wait(
        [AuditEntry(Action.SUBSCRIBE, "t\0" * 5000, AuditVerdict.REFUSED, "invalid-topic", "d" * 5000)]
    )
    (found,) = await stored()
    found.clean_fields(exclude=["customer_id", "agent_id"])
    assert "\0" not in found.topic + found.client
    assert found.topic.startswith("t\N{REPLACEMENT CHARACTER}t")
