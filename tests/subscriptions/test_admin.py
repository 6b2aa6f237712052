"""Who may enter the admin and whose rows each sees there: a stranger sees and reaches nothing."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from events.models import CustomerLog, Event, ResourceState
from subscriptions.models import AccessKey, Agent, AuditRecord, Customer, Queue
from tests.subscriptions.desk import Desk, address, admin_of, superuser
from tests.subscriptions.people import access_key, agent, customer

pytestmark = pytest.mark.django_db

INDEX = "/admin/"


@dataclass
class Tenant:
    """A customer with one of everything, and the mark that all of it bears."""

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
    ]
    for row in rows:
        row.refresh_from_db()
    return Tenant(mark, owner, rows)


@pytest.fixture
def acme() -> Tenant:
    return tenant("acme")


@pytest.fixture
def globex() -> Tenant:
    return tenant("globex")


@pytest.fixture
def ada(acme: Tenant) -> Desk:
    """The admin of Acme."""
    return admin_of(acme.customer)[0]


def everything(model: Any) -> str:
    return address(model, "changelist")


# --- Who may enter ---


@pytest.mark.parametrize("role", ["admin", "staff"])
def test_an_admin_and_platform_staff_enter(acme: Tenant, role: str) -> None:
    desk, _ = admin_of(acme.customer, role=role)
    assert desk.get(INDEX).status == 200


@pytest.mark.parametrize("role", ["agent", "manager"])
def test_who_is_neither_does_not_enter_even_with_the_flag(acme: Tenant, role: str) -> None:
    desk, _ = admin_of(acme.customer, role=role)
    assert desk.get(INDEX).status == 302
    assert desk.list(Agent).status == 302


@pytest.mark.parametrize("role", ["admin", "staff"])
def test_without_the_flag_nobody_enters(acme: Tenant, role: str) -> None:
    assert Desk(agent(acme.customer, role=role).user).get(INDEX).status == 302


def test_nobody_enters_without_logging_in(acme: Tenant) -> None:
    assert Desk(None).get(INDEX).status == 302
    assert Desk(None).open(acme.customer).status == 302


def test_who_is_switched_off_is_out_at_once(acme: Tenant) -> None:
    desk, person = admin_of(acme.customer)
    Agent.objects.filter(pk=person.pk).update(is_active=False)
    assert desk.get(INDEX).status == 302


def test_the_admin_of_a_customer_that_is_switched_off_is_out_at_once(acme: Tenant, ada: Desk) -> None:
    Customer.objects.filter(pk=acme.customer.pk).update(is_active=False)
    assert ada.get(INDEX).status == 302


def test_who_loses_the_role_is_out_at_once(acme: Tenant) -> None:
    desk, person = admin_of(acme.customer)
    Agent.objects.filter(pk=person.pk).update(role="manager")
    assert desk.get(INDEX).status == 302


def test_an_operator_of_djangos_permissions_sees_just_what_they_name(acme: Tenant, globex: Tenant) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_auditrecord"))
    desk = Desk(viewer)
    records = desk.list(AuditRecord)
    assert acme.mark in records.text and globex.mark in records.text
    assert desk.list(AccessKey).status == 403
    assert desk.open(acme.row(Agent)).status == 403


def test_an_operator_of_djangos_permissions_cannot_speak_for_platform_staff(acme: Tenant) -> None:
    staff = agent(acme.customer, role="staff")
    key, _ = access_key(acme.customer, agent=staff)
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="subscriptions"))
    desk = Desk(clerk)
    assert desk.open(acme.row(Agent)).status == 200
    assert desk.open(staff).status == 302
    assert desk.open(key).status == 302
    desk.act("rotate_keys", [key])
    assert AccessKey.objects.filter(replaces=key).count() == 0


# --- Whose rows they see ---


def test_a_superuser_sees_every_customer_on_every_list(acme: Tenant, globex: Tenant) -> None:
    desk = superuser()
    for row in globex.rows:
        page = desk.list(type(row))
        assert page.status == 200
        assert acme.mark in page.text and globex.mark in page.text, type(row)
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
        asked = [{}, {"q": "Ltd"}, {"customer": str(globex.customer.pk)}, {"q": str(globex.customer.pk)}, {"all": ""}]
        for query in asked:
            page = ada.list(model, **query)
            echo = page.text.replace(f'value="{query.get("q")}"', "")
            assert globex.mark not in echo, (model, query)
            assert page.status == 302 or not any(
                getattr(row, "customer_id", None) == globex.customer.pk for row in page.response.context["cl"].result_list
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
    ada.act("switch_off", [person])
    ada.act("sign_out_everywhere", [person])
    ada.act("delete_selected", [queue])
    ada.act("switch_off", [globex.customer])
    before = {type(row): row.__dict__ | {"_state": None} for row in globex.rows}
    for row in globex.rows:
        row.refresh_from_db()
        assert row.__dict__ | {"_state": None} == before[type(row)]
    assert AccessKey.objects.filter(customer=globex.customer).count() == 1


def test_an_admin_makes_nothing_for_a_stranger(globex: Tenant, ada: Desk) -> None:
    for model in (Agent, Queue, AccessKey):
        page = ada.get(address(model, "add"), customer=str(globex.customer.pk))
        assert page.status == 200
        assert globex.mark not in page.text
        query = f"?customer={globex.customer.pk}"
        ada.post(address(model, "add") + query, {"name": "x", "label": "x", "expiry": "never", "may_subscribe": "on"})
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
    assert acme.mark in desk.list(Event).text and globex.mark in desk.list(Event).text
    assert desk.open(globex.row(AccessKey)).status == 200
    assert desk.list(User).status == 403
    chief = Agent.objects.create(
        customer=acme.customer, user=User.objects.create_superuser("chief"), name="Chief", role="staff"
    )
    page = desk.open(chief)
    assert page.status == 200 and 'name="password"' not in page.text
    assert desk.post(address(chief, "change"), {"username": "taken", "name": "taken"}).status == 403


def test_the_index_is_in_groups_with_words_beside_each(ada: Desk) -> None:
    text = ada.get(INDEX).text
    groups = ["Who may do what", "What happened", "Who asked for what"]
    assert [text.index(group) for group in groups] == sorted(text.index(group) for group in groups)
    assert "Credentials of programs: make, revoke, rotate" in text
    assert "VoIPBIN gateway" in text
    assert "Logins of operators" not in text
    assert "Logins of operators" in superuser().get(INDEX).text


@pytest.mark.parametrize("query", [{"customer": "x"}, {"from": "x"}, {"period": "x"}, {"from": "2026-99-99T00:00"}])
def test_a_filter_that_means_nothing_leads_back_to_the_list(query: dict[str, str]) -> None:
    page = superuser().list(AuditRecord, **query)
    assert page.status == 302 and page.response.url.endswith("?e=1")


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model.__name__)
@pytest.mark.parametrize("words", ["\0", "%", "'\"", "é ü", "x" * 300, "00000000-0000-0000-0000-000000000000"])
def test_any_words_can_be_searched_for(model: Any, words: str) -> None:
    assert superuser().list(model, q=words).status == 200
