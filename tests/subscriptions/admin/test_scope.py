"""Whose rows an operator sees in the admin: a stranger sees and reaches nothing."""

from __future__ import annotations

import uuid

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse

from events.models import Event
from subscriptions.models import AccessKey, Agent, CloseOrder, Customer, LiveConnection, Queue
from tests.subscriptions.support.admin_client import AdminClient, address, admin_of, superuser
from tests.subscriptions.support.people import access_key, agent
from tests.subscriptions.support.tenants import Tenant

pytestmark = pytest.mark.django_db


def test_a_superuser_sees_every_customer_on_every_list(acme_tenant: Tenant, globex_tenant: Tenant) -> None:
    operator = superuser()
    for row in globex_tenant.rows:
        page = operator.list(type(row))
        assert page.status == 200
        assert acme_tenant.mark in page.text, type(row)
        assert globex_tenant.mark in page.text, type(row)
        assert operator.open(row).status == 200


def test_an_admin_sees_the_own_customer_on_every_list(acme_tenant: Tenant, acme_admin: AdminClient) -> None:
    for row in acme_tenant.rows:
        assert acme_tenant.mark in acme_admin.list(type(row)).text, type(row)
        assert acme_admin.open(row).status == 200


def test_an_admin_sees_a_stranger_on_no_list_whatever_the_query(
    globex_tenant: Tenant, acme_admin: AdminClient
) -> None:
    # All that are registered, so that a page added later is held to it as well.
    for model in admin.site._registry:
        if acme_admin.list(model).status == 403:
            continue
        queries = [
            {},
            {"q": "Ltd"},
            {"customer": str(globex_tenant.customer.pk)},
            {"q": str(globex_tenant.customer.pk)},
            {"key": str(globex_tenant.row(AccessKey).pk)},
            {"pace": "behind"},
            {"all": ""},
        ]
        for query in queries:
            page = acme_admin.list(model, **query)
            echo = page.text.replace(f'value="{query.get("q")}"', "")
            assert globex_tenant.mark not in echo, (model, query)
            assert page.status == 400 or not any(
                getattr(row, "customer_id", None) == globex_tenant.customer.pk
                for row in page.response.context["cl"].result_list
            ), (model, query)


def test_an_admin_reaches_no_page_of_a_strangers_row(globex_tenant: Tenant, acme_admin: AdminClient) -> None:
    for row in globex_tenant.rows:
        for page in ("change", "delete", "history"):
            answer = acme_admin.get(address(row, page))
            assert answer.status in (302, 403), (type(row), page)
            assert globex_tenant.mark not in answer.text


def test_an_admin_changes_no_row_of_a_stranger(globex_tenant: Tenant, acme_admin: AdminClient) -> None:
    person, queue, key = globex_tenant.row(Agent), globex_tenant.row(Queue), globex_tenant.row(AccessKey)
    for row in (globex_tenant.customer, person, queue, key):
        acme_admin.post(address(row, "change"), {"name": "taken", "label": "taken"})
        acme_admin.post(address(row, "delete"), {"post": "yes"})
    acme_admin.act("revoke_keys", [key])
    acme_admin.act("rotate_keys", [key])
    acme_admin.act("close_sockets", [key])
    acme_admin.act("close_connections", [globex_tenant.row(LiveConnection)])
    acme_admin.act("switch_off", [person])
    acme_admin.act("sign_out_everywhere", [person])
    acme_admin.act("delete_selected", [queue])
    acme_admin.act("switch_off", [globex_tenant.customer])
    before = {type(row): row.__dict__ | {"_state": None} for row in globex_tenant.rows}
    for row in globex_tenant.rows:
        row.refresh_from_db()
        assert row.__dict__ | {"_state": None} == before[type(row)]
    assert AccessKey.objects.filter(customer=globex_tenant.customer).count() == 1
    assert not CloseOrder.objects.exists()


def test_an_admin_makes_nothing_for_a_stranger(globex_tenant: Tenant, acme_admin: AdminClient) -> None:
    for model in (Agent, Queue, AccessKey):
        page = acme_admin.get(address(model, "add"), customer=str(globex_tenant.customer.pk))
        assert page.status == 200
        assert globex_tenant.mark not in page.text
        query = f"?customer={globex_tenant.customer.pk}"
        acme_admin.post(
            address(model, "add") + query,
            {"name": "x", "label": "x", "expiry": "never", "may_subscribe": "on"},
        )
    assert Queue.objects.filter(customer=globex_tenant.customer).count() == 1
    assert AccessKey.objects.filter(customer=globex_tenant.customer).count() == 1
    assert Agent.objects.filter(customer=globex_tenant.customer).count() == 1


def test_an_admin_is_offered_only_the_own_queues_and_agents(
    acme_tenant: Tenant, globex_tenant: Tenant, acme_admin: AdminClient
) -> None:
    assert acme_tenant.mark in acme_admin.get(address(Queue, "add")).text
    foreign_queue = str(globex_tenant.row(Queue).pk)
    page = acme_admin.post(
        address(Agent, "add"),
        {
            "name": "Nina",
            "id": str(uuid.uuid4()),
            "username": "nina",
            "role": "agent",
            "is_active": "on",
            "status": "offline",
            "queues": [foreign_queue],
        },
    )
    assert [error for error in page.errors if foreign_queue in error]
    assert not User.objects.filter(username="nina").exists()


def test_completion_offers_an_admin_the_own_customer_alone(
    acme_tenant: Tenant, globex_tenant: Tenant, acme_admin: AdminClient
) -> None:
    query = {"app_label": "subscriptions", "model_name": "accesskey", "field_name": "customer", "term": "Ltd"}
    offered = acme_admin.get(reverse("admin:autocomplete"), **query).response.json()["results"]
    assert [each["text"] for each in offered] == [acme_tenant.customer.name]
    assert len(superuser().get(reverse("admin:autocomplete"), **query).response.json()["results"]) == 2


def test_an_admin_looks_at_the_own_customer_but_does_not_decide_on_it(
    acme_tenant: Tenant, acme_admin: AdminClient
) -> None:
    acme_admin.post(address(acme_tenant.customer, "change"), {"name": "renamed", "is_active": ""})
    acme_admin.post(address(acme_tenant.customer, "delete"), {"post": "yes"})
    acme_admin.act("switch_off", [acme_tenant.customer])
    assert acme_admin.post(address(Customer, "add"), {"name": "another"}).status == 403
    acme_tenant.customer.refresh_from_db()
    assert (acme_tenant.customer.name, acme_tenant.customer.is_active) == ("acme Ltd", True)


def test_an_admin_sees_no_platform_staff_of_the_own_customer(
    acme_tenant: Tenant, acme_admin: AdminClient
) -> None:
    staff = agent(acme_tenant.customer, role="staff")
    Agent.objects.filter(pk=staff.pk).update(name="the-one-of-the-platform")
    key, _ = access_key(acme_tenant.customer, agent=staff)
    for model in (Agent, AccessKey):
        assert "the-one-of-the-platform" not in acme_admin.list(model).text
    assert "the-one-of-the-platform" not in acme_admin.get(address(AccessKey, "add")).text
    assert "the-one-of-the-platform" not in acme_admin.get(address(Queue, "add")).text
    assert acme_admin.open(staff).status == 302
    assert acme_admin.open(key).status == 302
    page = acme_admin.post(
        address(AccessKey, "add"),
        {"label": "mine", "agent": str(staff.pk), "expiry": "never", "may_subscribe": "on"},
    )
    assert page.errors
    assert AccessKey.objects.filter(agent=staff).count() == 1


def test_an_admin_sees_neither_users_nor_groups(acme_admin: AdminClient) -> None:
    for model in (User, Group):
        assert acme_admin.list(model).status == 403
        assert acme_admin.get(address(model, "add")).status == 403


def test_platform_staff_see_all_customers_but_no_users_and_touch_no_superuser(
    acme_tenant: Tenant, globex_tenant: Tenant
) -> None:
    operator, _ = admin_of(acme_tenant.customer, role="staff")
    assert acme_tenant.mark in operator.list(Event).text
    assert globex_tenant.mark in operator.list(Event).text
    assert operator.open(globex_tenant.row(AccessKey)).status == 200
    assert operator.list(User).status == 403
    chief = Agent.objects.create(
        customer=acme_tenant.customer, user=User.objects.create_superuser("chief"), name="Chief", role="staff"
    )
    page = operator.open(chief)
    assert page.status == 200
    assert 'name="password"' not in page.text
    assert operator.post(address(chief, "change"), {"username": "taken", "name": "taken"}).status == 403
