"""Customers with one of everything that the admin shows, marked by a text in each."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model
from django.utils import timezone

from events.models import CustomerLog, Event, ResourceState
from subscriptions.models import (
    AccessKey,
    Agent,
    AuditRecord,
    Customer,
    GatewayProcess,
    LiveConnection,
    Queue,
)
from tests.subscriptions.support.people import access_key, agent, customer


@dataclass
class Tenant:
    """A customer with one of everything, and the mark in all of it."""

    mark: str
    customer: Customer
    rows: list[Model]

    def row(self, model: type[Model]) -> Any:
        return next(row for row in self.rows if isinstance(row, model))


def tenant(mark: str) -> Tenant:
    owner = customer(name=f"{mark} Ltd")
    person = agent(owner, granted_resources=["message"])
    Agent.objects.filter(pk=person.pk).update(name=f"{mark} person")
    User.objects.filter(pk=person.user_id).update(username=f"{mark}-login")
    queue = Queue.objects.create(customer=owner, name=f"{mark} queue")
    person.queues.add(queue)
    key, _ = access_key(owner)
    AccessKey.objects.filter(pk=key.pk).update(label=f"{mark} key")
    facts = {"customer_id": owner.pk, "resource": "call", "resource_id": f"{mark}-call", "seq": 1}
    now = timezone.now()
    body = f'{{"id": "{mark}-call"}}'
    rows: list[Model] = [
        owner,
        person,
        queue,
        key,
        CustomerLog.objects.create(customer_id=owner.pk, last_seq=1),
        Event.objects.create(
            id=uuid.uuid4(), event_type="call.created", timestamp=now, stored_at=now, body=body, **facts
        ),
        ResourceState.objects.create(
            live=True, event_type="call.created", since=now, updated_at=now, body=body, **facts
        ),
        AuditRecord.objects.create(
            action="subscribe",
            verdict="granted",
            topic=f"customer_id:{owner.pk}:call:{mark}-call",
            customer_id=owner.pk,
            agent_id=person.pk,
            credential=f"token of {mark}-login",
            connection_id=uuid.uuid4(),
        ),
        LiveConnection.objects.create(
            id=uuid.uuid4(),
            process=GatewayProcess.objects.create(name="a process", lease_ends_at=now + timedelta(hours=1)),
            customer_id=owner.pk,
            agent_id=person.pk,
            key_id=key.pk,
            credential=f"key {key.prefix}",
            is_platform_staff=False,
            client=f"{mark}-client",
            topics=f"customer_id:{owner.pk}:call:{mark}-call",
            topic_count=1,
            opened_at=now,
        ),
    ]
    for row in rows:
        row.refresh_from_db()
    return Tenant(mark, owner, rows)
