"""A manager who is limited to queues and teams, at every kind of reading and acting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from subscriptions.auth.access_version import current_version
from subscriptions.auth.authentication import identify
from subscriptions.models import Agent, Queue
from tests.events.support.people import ClientInfo, Company, new_id

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Scene:
    """Two queues, each with an agent who serves it and a call; a third agent is in a team alone."""

    acme: Company
    sales: Queue
    support: Queue
    seller: ClientInfo
    helper: ClientInfo
    night: ClientInfo

    def manager(self, **limited_to: Any) -> ClientInfo:
        return self.acme.person("manager", limited_to=limited_to)


@pytest.fixture
def scene() -> Scene:
    acme = Company()
    sales, support = (
        Queue.objects.create(customer=acme.customer, name=name) for name in ("Sales", "Support")
    )
    seller, helper = acme.person(), acme.person()
    night = acme.person(teams=["Night shift"])
    sales.agents.add(seller.agent_id)
    support.agents.add(helper.agent_id)
    publisher = acme.key(may_publish=True)
    for queue, agent in ((sales, seller), (support, helper)):
        call = f"call-{queue.name}"
        events: list[dict[str, Any]] = [
            {
                "event_type": "call.created",
                "data": {"id": call, "queue_id": str(queue.pk), "status": "ringing"},
            },
            {"event_type": "queue.joined", "data": {"queue_id": str(queue.pk), "call_id": call}},
            {
                "event_type": "call.status",
                "data": {"id": call, "agent_id": agent.agent_id, "status": "answered"},
            },
            {"event_type": "agent.status", "data": {"id": agent.agent_id, "status": "busy"}},
        ]
        assert publisher.post("/v1.0/events", events).status == 201
    call = {"id": "call-night", "agent_id": night.agent_id, "status": "answered"}
    assert publisher.post("/v1.0/events", {"event_type": "call.status", "data": call}).status == 201
    return Scene(acme, sales, support, seller, helper, night)


def test_a_manager_of_a_queue_reads_what_belongs_to_it_alone(scene: Scene) -> None:
    manager = scene.manager(queues=[str(scene.sales.pk)])
    assert manager.get("/v1.0/calls").ids == ["call-Sales"]
    assert manager.get("/v1.0/queues").ids == [str(scene.sales.pk)]
    assert manager.get("/v1.0/agents").ids == [scene.seller.agent_id]
    assert manager.get("/v1.0/calls", began_from="2020-01-01T00:00:00Z", result="true").ids == ["call-Sales"]
    history = manager.get("/v1.0/events").text
    assert (str(scene.support.pk) in history, scene.helper.agent_id in history) == (False, False)
    assert "call-Sales" in history
    me = manager.get("/v1.0/me").body
    assert [each["id"] for each in me["queues"]] == [str(scene.sales.pk)]
    assert {each["id"] for each in me["agents"]} == {scene.seller.agent_id, manager.agent_id}
    summary = manager.get("/v1.0/summary").body
    assert [each["queue_id"] for each in summary["queues"]] == [str(scene.sales.pk)]
    assert (summary["total"], summary["agents"]) == (None, None)


def test_a_manager_of_a_team_reads_of_its_agents_and_their_calls(scene: Scene) -> None:
    manager = scene.manager(teams=["night SHIFT"])
    assert manager.get("/v1.0/calls").ids == ["call-night"]
    assert manager.get("/v1.0/queues").ids == []
    assert {each["id"] for each in manager.get("/v1.0/me").body["agents"]} == {
        scene.night.agent_id,
        manager.agent_id,
    }
    both = scene.manager(teams=["Night shift"], queues=[str(scene.sales.pk)])
    assert both.get("/v1.0/calls").ids == ["call-Sales", "call-night"]


def test_what_is_beyond_the_limit_cannot_be_acted_on(scene: Scene) -> None:
    manager = scene.manager(queues=[str(scene.sales.pk)])
    for call, status in (("call-Sales", 200), ("call-Support", 404)):
        assert manager.get(f"/v1.0/calls/{call}/caller").status == status
        assert (manager.post(f"/v1.0/calls/{call}/reveal", {}).status) == status
    for agent, status in ((scene.seller, 200), (scene.helper, 404)):
        path = f"/v1.0/agents/{agent.agent_id}"
        assert manager.put(f"{path}/status", {"status": "away"}).status == status
        assert manager.get(f"{path}/day").status == status
        assert manager.post(f"{path}/sign-out", {}).status == status


def test_a_key_of_a_limited_manager_has_the_limit_and_its_own_filter(scene: Scene) -> None:
    manager = scene.manager(queues=[str(scene.sales.pk)])
    assert scene.acme.key(manager).get("/v1.0/calls").ids == ["call-Sales"]
    ringing = '{"field": "status", "op": "eq", "value": "ringing"}'
    filtered = scene.acme.key(manager, filter=ringing)
    assert filtered.get("/v1.0/calls").ids == []
    assert filtered.get("/v1.0/summary").status == 403


def test_serving_another_queue_changes_who_may_see_it(scene: Scene) -> None:
    manager = scene.manager(queues=[str(scene.sales.pk)])
    version = current_version()
    Agent.objects.get(pk=scene.night.agent_id).queues.set([scene.sales])
    assert current_version() > version
    limit = identify(manager.credential).limit
    assert limit is not None
    assert scene.night.agent_id in limit.agents
    assert manager.get("/v1.0/calls").ids == ["call-Sales", "call-night"]


@pytest.mark.parametrize(
    ("limited_to", "message"),
    [
        ({"queue": []}, "Write an object"),
        ({"queues": ["sales"]}, "UUIDs"),
        ({"queues": "x"}, "list"),
        ({"teams": ["a", "A"]}, "twice"),
        ([], "object"),
    ],
)
def test_invalid_limits_are_refused(limited_to: Any, message: str) -> None:
    key = Company().key(may_control=True, may_publish=True)
    agent = {"name": "Eve", "username": "eve", "role": "manager", "limited_to": limited_to}
    answer = key.put(f"/v1.0/control/agents/{new_id()}", agent)
    assert (answer.status, message in answer.text) == (400, True), answer.text


def test_the_control_api_limits_managers_alone() -> None:
    key = Company().key(may_control=True, may_publish=True)
    agent = {"name": "Eve", "username": "eve", "role": "manager", "limited_to": {"queues": [new_id()]}}
    made = key.put(f"/v1.0/control/agents/{new_id()}", agent)
    assert (made.status, made.body["limited_to"]) == (201, agent["limited_to"])
    refused = key.put(f"/v1.0/control/agents/{made.body['id']}", {**agent, "role": "admin"})
    assert (refused.status, "only managers are limited" in refused.text) == (400, True)
