"""The programs that newcomers meet first, each in a process of its own: the example receives VoIPBIN's own webhooks."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import post, publish
from tests.journeys.support.programs import Program
from tests.support.gateway import Gateway
from tests.support.processes import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "voipbin_webhooks.jsonl"
WEBHOOKS = [json.loads(line) for line in FIXTURES.read_text().splitlines()]
NIL = "00000000-0000-0000-0000-000000000000"
CUSTOMER = "5e4a0680-804e-11ec-8477-2fea5968d85b"
"""Whose these webhooks are, where they say."""

OF_THE_RULE = {"conversation_message_created", "number_created"}
"""Webhooks that the table has no row for: `<resource>_<action>` is `<resource>.<action>`."""


def translations() -> Iterator[tuple[str, str]]:
    """Each webhook of the table in docs/protocol.md with its event type; of two types, the first."""
    protocol = (ROOT / "docs" / "protocol.md").read_text()
    rows = protocol.partition("| VoIPBIN sends | subscribers receive |\n|---|---|\n")[2].partition("\n\n")[0]
    for row in rows.splitlines():
        kinds, types = re.findall(r"`([a-z]+_[a-z_]+)`", row), re.findall(r"`([a-z]+\.[a-z]+)`", row)
        yield from zip(kinds, types if len(types) == len(kinds) else types[:1] * len(kinds), strict=True)


RECEIVED_AS = dict(translations())


@pytest.fixture(scope="module")
def acme(gateway_on_each_stack: Gateway) -> Company:
    acme = company("Acme")
    acme.id = CUSTOMER
    settle(gateway_on_each_stack, acme)
    return acme


@pytest.fixture
def program(gateway_on_each_stack: Gateway, acme: Company, tmp_path: Path) -> Iterator[Program]:
    """It listens to everything of the customer, and has received something."""
    command = [sys.executable, str(ROOT / "examples" / "subscribe.py"), f"customer_id:{CUSTOMER}"]
    with Program(
        gateway_on_each_stack, acme, acme.token("manager"), command, errors=tmp_path / "errors.txt"
    ) as program:
        program.wait_until_it_receives()
        yield program


def test_the_webhooks_reach_a_program_of_a_few_lines(
    gateway_on_each_stack: Gateway, acme: Company, program: Program
) -> None:
    receipts = []
    for webhook in WEBHOOKS:
        answer = post(gateway_on_each_stack, acme.key("that publishes"), webhook, "/v1.0/webhooks/voipbin")
        assert answer.status_code == 201, answer.text
        receipts.append(answer.json())
    received = program.events_until(receipts[-1]["cursor"])

    # A call that hung up has its status first, without a receipt of its own.
    ids = {receipt["id"] for receipt in receipts}
    before = [event for event in received if event["id"] not in ids]
    assert {(event["event_type"], event["data"]["status"]) for event in before} == {("call.status", "hangup")}
    assert len(before) == sum(webhook["type"] == "call_hangup" for webhook in WEBHOOKS)
    received = [event for event in received if event["id"] in ids]
    assert [event["id"] for event in received] == [receipt["id"] for receipt in receipts]
    for webhook, event, receipt in zip(WEBHOOKS, received, receipts, strict=True):
        assert event["event_type"] == event_type_of(webhook)
        assert event["topic"] == receipt["topics"][0] == topic_of(webhook)
        assert lost_fields(webhook, event) == {}
        assert receipt["topics"][1:] == agent_topics_of(webhook)


def event_type_of(webhook: dict[str, Any]) -> str:
    if webhook["type"] == "message_created":
        incoming = webhook["data"]["direction"] in ("incoming", "inbound")
        return "message.received" if incoming else "message.sent"
    kind: str = webhook["type"]
    return kind.replace("_", ".", 1) if kind in OF_THE_RULE else RECEIVED_AS[kind]


def topic_of(webhook: dict[str, Any]) -> str:
    resource = event_type_of(webhook).partition(".")[0]
    data = webhook["data"]
    named = data.get(f"{resource}_id")
    return f"customer_id:{CUSTOMER}:{resource}:{named if named and named != NIL else data['id']}"


def agent_topics_of(webhook: dict[str, Any]) -> list[str]:
    data = webhook["data"]
    agents = [data.get("service_agent_id")]
    if data.get("owner_type") == "agent":
        agents.append(data["owner_id"])
    if webhook["type"].startswith("agent_"):
        agents.append(data["id"])
    end = ":".join(topic_of(webhook).split(":")[2:])
    return [f"agent_id:{agent}:{end}" for agent in agents if agent and agent != NIL]


def lost_fields(webhook: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """The webhook's fields that are in the event neither as they were nor as its originals."""
    data = event["data"]
    return {
        name: value
        for name, value in webhook["data"].items()
        if data.get(name) != value and data["voipbin"].get(name) != value
    }


CLIENT = ROOT / "clients" / "python" / "src"


def test_the_readmes_first_program_receives_what_is_published(
    gateway_on_each_stack: Gateway, acme: Company, tmp_path: Path
) -> None:
    [code] = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    with Program(
        gateway_on_each_stack,
        acme,
        acme.token("admin"),
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(CLIENT)!r})\n{code}"],
        errors=tmp_path / "errors.txt",
    ) as program:
        program.wait_until_it_receives()
        event = {"event_type": "call.created", "data": {"id": "my-first-call", "status": "ringing"}}
        [receipt] = publish(gateway_on_each_stack, acme.key("that publishes"), event)
        assert program.next()["id"] == receipt["id"]


def test_the_fixtures_have_every_kind_of_webhook() -> None:
    assert {webhook["type"] for webhook in WEBHOOKS} == {*RECEIVED_AS, *OF_THE_RULE}
