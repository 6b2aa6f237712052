"""Whose rows an operator sees in the admin: a stranger sees and reaches nothing."""

from __future__ import annotations

import uuid

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse

from events.models import Event
from subscriptions.models import AccessKey, Agent, CloseOrder, Customer, LiveConnection, Queue
from tests.subscriptions.support.admin_client import Desk, address, admin_of, superuser
from tests.subscriptions.support.people import access_key, agent
from tests.subscriptions.support.tenants import Tenant

pytestmark = pytest.mark.django_db


def test_a_superuser_sees_every_customer_on_every_list(acme: Tenant, globex: Tenant) -> None:
    desk = superuser()
    for row in globex.rows:
        page = desk.list(type(row))
        assert page.status == 200
        assert acme.mark in page.text, type(row)
        assert globex.mark in page.text, type(row)
        assert desk.open(row).status == 200


def test_an_admin_sees_the_own_customer_on_every_list(acme: Tenant, ada: Desk) -> None:
    for row in acme.rows:
        assert acme.mark in ada.list(type(row)).text, type(row)
        assert ada.open(row).status == 200


def test_an_admin_sees_a_stranger_on_no_list_whatever_is_asked_for(globex: Tenant, ada: Desk) -> None:
    # All that are registered, so that a page added later is held to it as well.
    for model in admin.site._registry:
        if ada.list(model).status == 403:
            continue
        asked = [
            {},
            {"q": "Ltd"},
            {"customer": str(globex.customer.pk)},
            {"q": str(globex.customer.pk)},
            {"key": str(globex.row(AccessKey).pk)},
            {"pace": "behind"},
            {"all": ""},
        ]
        for query in asked:
            page = ada.list(model, **query)
            echo = page.text.replace(f'value="{query.get("q")}"', "")
            assert globex.mark not in echo, (model, query)
            assert page.status == 302 or not any(
                getattr(row, "customer_id", None) == globex.customer.pk
                for row in page.response.context["cl"].result_list
            ), (model, query)


def test_an_admin_reaches_no_page_of_a_strangers_row(globex: Tenant, ada: Desk) -> None:
    for row in globex.rows:
        for page in ("change", "delete", "history"):
            answer = ada.get(address(row, page))
            assert answer.status in (302, 403), (type(row), page)
            assert globex.mark not in answer.text


def test_an_admin_changes_no_row_of_a_stranger(globex: Tenant, ada: Desk) -> None:
    person, queue, key = globex.row(Agent), globex.row(Queue), globex.row(AccessKey)
    for row in (globex.customer, person, queue, key):
        ada.post(address(row, "change"), {"name": "taken", "label": "taken"})
        ada.post(address(row, "delete"), {"post": "yes"})
    ada.act("revoke_keys", [key])
    ada.act("rotate_keys", [key])
    ada.act("close_sockets", [key])
    ada.act("close_connections", [globex.row(LiveConnection)])
    ada.act("switch_off", [person])
    ada.act("sign_out_everywhere", [person])
    ada.act("delete_selected", [queue])
    ada.act("switch_off", [globex.customer])
    before = {type(row): row.__dict__ | {"_state": None} for row in globex.rows}
    for row in globex.rows:
        row.refresh_from_db()
        assert row.__dict__ | {"_state": None} == before[type(row)]
    assert AccessKey.objects.filter(customer=globex.customer).count() == 1
    assert not CloseOrder.objects.exists()


def test_an_admin_makes_nothing_for_a_stranger(globex: Tenant, ada: Desk) -> None:
    for model in (Agent, Queue, AccessKey):
        page = ada.get(address(model, "add"), customer=str(globex.customer.pk))
        assert page.status == 200
        assert globex.mark not in page.text
        query = f"?customer={globex.customer.pk}"
        ada.post(
            address(model, "add") + query,
            {"name": "x", "label": "x", "expiry": "never", "may_subscribe": "on"},
        )
    assert Queue.objects.filter(customer=globex.customer).count() == 1
    assert AccessKey.objects.filter(customer=globex.customer).count() == 1
    assert Agent.objects.filter(customer=globex.customer).count() == 1


def test_an_admin_is_offered_only_the_own_queues_and_agents(acme: Tenant, globex: Tenant, ada: Desk) -> None:
    assert acme.mark in ada.get(address(Queue, "add")).text
    foreign_queue = str(globex.row(Queue).pk)
    page = ada.post(
        address(Agent, "add"),
        {
            "name": "Nina",
            "id": str(uuid.uuid4()),
            "username": "nina",
            "password": "correct horse 1",
            "password_again": "correct horse 1",
            "role": "agent",
            "is_active": "on",
            "status": "offline",
            "queues": [foreign_queue],
        },
    )
    assert [error for error in page.errors if foreign_queue in error]
    assert not User.objects.filter(username="nina").exists()


def test_completion_offers_an_admin_the_own_customer_alone(acme: Tenant, globex: Tenant, ada: Desk) -> None:
    query = {"app_label": "subscriptions", "model_name": "accesskey", "field_name": "customer", "term": "Ltd"}
    offered = ada.get(reverse("admin:autocomplete"), **query).response.json()["results"]
    assert [each["text"] for each in offered] == [acme.customer.name]
    assert len(superuser().get(reverse("admin:autocomplete"), **query).response.json()["results"]) == 2


def test_an_admin_looks_at_the_own_customer_but_does_not_decide_on_it(acme: Tenant, ada: Desk) -> None:
    ada.post(address(acme.customer, "change"), {"name": "renamed", "is_active": ""})
    ada.post(address(acme.customer, "delete"), {"post": "yes"})
    ada.act("switch_off", [acme.customer])
    assert ada.post(address(Customer, "add"), {"name": "another"}).status == 403
    acme.customer.refresh_from_db()
    assert (acme.customer.name, acme.customer.is_active) == ("acme Ltd", True)


def test_an_admin_sees_no_platform_staff_of_the_own_customer(acme: Tenant, ada: Desk) -> None:
    staff = agent(acme.customer, role="staff")
    Agent.objects.filter(pk=staff.pk).update(name="the-one-of-the-platform")
    key, _ = access_key(acme.customer, agent=staff)
    for model in (Agent, AccessKey):
        assert "the-one-of-the-platform" not in ada.list(model).text
    assert "the-one-of-the-platform" not in ada.get(address(AccessKey, "add")).text
    assert "the-one-of-the-platform" not in ada.get(address(Queue, "add")).text
    assert ada.open(staff).status == 302
    assert ada.open(key).status == 302
    page = ada.post(
        address(AccessKey, "add"),
        {"label": "mine", "agent": str(staff.pk), "expiry": "never", "may_subscribe": "on"},
    )
    assert page.errors
    assert AccessKey.objects.filter(agent=staff).count() == 1


def test_an_admin_sees_neither_users_nor_groups(ada: Desk) -> None:
    for model in (User, Group):
        assert ada.list(model).status == 403
        assert ada.get(address(model, "add")).status == 403


def test_platform_staff_see_all_customers_but_no_users_and_touch_no_superuser(
    acme: Tenant, globex: Tenant
) -> None:
    desk, _ = admin_of(acme.customer, role="staff")
    assert acme.mark in desk.list(Event).text
    assert globex.mark in desk.list(Event).text
    assert desk.open(globex.row(AccessKey)).status == 200
    assert desk.list(User).status == 403
    chief = Agent.objects.create(
        customer=acme.customer, user=User.objects.create_superuser("chief"), name="Chief", role="staff"
    )
    page = desk.open(chief)
    assert page.status == 200
    assert 'name="password"' not in page.text
    assert desk.post(address(chief, "change"), {"username": "taken", "name": "taken"}).status == 403
