"""Audit records and the access version of changes over the control API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from subscriptions.auth.access_version import current_version
from subscriptions.models import AuditRecord
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db


def patch(secret: str, path: str, body: dict[str, Any]) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    answer = Client().patch(f"/v1.0/control/{path}", body, "application/json", headers=headers)
    return answer.status_code


def test_a_change_is_recorded_with_its_values_and_takes_effect() -> None:
    acme = customer()
    ann = agent(acme)
    _, secret = access_key(acme, may_control=True, may_publish=True)
    before = current_version()
    assert patch(secret, f"agents/{ann.pk}", {"role": "manager"}) == 200
    assert current_version() > before
    record = AuditRecord.objects.get(action="change")
    assert json.loads(record.changes) == {"role": ["agent", "manager"]}
    assert (record.topic, record.rule, record.customer_id) == (f"agent:{ann.pk}", "by-client", acme.pk)
    assert record.credential == f"key {secret[:11]}"
    assert patch(secret, f"agents/{ann.pk}", {"role": "manager"}) == 200
    assert AuditRecord.objects.filter(action="change").count() == 1


def test_a_key_of_an_agent_controls_only_while_the_agent_is_an_admin() -> None:
    acme = customer()
    boss = agent(acme, "admin")
    _, secret = access_key(acme, boss, may_control=True, may_publish=True)
    key = access_key(acme)[0]
    assert patch(secret, f"access-keys/{key.pk}", {"label": "X"}) == 200
    boss.role = "manager"
    boss.save()
    assert patch(secret, f"access-keys/{key.pk}", {"label": "Y"}) == 403
