"""The quotas of a customer and the rates of a key, in the admin pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.models import CustomerLog
from events.quotas.limits import Quotas, Rates
from subscriptions.admin.customers import CustomerAdmin
from subscriptions.auth.access_keys import rotate
from subscriptions.auth.authentication import identify
from subscriptions.auth.customer_quotas import fullest_storage
from subscriptions.auth.tokens import issue_token
from subscriptions.models import AccessKey, AuditRecord, Customer
from tests.subscriptions.support.admin_client import AdminClient, address, superuser
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db

DEFAULTS = {
    "CUSTOMER_EVENTS_PER_SECOND": 100,
    "CUSTOMER_BYTES_PER_SECOND": 250_500,
    "KEY_EVENTS_PER_SECOND": 10,
    "KEY_BYTES_PER_SECOND": 0,
    "CUSTOMER_MAX_STORED_BYTES": 5_000_000_000,
    "CUSTOMER_MAX_CONNECTIONS": 30,
}


@pytest.fixture(autouse=True)
def _defaults(settings: Any) -> None:
    for name, value in DEFAULTS.items():
        setattr(settings, name, value)


def quotas(secret: str) -> tuple[Quotas, Rates]:
    found = identify(secret)
    return found.quotas, found.rates


@pytest.fixture
def root() -> AdminClient:
    return superuser()


def save(root: AdminClient, acme: Customer, **fields: str) -> None:
    page = root.post(address(acme, "change"), {"name": "Acme", "is_active": "on", **fields})
    assert page.was_saved, page.errors


def test_empty_fields_are_the_defaults_of_the_settings(root: AdminClient, acme: Customer) -> None:
    _, secret = access_key(acme)
    assert quotas(secret) == (Quotas(Rates(100, 250_500), 5_000_000_000, 30), Rates(10, 0))
    page = root.get(address(acme, "change"))
    for text in (
        "Empty for the default: 100 (CUSTOMER_EVENTS_PER_SECOND).",
        "Empty for the default: 250.5 (CUSTOMER_BYTES_PER_SECOND).",
        "Empty for the default: 5,000 (CUSTOMER_MAX_STORED_BYTES).",
        "Empty for the default: 30 (CUSTOMER_MAX_CONNECTIONS).",
    ):
        assert text in page.text


def test_quotas_of_one_customer_are_its_own_and_recorded(root: AdminClient, acme: Customer) -> None:
    _, secret = access_key(acme)
    _, foreign = access_key(customer(name="Globex"))
    before = quotas(foreign)
    save(
        root, acme, events_per_second="7", kilobytes_per_second="0", stored_megabytes="2", max_connections="5"
    )
    assert quotas(secret)[0] == Quotas(Rates(7, 0), 2_000_000, 5)
    assert quotas(foreign) == before
    changes = json.loads(AuditRecord.objects.get(action="change", topic=f"customer:{acme.pk}").changes)
    assert changes["events_per_second"] == [None, 7]
    save(root, acme)
    assert quotas(secret)[0].rates == Rates(100, 250_500)


def test_a_token_has_the_quotas_of_its_customer(root: AdminClient, acme: Customer) -> None:
    save(root, acme, events_per_second="7")
    found = identify(issue_token(agent(acme)))
    assert (found.quotas.rates.events_per_second, found.rates) == (7, Rates(10, 0))


def test_a_key_has_rates_of_its_own_which_its_successor_keeps(ada: AdminClient, acme: Customer) -> None:
    key, secret = access_key(acme)
    form = {"label": key.label, "may_subscribe": "on", "expiry": "keep", "events_per_second": "3"}
    page = ada.post(address(key, "change"), {**form, "kilobytes_per_second": "2"})
    assert page.was_saved, page.errors
    assert quotas(secret)[1] == Rates(3, 2000)
    _, rotated = rotate(AccessKey.objects.get(), key.created_at)
    assert quotas(rotated)[1] == Rates(3, 2000)


def test_an_admin_sees_its_customers_quotas_and_does_not_change_them(
    ada: AdminClient, acme: Customer
) -> None:
    ada.post(address(acme, "change"), {"name": "Acme", "is_active": "on", "events_per_second": "0"})
    assert Customer.objects.get().events_per_second is None
    assert "events per second" in ada.get(address(acme, "change")).text.lower()


@pytest.mark.parametrize(
    ("used", "shown"),
    [
        (0, "0 bytes of 5 GB"),
        (1_234_567_890, "1.23 GB of 5 GB"),
        (4_100_000_000, "4.1 GB of 5 GB"),
        (5_000_000_001, "5 GB of 5 GB"),
    ],
)
def test_a_customers_page_shows_how_much_it_has_stored(
    root: AdminClient, acme: Customer, used: int, shown: str
) -> None:
    CustomerLog.objects.create(customer_id=acme.pk, written_bytes=used + 700, pruned_bytes=700)
    page = root.get(address(acme, "change"))
    assert shown in page.text
    assert ("raise the quota" in page.text) == (used > 4_000_000_000)


def test_the_list_of_customers_shows_the_fullest_first(root: AdminClient, acme: Customer) -> None:
    full = customer(name="Globex")
    CustomerLog.objects.create(customer_id=acme.pk, written_bytes=2_000_000_000)
    CustomerLog.objects.create(customer_id=full.pk, written_bytes=6_000_000_000)
    columns = CustomerAdmin.list_display
    text = root.list(Customer, o=f"-{list(columns).index('stored') + 1}").text
    assert 0 < text.index("6 GB of 5 GB") < text.index("2 GB of 5 GB")


def test_the_fullest_customer_is_measured(acme: Customer) -> None:
    assert fullest_storage() == 0
    small, unlimited = customer(name="Globex"), customer(name="Umbrella")
    Customer.objects.filter(pk=small.pk).update(stored_megabytes=1)
    Customer.objects.filter(pk=unlimited.pk).update(stored_megabytes=0)
    for each in (acme, small, unlimited):
        CustomerLog.objects.create(customer_id=each.pk, written_bytes=500_000)
    assert fullest_storage() == 0.5


def test_without_a_quota_a_customers_page_shows_what_is_stored(root: AdminClient, acme: Customer) -> None:
    save(root, acme, stored_megabytes="0")
    CustomerLog.objects.create(customer_id=acme.pk, written_bytes=2_500)
    assert "2.5 kB, without a limit" in root.get(address(acme, "change")).text
