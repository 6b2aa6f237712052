"""The one search of the admin: numbers in any spelling, names, ids and texts, within the operator's own rows."""

from __future__ import annotations

import pytest

from subscriptions.models import Agent, Customer
from tests.events.support.stored import store
from tests.subscriptions.support.admin_client import AdminClient, Page, admin_of, superuser
from tests.subscriptions.support.people import agent, customer
from tests.subscriptions.support.tenants import tenant

pytestmark = pytest.mark.django_db


def search(operator: AdminClient, text: str) -> Page:
    return operator.get("/admin/search/", q=text)


def found(page: Page) -> dict[str, list[str]]:
    groups = page.response.context["groups"]
    return {group.title: [each.name for each in group.results] for group in groups}


@pytest.fixture
def acme() -> Customer:
    return customer("Acme", region="DE")


@pytest.fixture
def ada(acme: Customer) -> AdminClient:
    return admin_of(acme)[0]


@pytest.fixture
def call(acme: Customer) -> str:
    caller = {"type": "tel", "target": "+494012345678", "target_name": "Grüße Morgenstern"}
    store(str(acme.pk), "call.created", {"id": "call-1", "status": "ringing", "source": caller})
    store(str(acme.pk), "message.received", {"id": "m", "text": 'Wo ist mein Päckchen? 50% \\ "da"'})
    store(str(acme.pk), "call.created", {"id": "call-2", "source": "+4930999999"})
    return "call-1"


@pytest.mark.parametrize(
    "text",
    [
        "+494012345678",
        "+49 (0)40 1234-5678",
        "0049 40 12345678",
        "040 12345678",
        "tel:+494012345678",
        "+٤٩٤٠١٢٣٤٥٦٧٨",
    ],
)
def test_a_number_is_found_in_every_spelling(ada: AdminClient, call: str, text: str) -> None:
    groups = found(search(ada, text))
    assert (groups["Calls"], groups["Events"]) == (["call-1"], ["call.created"])
    assert groups["Resource states"] == ["call call-1"]


@pytest.mark.parametrize("text", ["morgenstern", "Grüße Morgenstern", "12345678", "call-1"])
def test_a_call_is_found_by_name_part_of_the_number_and_id(ada: AdminClient, call: str, text: str) -> None:
    assert found(search(ada, text))["Calls"] == ["call-1"]


@pytest.mark.parametrize("text", ["Päckchen", '"da"', "50%", "\\"])
def test_a_text_is_found_as_it_was_written(ada: AdminClient, call: str, text: str) -> None:
    assert found(search(ada, text))["Events"] == ["message.received"]


def test_people_queues_keys_and_customers_are_found_by_name_and_id(acme: Customer) -> None:
    globex, root = tenant("globex"), superuser()
    person = globex.row(Agent)
    store(str(globex.customer.pk), "agent.status", {"agent_id": str(person.pk), "status": "away"})
    groups = found(search(root, "globex"))
    assert groups["Agents"] == ["globex person"]
    assert groups["Customers"] == ["globex Ltd"]
    assert groups["Queues"] == ["globex queue"]
    assert len(groups["Access keys"]) == 1
    groups = found(search(root, str(person.pk)))
    assert groups["Agents"] == ["globex person"]
    assert "agent.status" in groups["Events"]
    # By the name of an agent whom the event does not name.
    assert "agent.status" in found(search(root, "globex person"))["Events"]


def test_an_operator_finds_only_rows_of_its_customer(ada: AdminClient, call: str) -> None:
    globex = tenant("globex")
    store(str(globex.customer.pk), "call.created", {"id": "theirs", "source": "+494012345678"})
    assert found(search(ada, "globex")) == {}
    assert found(search(ada, "theirs")) == {}
    assert found(search(ada, "+494012345678"))["Calls"] == ["call-1"]
    assert found(search(ada, str(globex.customer.pk))) == {}
    assert "theirs" in found(search(superuser(), "+494012345678"))["Calls"]


def test_many_results_lead_to_the_whole_list(ada: AdminClient, acme: Customer) -> None:
    for number in range(8):
        agent(acme, status="away").user.save()
        store(str(acme.pk), "call.created", {"id": f"many-{number}"})
    page = search(ada, "many-")
    assert len(found(page)["Events"]) == 6
    assert '/admin/events/event/?q=many-"' in page.text


@pytest.mark.parametrize(
    "text", ["", "  ", "\0", "nothing like it", "'\"<b>", "%", "1c2b7d3e-0000-4000-8000-000000000001"]
)
def test_other_texts_find_nothing_and_say_what_can_be_found(ada: AdminClient, text: str) -> None:
    page = search(ada, text)
    assert page.status == 200
    assert found(page) == {}
    assert "<b>" not in page.text.replace("&lt;b&gt;", "")


def test_what_the_search_does_not_take_is_refused(ada: AdminClient) -> None:
    assert ada.get("/admin/search/", q="x" * 201).status == 400
    assert ada.get("/admin/search/", q="x", body__regex="(a+)+!").status == 400
    assert AdminClient(None).get("/admin/search/", q="x").status == 302


def test_every_page_of_the_admin_has_the_search(ada: AdminClient) -> None:
    assert 'role="search"' in ada.get("/admin/").text
    assert 'role="search"' in ada.list(Agent).text
