"""Applying agent.status events to agents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from subscriptions.models import Agent, AuditRecord
from tests.events.support.people import ClientInfo, Company, new_id

pytestmark = pytest.mark.django_db(transaction=True)


def status_of(agent: ClientInfo) -> str:
    return Agent.objects.get(pk=agent.agent_id).status


def status_event(agent: ClientInfo, **data: Any) -> dict[str, Any]:
    return {"event_type": "agent.status", "data": {"agent_id": agent.agent_id, **data}}


@pytest.mark.parametrize("status", ["available", "away", "busy", "ringing"])
def test_a_status_that_the_platform_publishes_is_stored_with_its_time(status: str) -> None:
    acme = Company()
    ann = acme.person()
    event = status_event(ann, status=status) | {"timestamp": "2024-01-15T10:30:00Z"}
    assert acme.key(may_publish=True).post("/v1.0/events", event).status == 201
    stored = Agent.objects.get(pk=ann.agent_id)
    assert (stored.status, stored.status_changed_at.isoformat()) == (status, "2024-01-15T10:30:00+00:00")


def test_a_webhook_of_voipbin_does_the_same() -> None:
    acme = Company()
    ann = acme.person()
    webhook = {"type": "agent_status_updated", "data": {"id": ann.agent_id, "status": "busy"}}
    assert acme.key(may_publish=True).post("/v1.0/webhooks/voipbin", webhook).status == 201
    assert status_of(ann) == "busy"


def test_the_last_of_a_list_stands_and_a_repeated_one_keeps_the_first_ones_time() -> None:
    acme = Company()
    ann = acme.person()
    times = ("2024-01-15T10:30:00Z", "2024-01-15T10:31:00Z", "2024-01-15T10:32:00Z")
    statuses = ("busy", "away", "away")
    events = [
        status_event(ann, status=status) | {"timestamp": time}
        for status, time in zip(statuses, times, strict=True)
    ]
    assert acme.key(may_publish=True).post("/v1.0/events", events).status == 201
    stored = Agent.objects.get(pk=ann.agent_id)
    assert (stored.status, stored.status_changed_at.minute) == ("away", 31)


def test_a_status_from_the_future_begins_now() -> None:
    acme = Company()
    ann = acme.person()
    later = (timezone.now() + timedelta(days=1)).isoformat()
    acme.key(may_publish=True).post("/v1.0/events", status_event(ann, status="away") | {"timestamp": later})
    assert Agent.objects.get(pk=ann.agent_id).status_changed_at <= timezone.now()


def test_what_a_stranger_publishes_and_what_is_no_status_change_nothing() -> None:
    acme, globex = Company(), Company("Globex")
    ann = acme.person()
    assert globex.key(may_publish=True).post("/v1.0/events", status_event(ann, status="away")).status == 201
    key = acme.key(may_publish=True)
    for data in ({"status": "asleep"}, {"status": 7}, {"status": None}, {}, {"status": ["away"]}):
        assert key.post("/v1.0/events", status_event(ann, **data)).status == 201
    assert key.post("/v1.0/events", status_event(ann, agent_id="no-uuid", status="away")).status == 201
    assert key.post("/v1.0/events", status_event(ann, agent_id=new_id(), status="away")).status == 201
    renamed = {"event_type": "agent.created", "data": {"agent_id": ann.agent_id, "status": "away"}}
    assert key.post("/v1.0/events", renamed).status == 201
    assert status_of(ann) == "offline"


def test_opting_out_and_in_is_recorded_once_each() -> None:
    acme, key = (company := Company()), company.key(may_publish=True)
    for text in ("STOP", "stop", "START", "START", "hello"):
        data = {"id": new_id(), "source": {"type": "tel", "target": "+15551234567"}, "text": text}
        assert key.post("/v1.0/events", {"event_type": "message.received", "data": data}).status == 201
    out, back = AuditRecord.objects.filter(topic="optout").order_by("pk")
    assert (out.action, out.rule, str(out.customer_id)) == ("add", "by-event", acme.id)
    assert back.action == "delete"
    assert "5551234567" not in out.detail
