"""The allowed topics of an access key in the admin: valid input, refusals, display."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from events.domain.topics import known_resources, parse_pattern
from subscriptions.auth.access_keys import rotate
from subscriptions.auth.authentication import identify
from subscriptions.models import AccessKey, Customer
from subscriptions.protocol.permissions import may_subscribe
from tests.subscriptions.support.admin_client import AdminClient, Page, address, superuser
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db


def make(operator: AdminClient, *topics: str, **fields: str) -> Page:
    """Fill in the form for a new key and save it."""
    page = operator.get(address(AccessKey, "add"))
    form = {"label": "Reports", "expiry": "never", "may_subscribe": "on", "made_as": page.hidden("made_as")}
    return operator.post(address(AccessKey, "add"), form | {"allowed_topics": "\r\n".join(topics)} | fields)


def test_a_key_is_narrowed_to_topics_in_whatever_way_they_are_written(
    ada: AdminClient, acme: Customer
) -> None:
    own = f"customer_id:{acme.pk}"
    page = make(ada, f" {own}:call ", "", f"{own}:queue:q1", f"{own}:call:*")
    key = AccessKey.objects.get()
    assert key.allowed_topics == [f"{own}:call:*", f"{own}:queue:q1"]
    assert identify(page.secret).allowed_topics == {f"{own}:call:*", f"{own}:queue:q1"}
    assert "subscribe (2 topics)" in ada.list(AccessKey).text
    assert f"{own}:queue:q1</textarea>" in ada.open(key).text.replace("\n", "")


def test_the_page_of_a_new_key_subscribes_to_what_it_may(ada: AdminClient, acme: Customer) -> None:
    own, nina = f"customer_id:{acme.pk}", agent(acme, granted_resources=["message"])
    for page in (
        make(ada, f"{own}:call:*", f"{own}:queue:q1"),
        make(ada),
        make(ada, agent=str(nina.pk)),
        make(ada, f"{own}:*:*", agent=str(nina.pk)),
        make(ada, f"agent_id:{nina.pk}:call", agent=str(nina.pk)),
    ):
        [shown] = page.response.context["shown"]
        topics = json.loads(shown.subscribe_frame)["topics"]
        assert topics
        identity = identify(page.secret)
        for topic in topics:
            assert may_subscribe(identity, parse_pattern(topic, known_resources())).granted, topic
        assert topics[0] in page.text


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("nonsense", "A topic is"),
        ("customer_id:{own}:calls:*", "did you mean call?"),
        ("customer_id:{own}:call:a b", "is no resource id"),
        ("customer_id:{foreign}:call:*", "could subscribe to nothing"),
        ("agent_id:{foreign}:call:*", "could subscribe to nothing"),
    ],
)
def test_a_line_that_gives_nothing_is_refused_with_what_is_right(
    ada: AdminClient, acme: Customer, line: str, text: str
) -> None:
    written = line.format(own=acme.pk, foreign=customer("Globex").pk)
    assert any(text in error for error in make(ada, written).errors)
    assert not AccessKey.objects.exists()


def test_a_key_is_not_narrowed_to_topics_outside_its_agents_permissions(
    ada: AdminClient, acme: Customer
) -> None:
    nina = agent(acme)
    page = make(ada, f"customer_id:{acme.pk}:call:*", agent=str(nina.pk))
    assert f"agent_id:{nina.pk}:*:*" in " ".join(page.errors)
    assert not AccessKey.objects.exists()


def test_platform_staff_may_narrow_a_key_of_theirs_to_any_customer(acme: Customer) -> None:
    staff, foreign = agent(acme, role="staff"), customer("Globex")
    operator = superuser()
    page = operator.get(address(AccessKey, "add"), customer=str(acme.pk))
    form = {"label": "x", "expiry": "never", "may_subscribe": "on", "made_as": page.hidden("made_as")}
    topics = f"customer_id:{foreign.pk}:call:*"
    made = operator.post(
        address(AccessKey, "add") + f"?customer={acme.pk}",
        form | {"agent": str(staff.pk), "allowed_topics": topics},
    )
    assert made.errors == []
    assert identify(made.secret).allowed_topics == {topics}
    assert topics in made.text


def test_too_many_topics_are_refused(ada: AdminClient, acme: Customer) -> None:
    page = make(ada, *(f"customer_id:{acme.pk}:call:{number}" for number in range(101)))
    assert any("at most 100" in error for error in page.errors)


def test_a_key_is_widened_by_emptying_the_list(ada: AdminClient, acme: Customer) -> None:
    key, secret = access_key(acme, allowed_topics=[f"customer_id:{acme.pk}:call:*"])
    form = {"label": key.label, "expiry": "keep", "may_subscribe": "on"}
    assert ada.post(address(key, "change"), form | {"allowed_topics": " \n"}).was_saved
    assert identify(secret).allowed_topics is None


def test_a_key_that_publishes_only_may_keep_its_list(ada: AdminClient, acme: Customer) -> None:
    page = make(ada, f"customer_id:{acme.pk}:call:*", may_subscribe="", may_publish="on")
    assert page.secret
    assert "(1 topic)" not in ada.list(AccessKey).text


def test_a_revoked_key_shows_what_it_was_narrowed_to(ada: AdminClient, acme: Customer) -> None:
    topic = f"customer_id:{acme.pk}:call:*"
    key, _ = access_key(acme, allowed_topics=[topic], revoked_at=timezone.now())
    page = ada.open(key).text
    assert topic in page
    assert "<textarea" not in page
    other, _ = access_key(acme, revoked_at=timezone.now())
    assert "no limit" in ada.open(other).text


def test_a_list_shows_where_and_by_what_a_key_was_used_last(ada: AdminClient, acme: Customer) -> None:
    key, _ = access_key(
        acme,
        last_used_at=timezone.now() - timedelta(minutes=3),
        last_used_address="192.0.2.7",
        last_used_client="<b>reports</b>" + "x" * 100,
    )
    for page in (ada.list(AccessKey).text, ada.open(key).text):
        assert "192.0.2.7" in page
        assert "&lt;b&gt;reports&lt;/b&gt;" in page
        assert "<b>reports" not in page
    assert "3\xa0minutes ago" in ada.list(AccessKey).text
    assert "never" in ada.open(access_key(acme)[0]).text


# --- The filter ---

FILTER = '{"field": "queue_id", "op": "eq", "value": "q1"}'


def test_a_key_has_a_filter_in_whatever_way_it_is_written(ada: AdminClient, acme: Customer) -> None:
    page = make(ada, filter=' {"op": "eq",\r\n "value": "q1", "field": "queue_id"} ')
    key = AccessKey.objects.get()
    assert key.filter == FILTER
    assert identify(page.secret).filter == FILTER
    assert "subscribe (filter)" in ada.list(AccessKey).text
    successor, _ = rotate(key, timezone.now())
    assert successor.filter == FILTER
    form = {"label": key.label, "expiry": "keep", "may_subscribe": "on"}
    assert ada.post(address(key, "change"), form | {"filter": " "}).was_saved
    assert identify(page.secret).filter is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "This is no filter: not JSON: "),
        ("[]", "This is no filter: a filter is a JSON object such as"),
        (
            '{"op": "or", "filters": [{"field": "x", "op": "is"}]}',
            "filters[0].op: &quot;is&quot; is no operator",
        ),
    ],
)
def test_a_text_that_is_no_filter_is_refused_with_its_path(ada: AdminClient, text: str, message: str) -> None:
    page = make(ada, filter=text)
    assert not AccessKey.objects.exists()
    assert message in page.text.replace("&#x27;", "'")
