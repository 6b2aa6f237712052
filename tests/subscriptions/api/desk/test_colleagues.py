"""To whom calls can be transferred, and what an agent did today."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from events.domain.event import format_timestamp
from subscriptions.models import Queue
from tests.events.support.people import ClientInfo, Company

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_agent_sees_its_colleagues_with_their_statuses_and_all_queues() -> None:
    acme, globex = Company(), Company("Globex")
    ann, bob, _ = acme.person(), acme.person(status="away"), acme.person(is_active=False)
    acme.person("manager")
    globex.person()
    queue = Queue.objects.create(customer=acme.customer, name="Sales")
    Queue.objects.create(customer=globex.customer, name="Foreign")
    assert ann.get("/v1.0/transfer-targets").timeless == {
        "agents": [{"id": bob.agent_id, "name": "agent", "status": "away"}],
        "queues": [{"id": str(queue.pk), "name": "Sales"}],
    }
    manager = acme.person("manager").get("/v1.0/transfer-targets").body
    assert [each["id"] for each in manager["agents"]] == sorted([str(ann.agent_id), str(bob.agent_id)])


def test_a_credential_that_only_watches_or_is_limited_sees_no_colleagues() -> None:
    acme = Company()
    ann = acme.person()
    assert acme.key().get("/v1.0/transfer-targets").status == 403
    narrowed = acme.key(may_publish=True, allowed_topics=[f"customer_id:{acme.id}:call:*"])
    assert narrowed.get("/v1.0/transfer-targets").status == 403
    assert acme.key(may_publish=True).get("/v1.0/transfer-targets").status == 200
    assert ann.get("/v1.0/transfer-targets", customer_id=Company("Globex").id).status == 403


def call(of: Company, call_id: str, agent: ClientInfo, *events: dict[str, Any], ago: float = 0) -> None:
    """Publish events of a call, the first of which offers it to the agent; `ago` in days."""
    began = timezone.now() - timedelta(days=ago, seconds=60)
    items = [{"event_type": "call.assigned", "data": {"id": call_id, "agent_id": agent.agent_id}}, *events]
    for place, item in enumerate(items):
        item["data"]["id"] = call_id
        item["timestamp"] = format_timestamp(began + timedelta(seconds=place))
        assert of.key(may_publish=True).post("/v1.0/events", item).status == 201


def event(action: str, **data: Any) -> dict[str, Any]:
    return {"event_type": f"call.{action}", "data": data}


def test_a_day_has_the_calls_that_ended_or_went_elsewhere() -> None:
    acme = Company()
    # Where it is noon now: calls of the last minutes are of today, and those of two days ago are not.
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    acme.customer.time_zone = f"Etc/GMT{hour.hour - 12:+d}"
    acme.customer.save()
    ann, bob = acme.person(), acme.person()
    answered = event("status", status="answered")
    call(acme, "talked", ann, answered, event("ended", status="hangup", duration=73))
    call(acme, "given", ann, event("status", status="answered"), event("assigned", agent_id=bob.agent_id))
    call(acme, "missed", ann, event("assigned", agent_id=None))
    call(acme, "gave-up", ann, event("ended", status="canceled"))
    call(acme, "live", ann, event("status", status="answered"))
    call(acme, "bobs", bob, event("status", status="answered"), event("ended", status="hangup", duration=9))
    call(acme, "old", ann, event("status", status="answered"), event("ended", status="hangup"), ago=2)
    day = ann.get(f"/v1.0/agents/{ann.agent_id}/day").body
    assert {name: day[name] for name in ("handled", "missed", "talk_seconds")} == {
        "handled": 2,
        "missed": 2,
        "talk_seconds": 73,
    }
    assert day["since"] == format_timestamp(hour - timedelta(hours=12))
    assert acme.person("manager").get(f"/v1.0/agents/{ann.agent_id}/day").body["handled"] == 2
    for who in (bob, acme.key(may_publish=True)):
        assert who.get(f"/v1.0/agents/{ann.agent_id}/day").status == 403
    assert Company("Globex").person("admin").get(f"/v1.0/agents/{ann.agent_id}/day").status == 404
