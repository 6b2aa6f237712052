"""Repeated refusals of WebSockets in the audit log: few records, and none is lost."""

from __future__ import annotations

import uuid

import pytest

from subscriptions.audit.writer import AuditWriter
from subscriptions.models import AuditRecord
from tests.subscriptions.audit.test_writer import CONNECTION, record, stored

pytestmark = pytest.mark.django_db(transaction=True)


async def test_repeated_refusals_are_one_record_with_their_number() -> None:
    writer = AuditWriter()
    refused = {"verdict": "refused", "rule": "foreign-customer", "credential": "key vb_12345678"}
    await writer.record_and_wait([record("a", **refused), record("b", **refused)])
    for _ in range(3):
        await writer.record_and_wait([record("a", **refused), record("granted")])
    writer.record_repeats()
    await writer.flush()
    assert [(each.topic, each.count) for each in await stored()] == [
        *(("a", 1), ("b", 1)),
        *[("granted", 1)] * 3,
    ]
    writer.record_repeats(now=True)
    await writer.flush()
    last = (await stored())[-1]
    assert (last.topic, last.count, last.rule, last.connection_id) == ("a", 3, "foreign-customer", CONNECTION)
    assert writer.refusals == {("subscribe", "foreign-customer"): 5}
    writer.record_repeats(now=True)
    assert writer.waiting == 0


async def test_of_many_topics_and_credentials_few_records_are_made_and_none_is_lost() -> None:
    writer = AuditWriter()
    customer = uuid.uuid4()
    for key in range(50):
        for topic in range(50):
            refused = record(
                str(topic),
                verdict="refused",
                rule="foreign-customer",
                credential=f"key {key}",
                address=f"2001:db8::{topic}",
                customer_id=customer,
            )
            writer.record_soon([refused])
    writer.record_repeats(now=True)
    await writer.flush()
    records = await stored()
    assert sum(each.count for each in records) == 50 * 50
    assert len(records) == 20 * 20 + 20 + 1
    assert (records[-1].credential, records[-1].address) == ("", "")
    assert records[-1].detail == "The last one: 49"
    assert {each.customer_id for each in records} == {customer}


async def test_refused_handshakes_of_a_network_are_one_kind_whatever_they_call_themselves() -> None:
    writer = AuditWriter()
    for number in range(10):
        refused = AuditRecord(
            action="refuse",
            verdict="refused",
            rule="unknown-key",
            address=f"2001:db8::{number}",
            client=f"client {number}",
            connection_id=uuid.uuid4(),
            detail="This access key is not known",
        )
        writer.record_soon([refused])
    writer.record_repeats(now=True)
    await writer.flush()
    assert [(each.address, each.client, each.count, each.detail) for each in await stored()] == [
        ("2001:db8::0", "client 0", 1, "This access key is not known"),
        ("2001:db8::9", "client 9", 9, "This access key is not known"),
    ]
