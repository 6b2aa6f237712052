"""Whether an agent is connected, in the admin, and the policy of a customer, in the admin and the control API."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from subscriptions.control.controller import Controller, Refused
from subscriptions.control.tenants import Customers
from subscriptions.models import Agent, AgentPresence, AuditRecord, Customer
from tests.subscriptions.support.admin_client import AdminClient, address, superuser
from tests.subscriptions.support.people import agent

pytestmark = pytest.mark.django_db


def test_the_list_and_the_page_of_agents_show_who_is_connected(ada: AdminClient, acme: Customer) -> None:
    ann, bob, lost = agent(acme), agent(acme), agent(acme)
    for row, is_lost in ((ann, False), (lost, True)):
        AgentPresence.objects.create(
            agent_id=row.pk, customer_id=acme.pk, since=timezone.now(), is_lost=is_lost
        )
    shown = {row.pk: row.is_present for row in ada.list(Agent).response.context["cl"].result_list}
    assert (shown[ann.pk], shown[bob.pk], shown[lost.pk]) == (True, False, False)
    assert ada.list(Agent).text.count(">connected<") == 1
    assert ">connected<" in ada.open(ann).text
    assert ">connected<" not in ada.open(bob).text


def test_the_form_of_a_customer_sets_the_policy_and_empty_means_the_default(acme: Customer) -> None:
    root = superuser()

    def save(**fields: str) -> list[str]:
        page = root.post(address(acme, "change"), {"name": "Acme", "is_active": "on", **fields})
        acme.refresh_from_db()
        return page.errors

    assert save(presence_policy="away", presence_grace_seconds="60") == []
    assert (acme.presence_policy, acme.presence_grace_seconds) == ("away", 60)
    assert "presence_policy" in AuditRecord.objects.latest("pk").changes
    for wrong in ("4", "3601", "x", "-1"):
        assert save(presence_policy="away", presence_grace_seconds=wrong) != []
    assert save(presence_policy="sleep") != []
    assert (acme.presence_policy, acme.presence_grace_seconds) == ("away", 60)
    assert save(presence_policy="", presence_grace_seconds="") == []
    assert (acme.presence_policy, acme.presence_grace_seconds) == ("keep", 30)


def test_the_control_api_sets_the_policy_and_names_what_is_right() -> None:
    customers, controller, pk = Customers(), Controller(None), str(uuid.uuid4())
    row = customers.put(controller, pk, {"name": "Acme", "presence_policy": "offline"}).row
    assert customers.shown(row)["presence_policy"] == "offline"
    assert customers.shown(row)["presence_grace_seconds"] == 30
    customers.patch(controller, pk, {"presence_grace_seconds": 5})
    assert Customer.objects.get(pk=pk).presence_grace_seconds == 5
    for field, value in (("presence_policy", "sleep"), ("presence_grace_seconds", 4)):
        with pytest.raises(Refused, match=field):
            customers.patch(controller, pk, {field: value})
