"""`GET /v1.0/me`: who the credential belongs to, what they are authorised to receive, and whose names they see."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from subscriptions.auth.tokens import issue_token
from subscriptions.models import Agent, Queue
from tests.events.support.stored import store
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db


def ask(credential: str, path: str, **parameters: str) -> Any:
    return Client().get(path, parameters, headers={"Authorization": f"Bearer {credential}"})


def me(credential: str, **parameters: str) -> Any:
    answer = ask(credential, "/v1.0/me", **parameters)
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("role", ["manager", "admin", "staff"])
def test_with_all_permissions_the_names_of_the_own_customer_are_returned_and_no_others(role: str) -> None:
    acme, globex = customer("Acme"), customer("Globex")
    boss, ann = agent(acme, role), agent(acme)
    agent(globex), agent(acme, is_active=False)
    queue = Queue.objects.create(customer=acme, name="Support")
    queue.agents.add(ann, agent(acme, is_active=False))
    Queue.objects.create(customer=globex, name="Front operator")
    body = me(issue_token(boss))
    assert body["customer"] == {"id": str(acme.pk), "name": "Acme"}
    assert body["agent"] == {"id": str(boss.pk), "name": boss.name}
    assert body["role"] == role
    assert body["topics"] == [f"customer_id:{acme.pk}:*:*", f"agent_id:{boss.pk}:*:*"]
    assert {each["id"] for each in body["agents"]} == {str(boss.pk), str(ann.pk)}
    assert body["queues"] == [{"id": str(queue.pk), "name": "Support", "agent_ids": [str(ann.pk)]}]


def test_an_agent_learns_its_own_name_and_the_queues_it_serves() -> None:
    acme = customer()
    ann = agent(acme, granted_resources=["message"])
    agent(acme)
    served = Queue.objects.create(customer=acme, name="Support")
    Queue.objects.create(customer=acme, name="Sales")
    ann.queues.add(served)
    served.agents.add(agent(acme))
    body = me(issue_token(ann))
    assert body["topics"] == [f"customer_id:{acme.pk}:message:*", f"agent_id:{ann.pk}:*:*"]
    assert [each["id"] for each in body["agents"]] == [str(ann.pk)]
    assert [each["id"] for each in body["queues"]] == [str(served.pk)]
    assert body["queues"][0]["agent_ids"] == [str(ann.pk)]


def test_names_go_with_what_was_granted() -> None:
    acme = customer()
    ann = agent(acme, granted_resources=["agent", "queue"])
    agent(acme)
    Queue.objects.create(customer=acme, name="Sales")
    body = me(issue_token(ann))
    assert len(body["agents"]) == Agent.objects.count() == 2
    assert len(body["queues"]) == 1


def test_a_key_of_the_customer_is_no_agent() -> None:
    acme = customer()
    _, secret = access_key(acme)
    body = me(secret)
    assert (body["agent"], body["role"]) == (None, None)
    assert body["topics"] == [f"customer_id:{acme.pk}:*:*"]


def test_a_narrowed_key_without_an_agent_learns_no_names() -> None:
    acme = customer()
    agent(acme)
    Queue.objects.create(customer=acme, name="Sales")
    _, secret = access_key(acme, allowed_topics=[f"customer_id:{acme.pk}:call:*"])
    body = me(secret)
    assert (body["agents"], body["queues"]) == ([], [])


def test_a_credential_is_required() -> None:
    assert Client().get("/v1.0/me").status_code == 401


def test_a_key_that_only_publishes_learns_no_names() -> None:
    _, secret = access_key(customer(), may_subscribe=False, may_publish=True)
    answer = Client().get("/v1.0/me", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 403
    assert "may subscribe" in answer.json()["message"]


# --- Of which customer ---


def test_platform_staff_learn_the_names_of_the_customer_that_they_name() -> None:
    acme, globex = customer("Acme"), customer("Globex")
    staff, ann = agent(acme, "staff"), agent(globex)
    queue = Queue.objects.create(customer=globex, name="Front operator")
    body = me(issue_token(staff), customer_id=str(globex.pk))
    assert body["customer"] == {"id": str(globex.pk), "name": "Globex"}
    assert body["agent"]["id"] == str(staff.pk)
    assert body["topics"][0] == f"customer_id:{globex.pk}:*:*"
    assert [each["id"] for each in body["agents"]] == [str(ann.pk)]
    assert body["queues"] == [{"id": str(queue.pk), "name": "Front operator", "agent_ids": []}]
    assert ask(issue_token(staff), "/v1.0/me", customer_id=str(uuid.uuid4())).status_code == 404
    assert ask(issue_token(staff), "/v1.0/me", customer_id="globex").status_code == 400
    assert ask(issue_token(staff), "/v1.0/me", customer="globex").status_code == 400


@pytest.mark.parametrize("role", ["agent", "manager", "admin"])
def test_other_roles_do_not_learn_whether_another_customer_exists(role: str) -> None:
    acme, globex = customer("Acme"), customer("Globex")
    token = issue_token(agent(acme, role))
    there, absent = (ask(token, "/v1.0/me", customer_id=each) for each in (str(globex.pk), str(uuid.uuid4())))
    assert (there.status_code, absent.status_code) == (403, 403)
    assert there.json() == absent.json()
    assert me(token, customer_id=str(acme.pk)) | {"now": None} == me(token) | {"now": None}
    listed = ask(token, "/v1.0/customers").json()
    assert listed | {"now": None} == {"now": None, "items": [{"id": str(acme.pk), "name": "Acme"}]}


def test_platform_staff_see_all_customers_and_those_that_only_the_platform_knows() -> None:
    globex, acme = customer("Globex"), customer("Acme")
    unknown = str(uuid.uuid4())
    for customer_id in (unknown, str(acme.pk)):
        store(customer_id, "call.status", {"id": "c"})
    listed = ask(issue_token(agent(acme, "staff")), "/v1.0/customers").json()
    assert listed["items"] == [
        {"id": str(acme.pk), "name": "Acme"},
        {"id": str(globex.pk), "name": "Globex"},
        {"id": unknown, "name": None},
    ]


def test_a_key_that_only_publishes_learns_of_no_customer() -> None:
    _, secret = access_key(customer(), may_subscribe=False, may_publish=True)
    assert ask(secret, "/v1.0/customers").status_code == 403
