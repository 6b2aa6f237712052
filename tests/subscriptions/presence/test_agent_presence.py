"""The presence of agents: which events a round publishes, what causes none, and the policies."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from events.models import Event, ResourceState
from subscriptions.models import (
    Agent,
    AgentPresence,
    AuditRecord,
    Customer,
    GatewayProcess,
    LiveConnection,
    Queue,
)
from subscriptions.presence.agent_presence import publish_presence, update_presence
from subscriptions.presence.presence_policy import apply_policy, lost_agents
from subscriptions.presence.registry import sweep
from tests.subscriptions.support.people import access_key, agent, customer
from tests.subscriptions.support.platform_server import Platform

pytestmark = pytest.mark.django_db


def process(lease: timedelta = timedelta(minutes=5)) -> GatewayProcess:
    return GatewayProcess.objects.create(name="p", lease_ends_at=Now() + lease)


def connect(who: Agent, *, at: GatewayProcess, key: Any = None, **fields: Any) -> LiveConnection:
    facts = {"customer_id": who.customer_id, "agent_id": who.pk, "opened_at": timezone.now(), **fields}
    return LiveConnection.objects.create(
        id=uuid.uuid4(),
        process=at,
        key_id=key and key.pk,
        credential="token",
        is_platform_staff=False,
        **facts,
    )


def round_() -> None:
    update_presence()
    for lost in lost_agents():
        apply_policy(lost)


def pass_time(seconds: float) -> None:
    """Date the absences back."""
    AgentPresence.objects.update(absent_since=F("absent_since") - timedelta(seconds=seconds))


def published(who: Agent) -> list[Any]:
    events = Event.objects.filter(customer_id=who.customer_id).order_by("seq")
    data = [(each.event_type, json.loads(each.body)) for each in events]
    return [each["connected"] if kind == "agent.presence" else each["status"] for kind, each in data]


@pytest.fixture
def ann(acme: Customer) -> Agent:
    return agent(acme, status="available")


def test_the_first_connection_and_the_loss_of_the_last_are_published_once_each(ann: Agent) -> None:
    here, there = process(), process()
    first = connect(ann, at=here, opened_at=timezone.now() - timedelta(seconds=3))
    second = connect(ann, at=there)
    for _ in range(3):
        round_()
    assert published(ann) == [True]
    state = ResourceState.objects.get(resource="agent", resource_id=str(ann.pk))
    data = json.loads(state.body)
    assert (data["connected"], data["name"]) == (True, ann.name)
    assert data["since"] == f"{first.opened_at:%Y-%m-%dT%H:%M:%S.%fZ}"
    first.delete()
    round_()
    pass_time(60)
    second.delete()
    round_()
    assert published(ann) == [True]
    pass_time(31)
    for _ in range(3):
        round_()
    assert published(ann) == [True, False]
    assert not AgentPresence.objects.exists()


def test_a_reconnect_within_the_grace_publishes_nothing(ann: Agent) -> None:
    here = process()
    for _ in range(4):
        connection = connect(ann, at=here)
        round_()
        connection.delete()
        round_()
        pass_time(25)
        round_()
    connect(ann, at=here)
    round_()
    pass_time(60)
    round_()
    assert published(ann) == [True]


def test_a_process_that_was_killed_loses_its_connections_with_its_lease(ann: Agent) -> None:
    here = process()
    connect(ann, at=here)
    round_()
    GatewayProcess.objects.update(lease_ends_at=Now() - timedelta(seconds=1))
    round_()
    sweep()
    pass_time(31)
    round_()
    assert published(ann) == [True, False]


def test_only_agents_at_desks_and_tokens_of_their_own_count(acme: Customer) -> None:
    here = process()
    ann, manager, serving = agent(acme), agent(acme, role="manager"), agent(acme, role="manager")
    serving.queues.set([Queue.objects.create(customer=acme, name=name) for name in ("a", "b")])
    connect(ann, at=here, key=access_key(acme, ann)[0])
    connect(manager, at=here)
    foreign = agent(customer("Globex"))
    connect(foreign, at=here, customer_id=acme.pk)
    connect(Agent(pk=uuid.uuid4(), customer=acme), at=here)
    round_()
    assert not Event.objects.exists()
    connect(serving, at=here)
    round_()
    assert [each.resource_id for each in Event.objects.all()] == [str(serving.pk)]


@pytest.mark.parametrize(
    ("policy", "before", "after"),
    [
        ("keep", "available", []),
        ("away", "available", ["away"]),
        ("away", "away", []),
        ("away", "offline", []),
        ("offline", "available", ["offline"]),
        ("offline", "away", ["offline"]),
    ],
)
def test_the_policy_replaces_the_status_of_lost_agents(
    acme: Customer, policy: str, before: str, after: list[str]
) -> None:
    Customer.objects.filter(pk=acme.pk).update(presence_policy=policy, presence_grace_seconds=5)
    ann = agent(acme, status=before)
    connection = connect(ann, at=process())
    round_()
    connection.delete()
    round_()
    pass_time(4)
    round_()
    assert published(ann) == [True]
    pass_time(2)
    round_()
    round_()
    assert published(ann) == [True, False, *after]
    ann.refresh_from_db()
    assert ann.status == (after or [before])[0]
    assert AuditRecord.objects.filter(rule="presence-policy").count() == len(after)
    assert not AgentPresence.objects.exists()
    if after:
        data = json.loads(Event.objects.latest("seq").body)
        assert (data["previous_status"], data["cause"], data["set_by"]) == (before, "connection_lost", None)


def test_an_agent_on_a_call_finishes_it_first(acme: Customer) -> None:
    Customer.objects.filter(pk=acme.pk).update(presence_policy="away")
    ann = agent(acme, status="busy")
    connection = connect(ann, at=process())
    round_()
    connection.delete()
    round_()
    pass_time(31)
    round_()
    assert published(ann) == [True, False]
    Agent.objects.update(status="available")
    round_()
    assert published(ann) == [True, False, "away"]


def test_an_agent_who_comes_back_before_the_policy_applies_keeps_the_status(acme: Customer) -> None:
    Customer.objects.filter(pk=acme.pk).update(presence_policy="away")
    ann = agent(acme, status="busy")
    here = process()
    connection = connect(ann, at=here)
    round_()
    connection.delete()
    round_()
    pass_time(31)
    round_()
    connect(ann, at=here)
    round_()
    Agent.objects.update(status="available")
    round_()
    assert published(ann) == [True, False, True]


@pytest.mark.django_db(transaction=True)
def test_the_platform_is_asked_first_and_again_until_it_answers(
    acme: Customer, ann: Agent, theirs: Platform
) -> None:
    Customer.objects.filter(pk=acme.pk).update(presence_policy="away")
    connection = connect(ann, at=process())
    round_()
    connection.delete()
    round_()
    pass_time(31)
    theirs.answers = [(503, {"message": "busy"})]
    round_()
    assert published(ann) == [True, False]
    theirs.answers = [(200, {})]
    round_()
    assert published(ann) == [True, False, "away"]


def test_two_holders_of_the_lease_publish_one_event(ann: Agent) -> None:
    connection = connect(ann, at=process())
    round_()
    # As a second process does that found the same change.
    publish_presence(ann.pk, connected=True, since=timezone.now())
    assert published(ann) == [True]
    connection.delete()
    round_()
    since = AgentPresence.objects.get().absent_since
    assert since is not None
    connect(ann, at=process())
    publish_presence(ann.pk, connected=False, since=since)
    assert published(ann) == [True]


def test_the_row_of_a_deleted_agent_goes(ann: Agent) -> None:
    connect(ann, at=process())
    round_()
    Agent.objects.all().delete()
    LiveConnection.objects.all().delete()
    round_()
    pass_time(31)
    round_()
    assert not AgentPresence.objects.exists()
    assert Event.objects.count() == 1
