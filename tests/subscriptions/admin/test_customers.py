"""The admin pages of customers and queues: creating, switching off, deleting."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import User

from subscriptions.auth.authentication import identify
from subscriptions.auth.credentials import BadCredential
from subscriptions.models import AccessKey, Agent, AuditRecord, Customer, Queue
from tests.subscriptions.support.admin_client import AdminClient, address, admin_of, superuser
from tests.subscriptions.support.people import access_key, agent, customer
from tests.subscriptions.support.tenants import tenant

pytestmark = pytest.mark.django_db


# --- Queues ---


def test_a_queue_is_made_with_the_agents_who_serve_it(ada: AdminClient, acme: Customer) -> None:
    person = agent(acme)
    page = ada.post(
        address(Queue, "add"), {"name": "Sales", "id": str(uuid.uuid4()), "agents": [str(person.pk)]}
    )
    assert page.was_saved, page.errors
    queue = Queue.objects.get()
    assert (queue.customer, list(queue.agents.all())) == (acme, [person])
    assert "1 agent" in ada.list(Queue).text
    assert ada.list(Agent, queue=str(queue.pk)).rows == 1


def test_an_admin_neither_chooses_the_id_of_a_queue_nor_learns_that_it_exists(ada: AdminClient) -> None:
    foreign = Queue.objects.create(customer=customer(name="Globex"), name="Sales")
    assert 'name="id"' not in ada.get(address(Queue, "add")).text
    assert ada.post(address(Queue, "add"), {"name": "Support", "id": str(foreign.pk)}).was_saved
    assert Queue.objects.get(name="Support").pk != foreign.pk


def test_platform_staff_who_serve_a_queue_stay_when_an_admin_changes_it(
    ada: AdminClient, acme: Customer
) -> None:
    queue = Queue.objects.create(customer=acme, name="Sales")
    staff, person = agent(acme, role="staff"), agent(acme)
    queue.agents.set([staff, person])
    assert ada.post(address(queue, "change"), {"name": "Sales"}).was_saved
    assert list(queue.agents.all()) == [staff]


# --- Customers ---


def test_a_customer_is_made_with_the_platforms_own_id() -> None:
    own = str(uuid.uuid4())
    assert (
        superuser().post(address(Customer, "add"), {"name": "Acme", "id": own, "is_active": "on"}).was_saved
    )
    assert str(Customer.objects.get().pk) == own


def test_a_customers_id_stays(acme: Customer) -> None:
    superuser().post(address(acme, "change"), {"name": "Renamed", "id": str(uuid.uuid4()), "is_active": "on"})
    assert Customer.objects.get().pk == acme.pk
    assert Customer.objects.get().name == "Renamed"


def test_switching_a_customer_off_refuses_its_credentials(acme: Customer) -> None:
    _, secret = access_key(acme)
    superuser().act("switch_off", [acme])
    with pytest.raises(BadCredential) as refusal:
        identify(secret)
    assert refusal.value.rule == "inactive-customer"


def test_deleting_a_customer_says_what_goes_and_leaves_what_happened(acme: Customer) -> None:
    gone = tenant("gone")
    stranger = access_key(acme)[0]
    operator = superuser()
    page = operator.get(address(gone.customer, "delete"))
    for word in ("gone person", "gone queue", "gone key", "Events and audit records remain"):
        assert word in page.text
    assert "Agent-queue relationship" not in page.text
    assert operator.post(address(gone.customer, "delete"), {"post": "yes"}).was_saved
    for row in gone.rows:
        stays = type(row) not in (Customer, Agent, Queue, AccessKey)
        assert type(row).objects.filter(pk=row.pk).exists() == stays, type(row)
    assert AccessKey.objects.filter(pk=stranger.pk).exists()
    assert not User.objects.filter(username="gone-login").exists()
    assert operator.open(gone.row(AuditRecord)).status == 200


def test_customers_are_deleted_one_at_a_time(acme: Customer) -> None:
    superuser().act("delete_selected", [acme])
    assert Customer.objects.filter(pk=acme.pk).exists()


def test_platform_staff_delete_a_customer_with_its_keys(acme: Customer) -> None:
    other = customer("Globex")
    access_key(other)
    operator, _ = admin_of(acme, role="staff")
    assert operator.post(address(other, "delete"), {"post": "yes"}).was_saved
    assert not Customer.objects.filter(pk=other.pk).exists()


def test_what_is_added_begins_with_the_customer_where_there_are_several(acme: Customer) -> None:
    operator = superuser()
    assert 'name="name"' in operator.get(address(Queue, "add")).text
    other = customer("Globex")
    page = operator.get(address(Queue, "add"))
    assert 'name="name"' not in page.text
    assert 'name="customer"' in page.text
    query = f"?customer={other.pk}"
    assert operator.post(address(Queue, "add") + query, {"name": "Sales", "id": str(uuid.uuid4())}).was_saved
    assert Queue.objects.get().customer == other
    assert operator.post(address(Queue, "add"), {"name": "Lost", "id": str(uuid.uuid4())}).status == 200
    assert Queue.objects.count() == 1


def test_without_customers_the_page_links_to_adding_one() -> None:
    assert "There is no customer yet" in superuser().get(address(Agent, "add")).text
