"""A customer's page with the steps that are left, and empty lists that say what to do next."""

from __future__ import annotations

from typing import Any

import pytest

from events.models import CustomerLog, Event, ResourceState
from subscriptions.audit.store import append
from subscriptions.models import AccessKey, Agent, AuditRecord, Customer, LiveConnection, Queue
from tests.events.support.stored import store
from tests.subscriptions.support.admin_client import AdminClient, address, superuser
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db


def steps(operator: AdminClient, of: Customer) -> list[bool]:
    return [step.is_done for step in operator.open(of).response.context["setup_steps"]]


def test_a_new_customer_has_all_steps_with_the_pages_where_they_are_done() -> None:
    root, acme = superuser(), customer()
    page = root.open(acme)
    assert steps(root, acme) == [False] * 6
    for model in (Queue, Agent, AccessKey):
        assert f'href="{address(model, "add")}?customer={acme.pk}"' in page.text


def test_each_step_is_done_by_what_it_names_and_at_the_end_there_is_none() -> None:
    root, acme, globex = superuser(), customer(), customer("Globex")
    done = []
    queue = Queue.objects.create(customer=acme, name="Support")
    done.append(steps(root, acme))
    ann = agent(acme)
    done.append(steps(root, acme))
    ann.queues.add(queue)
    done.append(steps(root, acme))
    access_key(acme, may_publish=True)
    done.append(steps(root, acme))
    store(str(acme.pk), "call.created", {"id": "c"})
    done.append(steps(root, acme))
    assert done == [[True] * count + [False] * (6 - count) for count in range(1, 6)]
    append([AuditRecord(action="connect", customer_id=acme.pk, connection_id=acme.pk)])
    assert steps(root, acme) == []
    assert "To set up this customer" not in root.open(acme).text
    assert steps(root, globex) == [False] * 6


def test_a_customers_own_admin_has_the_steps_too(ada: AdminClient, acme: Customer) -> None:
    assert steps(ada, acme) == [False] * 6
    assert "Add a queue" in ada.open(acme).text


LISTS = (Customer, Queue, Agent, AccessKey, Event, ResourceState, CustomerLog, LiveConnection)


@pytest.mark.parametrize("model", LISTS)
def test_an_empty_list_says_what_makes_rows_appear(model: Any) -> None:
    page = superuser().list(model)
    names = str(model._meta.verbose_name_plural)
    assert f"<strong>No {names} yet.</strong>" in page.text
    [pages] = [page.response.context["cl"].model_admin]
    assert str(pages.empty_text) in page.text.replace("&#x27;", "'")
    assert pages.empty_text


@pytest.mark.parametrize("model", LISTS)
def test_a_search_without_a_result_leads_back_to_the_list(model: Any) -> None:
    page = superuser().list(model, q="nothing like it")
    assert "<strong>Nothing matches.</strong>" in page.text
    assert '<a href="?">Show all' in page.text


def test_each_thing_has_one_name_in_menu_title_and_path(ada: AdminClient) -> None:
    page = ada.list(AuditRecord)
    assert page.text.count("Audit log") >= 3
    assert "Audit records" not in page.text
    assert "Customers and subscriptions" not in page.text
    assert "Log positions" in ada.list(CustomerLog).text


def test_signing_in_is_called_so_everywhere() -> None:
    page = AdminClient(None).get("/admin/login/")
    assert "<h1>Sign in</h1>" in page.text
    assert "User name:" in page.text
    wrong = AdminClient(None).post("/admin/login/", {"username": "x", "password": "y"})
    assert "The user name or password is wrong" in wrong.text
    assert "staff" not in wrong.text
    assert "Sign out" in superuser().get("/admin/").text
