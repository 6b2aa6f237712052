"""Access to the admin, the order of its index, and robust searches and filters."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User

from subscriptions.models import AccessKey, Agent, AuditRecord, Customer
from tests.subscriptions.support.admin_client import AdminClient, admin_of, superuser
from tests.subscriptions.support.people import access_key, agent
from tests.subscriptions.support.tenants import Tenant

pytestmark = pytest.mark.django_db

INDEX = "/admin/"


@pytest.mark.parametrize("role", ["admin", "staff"])
def test_an_admin_and_platform_staff_enter(acme_tenant: Tenant, role: str) -> None:
    operator, _ = admin_of(acme_tenant.customer, role=role)
    assert operator.get(INDEX).status == 200


@pytest.mark.parametrize("role", ["agent", "manager"])
def test_who_is_neither_does_not_enter_even_with_the_flag(acme_tenant: Tenant, role: str) -> None:
    operator, _ = admin_of(acme_tenant.customer, role=role)
    assert operator.get(INDEX).status == 302
    assert operator.list(Agent).status == 302


@pytest.mark.parametrize("role", ["admin", "staff"])
def test_the_staff_flag_is_required(acme_tenant: Tenant, role: str) -> None:
    assert AdminClient(agent(acme_tenant.customer, role=role).user).get(INDEX).status == 302


def test_signing_in_is_required(acme_tenant: Tenant) -> None:
    assert AdminClient(None).get(INDEX).status == 302
    assert AdminClient(None).open(acme_tenant.customer).status == 302


def test_who_is_switched_off_is_out_at_once(acme_tenant: Tenant) -> None:
    operator, person = admin_of(acme_tenant.customer)
    Agent.objects.filter(pk=person.pk).update(is_active=False)
    assert operator.get(INDEX).status == 302


def test_the_admin_of_a_customer_that_is_switched_off_is_out_at_once(
    acme_tenant: Tenant, acme_admin: AdminClient
) -> None:
    Customer.objects.filter(pk=acme_tenant.customer.pk).update(is_active=False)
    assert acme_admin.get(INDEX).status == 302


def test_who_loses_the_role_is_out_at_once(acme_tenant: Tenant) -> None:
    operator, person = admin_of(acme_tenant.customer)
    Agent.objects.filter(pk=person.pk).update(role="manager")
    assert operator.get(INDEX).status == 302


def test_an_operator_of_djangos_permissions_sees_just_what_they_name(
    acme_tenant: Tenant, globex_tenant: Tenant
) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_auditrecord"))
    operator = AdminClient(viewer)
    records = operator.list(AuditRecord)
    assert acme_tenant.mark in records.text
    assert globex_tenant.mark in records.text
    assert operator.list(AccessKey).status == 403
    assert operator.open(acme_tenant.row(Agent)).status == 403


def test_an_operator_of_djangos_permissions_cannot_speak_for_platform_staff(acme_tenant: Tenant) -> None:
    staff = agent(acme_tenant.customer, role="staff")
    key, _ = access_key(acme_tenant.customer, agent=staff)
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="subscriptions"))
    operator = AdminClient(clerk)
    assert operator.open(acme_tenant.row(Agent)).status == 200
    assert operator.open(staff).status == 302
    assert operator.open(key).status == 302
    operator.act("rotate_keys", [key])
    assert AccessKey.objects.filter(replaces=key).count() == 0


def test_the_index_is_in_groups_with_descriptions(acme_admin: AdminClient) -> None:
    text = acme_admin.get(INDEX).text
    groups = [f"{title}</a></caption>" for title in ("Customers and access", "Events", "Audit")]
    assert [text.index(group) for group in groups] == sorted(text.index(group) for group in groups)
    assert "Credentials of programs: create, revoke, rotate" in text
    assert "VoIPBIN gateway" in text
    assert "Accounts of operators" not in text
    assert "Accounts of operators" in superuser().get(INDEX).text


@pytest.mark.parametrize(
    "query",
    [
        {"customer": "x"},
        {"from": "x"},
        {"period": "x"},
        {"from": "2026-99-99T00:00"},
        {"from": "0001-01-01T00:00+14:00"},
        {"until": "9999-12-31T23:59-14:00"},
        {"_facets": ""},
        {"o": "1." * 5000},
        {"agent_id__in": ",".join(["1"] * 5000)},
    ],
)
def test_a_filter_that_means_nothing_is_refused(query: dict[str, str]) -> None:
    page = superuser().list(AuditRecord, **query)
    assert page.status == 400
    assert "This list has no such filter, value or page" in page.text


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model.__name__)
@pytest.mark.parametrize("text", ["\0", "%", "'\"", "é ü", "x" * 200, "00000000-0000-0000-0000-000000000000"])
def test_any_text_can_be_searched_for(model: Any, text: str) -> None:
    assert superuser().list(model, q=text).status == 200
