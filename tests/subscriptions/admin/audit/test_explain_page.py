"""The Explain page and command: links to it, test events, and strangers."""

from __future__ import annotations

import json
import uuid
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.urls import reverse

from events.models import CustomerLog, Event, ResourceState
from subscriptions.audit.store import append
from subscriptions.models import AccessKey, Agent, AuditRecord
from tests.events.support.stored import store
from tests.subscriptions.support.admin_client import AdminClient, Page, admin_of, superuser
from tests.subscriptions.support.tenants import Tenant

pytestmark = pytest.mark.django_db

ADDRESS = "admin:subscriptions_auditrecord_explain"


def ask(operator: AdminClient, what: str | None = None, **who: Any) -> Page:
    query = {name: str(row.pk) for name, row in who.items()}
    return operator.get(reverse(ADDRESS), **query, **({} if what is None else {"what": what}))


def rules(page: Page) -> dict[str, tuple[str, str]]:
    """Outcome and rule of each step that the page shows."""
    shown = page.response.context["explanation"]["steps"]
    return {each["step"].name: (each["label"], each["step"].rule) for each in shown}


def errors(page: Page) -> str:
    return str(page.response.context["form"].errors)


def test_an_agent_or_a_key_is_explained_by_id_cursor_or_topic(
    acme_admin: AdminClient, acme_tenant: Tenant
) -> None:
    event, key, person = acme_tenant.row(Event), acme_tenant.row(AccessKey), acme_tenant.row(Agent)
    epoch = CustomerLog.objects.get(pk=acme_tenant.customer.pk).epoch
    for what in (str(event.pk), f"{epoch}.1", f"customer_id:{acme_tenant.customer.pk}:call:*"):
        page = ask(acme_admin, what, key=key)
        assert rules(page)["event"] == ("yes", "stored")
        assert rules(page)["permission"] == ("yes", "customer-key")
        assert "It was not delivered" in page.text
        assert str(event.pk) in page.text
    assert rules(ask(acme_admin, str(event.pk), agent=person))["permission"] == ("no", "resource-not-granted")


def test_a_missing_or_wrong_input_is_reported(acme_admin: AdminClient, acme_tenant: Tenant) -> None:
    person, key, event = acme_tenant.row(Agent), acme_tenant.row(AccessKey), acme_tenant.row(Event)
    assert "Choose the receiver" in errors(ask(acme_admin, str(event.pk), agent=person, key=key))
    assert "Choose the receiver" in errors(
        acme_admin.get(reverse(ADDRESS), agent="", key="", what=str(event.pk))
    )
    for what, text in {
        "": "required",
        "nonsense": "an event",
        "customer_id:x": "no customer id",
        "\0": "Null",
    }.items():
        assert text in errors(ask(acme_admin, what, key=key)), what
    # Half a question, as the links of other pages ask it, is no mistake.
    for page in (ask(acme_admin), ask(acme_admin, str(event.pk)), ask(acme_admin, agent=person)):
        assert page.status == 200
        assert "errornote" not in page.text
        assert "errorlist" not in page.text


def test_other_pages_link_to_explain(acme_admin: AdminClient, acme_tenant: Tenant) -> None:
    address = reverse(ADDRESS)
    event, person, key, record = (acme_tenant.row(model) for model in (Event, Agent, AccessKey, AuditRecord))
    for row, link in (
        (event, f"{address}?what={event.pk}"),
        (person, f"{address}?agent={person.pk}"),
        (key, f"{address}?key={key.pk}"),
        (record, f"agent={person.pk}"),
    ):
        page = acme_admin.open(row)
        assert address in page.text
        assert link in page.text.replace("&amp;", "&")
    assert address in acme_admin.list(AuditRecord).text


def test_a_record_of_a_key_leads_to_the_question_about_that_key(
    acme_admin: AdminClient, acme_tenant: Tenant
) -> None:
    key = acme_tenant.row(AccessKey)
    made = AuditRecord(
        action="subscribe",
        verdict="granted",
        topic=f"customer_id:{acme_tenant.customer.pk}:call:*",
        customer_id=acme_tenant.customer.pk,
        credential=f"key {key.prefix}",
        connection_id=uuid.uuid4(),
    )
    append([made])
    assert f"key={key.pk}" in acme_admin.open(AuditRecord.objects.get(digest=made.digest)).text


def test_a_test_event_is_published_and_explained(acme_admin: AdminClient, acme_tenant: Tenant) -> None:
    for row, name, event_type in (
        (acme_tenant.row(Agent), "agent", "agent.test"),
        (acme_tenant.row(AccessKey), "key", "accesskey.test"),
    ):
        shown = ask(acme_admin, **{name: row})
        assert "Publish a test event" in shown.text
        states = list(ResourceState.objects.values())
        answer = acme_admin.post(reverse(ADDRESS), {name: str(row.pk)}, follow=True)
        event = Event.objects.filter(customer_id=acme_tenant.customer.pk).latest("seq")
        assert (event.event_type, event.resource_id) == (event_type, str(row.pk))
        assert answer.response.redirect_chain[0][0].startswith(reverse(ADDRESS))
        assert str(event.pk) in answer.text
        assert rules(answer)["event"] == ("yes", "stored")
        for topic in rules(answer) and [f"customer_id:{acme_tenant.customer.pk}:{event.resource}:{row.pk}"]:
            assert topic in shown.text
        assert list(ResourceState.objects.values()) == states


def test_a_test_event_changes_the_state_of_nothing(acme_tenant: Tenant) -> None:
    person = acme_tenant.row(Agent)
    store(str(acme_tenant.customer.pk), "agent.status", {"agent_id": str(person.pk), "status": "busy"})
    before = list(ResourceState.objects.filter(resource="agent").values())
    superuser().post(reverse(ADDRESS), {"agent": str(person.pk)})
    assert Event.objects.filter(event_type="agent.test").count() == 1
    assert list(ResourceState.objects.filter(resource="agent").values()) == before


# --- A stranger ---


def test_an_admin_gets_no_explanation_for_another_customer(
    acme_admin: AdminClient, acme_tenant: Tenant, globex_tenant: Tenant
) -> None:
    event = str(acme_tenant.row(Event).pk)
    for name, row in (("agent", globex_tenant.row(Agent)), ("key", globex_tenant.row(AccessKey))):
        page = ask(acme_admin, event, **{name: row})
        assert "not one of the available choices" in errors(page)
        assert globex_tenant.mark not in page.text
        assert page.response.context["explanation"] is None
        assert acme_admin.post(reverse(ADDRESS), {name: str(row.pk)}).status == 403
    assert not Event.objects.filter(event_type__endswith=".test").exists()


def test_an_event_of_another_customer_is_as_if_there_were_none(
    acme_admin: AdminClient, acme_tenant: Tenant, globex_tenant: Tenant
) -> None:
    key = acme_tenant.row(AccessKey)
    epoch = CustomerLog.objects.get(pk=globex_tenant.customer.pk).epoch
    stranger = str(uuid.uuid4())
    for there, absent in (
        (str(globex_tenant.row(Event).pk), stranger),
        (f"{epoch}.1", f"{'f' * 12}.1"),
        (f"customer_id:{globex_tenant.customer.pk}:call:*", f"customer_id:{stranger}:call:*"),
        (f"agent_id:{globex_tenant.row(Agent).pk}:call:*", f"agent_id:{stranger}:call:*"),
    ):
        pages = [ask(acme_admin, what, key=key) for what in (there, absent)]
        answers = [str(page.response.context["explanation"]) for page in pages]
        assert answers[0].replace(there, "IT") == answers[1].replace(absent, "IT")
        assert rules(pages[0])["event"][0] == "no"
        assert globex_tenant.mark not in pages[0].text
    assert rules(ask(superuser(), str(globex_tenant.row(Event).pk), key=key))["permission"] == (
        "no",
        "foreign-customer",
    )


def test_completion_offers_an_admin_the_own_agents_and_keys(
    acme_admin: AdminClient, acme_tenant: Tenant, globex_tenant: Tenant
) -> None:
    for field, own in (("agent", "acme person"), ("replaces", "acme key")):
        query = {"app_label": "subscriptions", "model_name": "accesskey", "field_name": field, "term": "e"}
        offered = [
            each["text"]
            for each in acme_admin.get(reverse("admin:autocomplete"), **query).response.json()["results"]
        ]
        assert [own in text for text in offered].count(True) == 1
        assert not [text for text in offered if globex_tenant.mark in text]


def test_explain_requires_access_to_the_admin(acme_tenant: Tenant) -> None:
    person, _ = admin_of(acme_tenant.customer, role="agent")
    for operator in (person, AdminClient(None)):
        assert ask(operator).status == 302
        assert operator.post(reverse(ADDRESS), {"agent": str(acme_tenant.row(Agent).pk)}).status == 302
    assert not Event.objects.filter(event_type="agent.test").exists()


def test_who_was_given_leave_to_look_alone_publishes_nothing(acme_tenant: Tenant) -> None:
    watcher = User.objects.create_user("watcher", is_staff=True)
    watcher.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    operator, person = AdminClient(watcher), acme_tenant.row(Agent)
    page = ask(operator, str(acme_tenant.row(Event).pk), agent=person)
    assert rules(page)["event"] == ("yes", "stored")
    assert "Publish a test event" not in page.text
    assert operator.post(reverse(ADDRESS), {"agent": str(person.pk)}).status == 403
    assert not Event.objects.filter(event_type="agent.test").exists()


# --- The command ---


def explained(*arguments: str) -> str:
    output = StringIO()
    call_command("explain", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_says_what_the_page_says(acme_admin: AdminClient, acme_tenant: Tenant) -> None:
    event, key, person = acme_tenant.row(Event), acme_tenant.row(AccessKey), acme_tenant.row(Agent)
    page = ask(acme_admin, str(event.pk), key=key)
    text = explained(str(event.pk), "--key", key.prefix)
    assert text.startswith(page.response.context["explanation"]["conclusion"])
    for each in page.response.context["explanation"]["steps"]:
        assert each["step"].message in text
    answer = json.loads(explained(str(event.pk), "--agent", "acme-login", "--json"))
    assert (answer["delivered"], answer["rule"]) == (False, "resource-not-granted")
    assert explained(str(event.pk), "--agent", str(person.pk)) == explained(
        str(event.pk), "--agent", "acme-login"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense", "--agent", "acme-login"], "an event's id or cursor"),
        (["customer_id:x", "--agent", "acme-login"], "no customer id"),
        ([str(uuid.UUID(int=1)), "--agent", "nobody"], "no agent 'nobody'"),
        ([str(uuid.UUID(int=1)), "--key", "vb_" + "secret" * 5 + "xy"], "no single access key 'vb_secretse'"),
    ],
)
def test_the_command_refuses_what_it_cannot_read(
    acme_tenant: Tenant, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        explained(*arguments)
