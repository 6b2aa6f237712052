"""The targets of queues and customers, in the admin pages."""

from __future__ import annotations

import pytest

from subscriptions.models import Customer, Queue
from subscriptions.models.targets import TARGETS
from tests.subscriptions.support.admin_client import AdminClient, address, superuser

pytestmark = pytest.mark.django_db


def test_a_queue_without_own_targets_shows_those_of_its_customer(ada: AdminClient, acme: Customer) -> None:
    Customer.objects.filter(pk=acme.pk).update(target_seconds=33)
    queue = Queue.objects.create(customer=acme, name="Sales")
    page = ada.get(address(queue, "change"))
    assert 'placeholder="33"' in page.text
    assert ada.post(address(queue, "change"), {"name": "Sales", "target_seconds": "12"}).was_saved
    queue.refresh_from_db()
    assert [getattr(queue, name) for name in TARGETS] == [12, None, None, None, None]
    assert ada.post(address(queue, "change"), {"name": "Sales", "target_seconds": ""}).was_saved
    queue.refresh_from_db()
    assert queue.target_seconds is None
    assert not ada.post(address(queue, "change"), {"name": "Sales", "target_percent": "101"}).was_saved


def test_a_customers_targets_that_are_left_empty_are_the_defaults(acme: Customer) -> None:
    operator = superuser()
    form = {"name": "Acme", "is_active": "on"}
    chosen = {**dict.fromkeys(TARGETS, "40"), "time_zone": "Europe/Berlin"}
    assert operator.post(address(acme, "change"), {**form, **chosen}).was_saved
    acme.refresh_from_db()
    assert [getattr(acme, name) for name in TARGETS] == [40] * len(TARGETS)
    assert operator.post(
        address(acme, "change"), {**form, **dict.fromkeys(TARGETS, ""), "time_zone": ""}
    ).was_saved
    acme.refresh_from_db()
    assert [getattr(acme, name) for name in TARGETS] == [target.default for target in TARGETS.values()]
    assert acme.time_zone == "UTC"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "Europe", "x" * 65])
def test_an_unknown_time_zone_is_refused(acme: Customer, name: str) -> None:
    page = superuser().post(address(acme, "change"), {"name": "Acme", "is_active": "on", "time_zone": name})
    assert not page.was_saved
    assert page.errors
