"""Signing an agent out: permissions, the record, and what ends and what stays."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from subscriptions.models import Agent, AuditRecord
from tests.events.support.people import ANONYMOUS, ClientInfo, Company, new_id

pytestmark = pytest.mark.django_db(transaction=True)


def address(agent: ClientInfo | str) -> str:
    return f"/v1.0/agents/{agent if isinstance(agent, str) else agent.agent_id}/sign-out"


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_managers_and_admins_end_all_tokens_of_an_agent_and_it_is_on_record(role: str) -> None:
    acme, globex = Company(), Company("Globex")
    ann, bob, foreign = acme.person(), acme.person(), globex.person()
    boss, key = acme.person(role), acme.key(ann)
    answer = boss.post(address(ann), {})
    assert (answer.status, answer.timeless) == (200, {"agent_id": ann.agent_id})
    assert ann.get("/v1.0/me").status == 401
    assert [each.get("/v1.0/me").status for each in (key, bob, boss, foreign)] == [200] * 4
    (record,) = AuditRecord.objects.filter(action="logout")
    assert (record.topic, record.rule, str(record.agent_id)) == (
        f"agent:{ann.agent_id}",
        "by-client",
        boss.agent_id,
    )
    assert str(record.customer_id) == acme.id


def test_another_customers_agent_is_answered_as_one_that_does_not_exist() -> None:
    manager, foreign = Company().person("manager"), Company("Globex").person()
    refused, unknown = manager.post(address(foreign), ""), manager.post(address(new_id()), "")
    assert (refused.status, refused.body) == (unknown.status, unknown.body)
    assert refused.status == 404
    assert foreign.get("/v1.0/me").status == 200


def test_platform_staff_sign_out_every_agent() -> None:
    ann = Company().person()
    assert Company("Platform").person("staff").post(address(ann), "").status == 200
    assert ann.get("/v1.0/me").status == 401


def test_agents_and_keys_sign_out_no_one() -> None:
    acme = Company()
    ann, bob = acme.person(), acme.person()
    for who in (bob, acme.key(), acme.key(bob), acme.key(may_publish=True), ann):
        assert who.post(address(ann), "").status == 403
        assert who.post(address(new_id()), "").status == 403
    assert ANONYMOUS.post(address(ann), "").status == 401
    assert ann.get("/v1.0/me").status == 200


def test_no_one_signs_out_a_person_with_a_higher_role() -> None:
    acme = Company()
    admin, manager = acme.person("admin"), acme.person("manager")
    root = acme.person("manager")
    User.objects.filter(pk=Agent.objects.get(pk=root.agent_id).user_id).update(is_superuser=True)
    for above in (admin, root):
        answer = manager.post(address(above), "")
        assert (answer.status, answer.body["code"]) == (403, "PERMISSION_DENIED")
        assert above.get("/v1.0/me").status == 200
    assert admin.post(address(manager), "").status == 200
    assert manager.get("/v1.0/me").status == 401


def test_unknown_fields_are_refused_and_end_nothing() -> None:
    acme = Company()
    ann = acme.person()
    assert acme.person("manager").post(address(ann), {"everywhere": True}).status == 400
    assert ann.get("/v1.0/me").status == 200


def test_a_key_that_is_limited_to_other_topics_finds_no_agent() -> None:
    acme = Company()
    ann, boss = acme.person(), acme.person("manager")
    agents = f"customer_id:{acme.id}:agent:*"
    for allowed, status in ((f"customer_id:{acme.id}:call:*", 404), (agents, 200)):
        key = acme.key(boss, allowed_topics=[allowed])
        assert key.get(f"/v1.0/agents/{ann.agent_id}/status").status == status
        assert key.get(f"/v1.0/agents/{ann.agent_id}/day").status == status
        assert key.put(f"/v1.0/agents/{ann.agent_id}/status", {"status": "away"}).status == status
        assert key.post(address(ann), "").status == status
