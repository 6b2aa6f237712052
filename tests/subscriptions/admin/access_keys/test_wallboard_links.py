"""The links of wallboards in the admin: made, shown once, changed, renewed and revoked."""

from __future__ import annotations

import pytest

from subscriptions.auth.authentication import identify
from subscriptions.models import AccessKey, AuditRecord, Customer, Queue
from tests.subscriptions.support.admin_client import AdminClient, address, superuser
from tests.subscriptions.support.people import access_key, customer

pytestmark = pytest.mark.django_db


def test_a_link_is_made_for_some_queues_and_shown_once(ada: AdminClient, acme: Customer) -> None:
    queue = Queue.objects.create(customer=acme, name="Support")
    foreign = Queue.objects.create(customer=customer("Globex"), name="Foreign")
    url = f"{address(AccessKey, 'add')}?kind=display"
    page = ada.get(url)
    assert "Add wallboard link" in page.text
    assert "may_publish" not in page.text
    assert "Foreign" not in page.text
    form = {"label": "Front wall", "expiry": "90", "made_as": page.hidden("made_as")}
    assert "Select a valid choice" in ada.post(url, form | {"queues": [str(foreign.pk)]}).errors[0]
    made = ada.post(url, form | {"queues": [str(queue.pk)]})
    assert f"http://testserver/wallboard/#key={made.secret}" in made.text
    assert "<svg " in made.text
    key = AccessKey.objects.get()
    assert (key.kind, key.queue_ids, key.may_publish) == ("display", [str(queue.pk)], False)
    assert identify(made.secret).is_display
    assert "wallboard of 1 queue" in ada.list(AccessKey, kind__exact="display").text
    assert made.secret not in ada.open(key).text
    assert AuditRecord.objects.filter(action="add", topic=f"accesskey:{key.pk}").exists()
    change = address(key, "change")
    assert ada.post(change, {"label": "Side wall", "expiry": "keep", "queues": []}).was_saved
    key.refresh_from_db()
    assert (key.label, key.queue_ids, key.kind) == ("Side wall", [], "display")
    renewed = ada.act("rotate_keys", [key])
    assert "/wallboard/#key=" in renewed.text
    assert identify(renewed.secret).is_display
    ada.act("revoke_keys", [key])
    assert "all queues" in ada.open(key).text


def test_platform_staff_choose_the_customer_first(acme: Customer) -> None:
    customer("Globex")
    page = superuser().get(address(AccessKey, "add"), kind="display")
    assert page.hidden("kind") == "display"


def test_the_link_of_another_customer_is_not_there(ada: AdminClient) -> None:
    key, _ = access_key(customer("Globex"), kind="display")
    assert ada.list(AccessKey).rows == 0
    assert ada.open(key).status != 200
