"""Explain in Chromium: why events did not arrive, a test event, and the events of a call."""

# Long because of fourteen ways in which an event does not arrive.

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Call
from tests.browser.test_admin import PASSWORD
from tests.journeys.support.cast import Company, Key, Person, new_id, settle
from tests.journeys.support.conversation import Conversation, publish
from tests.support.browser import Pages
from tests.support.gateway import Gateway, manage
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until


@dataclass
class Scene:
    """A gateway whose clients did not receive some events."""

    gateway: Gateway
    acme: Company
    globex: Company
    events: dict[str, str] = field(default_factory=dict)
    """Ids of events, by the reason why they did not arrive."""

    def publish(self, *, whose: Company | None = None, **data: Any) -> dict[str, Any]:
        """An event of a call."""
        company = whose or self.acme
        event = Call(**data).answered()
        return publish(self.gateway, company.key("publisher"), event)[0]

    def topic(self, resource: str = "call") -> str:
        return f"customer_id:{self.acme.id}:{resource}:*"

    def client(self, label: str) -> Conversation:
        return Conversation(self.gateway, self.acme.key(label))


def stranger() -> Company:
    return Company("Globex", [], [Key("publisher", may_subscribe=False, may_publish=True)])


def company(name: str) -> Company:
    labels = (
        "wrong pattern",
        "late subscriber",
        "left early",
        "slow reader",
        "typing error",
        "left a topic",
        "listener",
    )
    return Company(
        name,
        people=[Person("ann"), Person("off", is_active=False)],
        keys=[
            Key("publisher", may_subscribe=False, may_publish=True),
            Key("expired", expires_in=-3600),
            Key("revoked", revoked=True),
            Key("never there"),
            *(Key(label) for label in labels),
        ],
    )


@pytest.fixture(scope="module")
def scene(gateway_of_file: Gateways) -> Scene:
    gateway = gateway_of_file(OUTBOX_MAX_BYTES="2097152")
    acme, globex = company("Acme"), stranger()
    settle(gateway, acme, globex)
    manage(
        {**gateway.environment, "DJANGO_SUPERUSER_PASSWORD": PASSWORD},
        *("createsuperuser", "--noinput", "--username", "root", "--email", ""),
    )
    scene = Scene(gateway, acme, globex)
    _prepare(scene)
    return scene


def _prepare(scene: Scene) -> None:
    events, topic = scene.events, scene.topic()
    events["pruned"] = scene.publish()["cursor"]
    with sqlite3.connect(scene.gateway.database_url.removeprefix("sqlite:///")) as database:
        database.execute("UPDATE events_event SET stored_at = '2020-01-01 00:00:00'")
    scene.publish()
    scene.gateway.manage("prune_events", "--older-than", "1d")
    with scene.client("left early") as early:
        early.subscribe(topic)
    with scene.client("wrong pattern") as wrong, scene.client("late subscriber") as late:
        wrong.subscribe(scene.topic("message"))
        typing, left = scene.client("typing error"), scene.client("left a topic")
        with typing, left:
            assert (
                typing.ask({"type": "subscribe", "topics": [topic.replace("call", "cal")]})["type"] == "error"
            )
            left.subscribe(topic)
            left.ask({"type": "unsubscribe", "topics": [topic]})
            happened = scene.publish()["id"]
            events["happened"] = happened
            late.subscribe(topic)
    events["another's"] = scene.publish(whose=scene.globex)["id"]
    with scene.client("slow reader") as slow:
        slow.subscribe(topic)
        # More than the sockets' buffers and the outbox hold.
        for _ in range(3):
            calls = [Call(text="x" * 250_000).answered() for _ in range(24)]
            publish(scene.gateway, scene.acme.key("publisher"), *calls)
        assert slow.until_closed()[1] == 4408
    events["after the slow one"] = scene.publish()["id"]
    wait_until(lambda: _all_are_gone(scene), "the end of every connection is recorded")


def _all_are_gone(scene: Scene) -> bool:
    query = "SELECT sum(action = 'connect') = sum(action = 'disconnect') FROM subscriptions_auditrecord"
    with sqlite3.connect(scene.gateway.database_url.removeprefix("sqlite:///")) as database:
        return bool(database.execute(query).fetchone()[0])


REASONS = [
    ("publisher", "happened", "key-may-not-subscribe", "may publish only"),
    ("never there", "happened", "never-connected", "no connection of it is known"),
    ("never there", "another's", "foreign-customer", "it belongs to another customer, not to Acme"),
    ("wrong pattern", "happened", "other-resource", "that is of message, and the event is of call"),
    ("typing error", "happened", "invalid-topic", "did you mean call?"),
    ("late subscriber", "happened", "subscribed-later", "after the event"),
    ("left early", "happened", "disconnected-before", "its last connection ended on"),
    ("left a topic", "happened", "unsubscribed-before", "It unsubscribed from"),
    ("slow reader", "after the slow one", "too-slow", "closed as too slow"),
    ("listener", "pruned", "pruned", "It has been pruned"),
]


def test_an_operator_finds_each_reason_why_an_event_did_not_arrive(scene: Scene, pages: Pages) -> None:
    page = enter(scene, pages)

    # The first from the audit log: by a typed name and a pasted id.
    page.click("#content .model-auditrecord a")
    page.click(".object-tools >> text=Explain…")
    _choose(page, "key", "expired")
    _ask(page, scene.events["happened"])
    _expect_reason(page, "expired-key", "has expired")

    # Then from the page of a key, and by the address of an answer.
    page.click("#nav-sidebar >> text=Access keys")
    page.wait_for_url("**/accesskey/")
    keys = _addresses(page)
    page.goto(keys[scene.acme.key("revoked")[:11]])
    page.click(".object-tools >> text=Explain…")
    _ask(page, scene.events["happened"])
    _expect_reason(page, "revoked-key", "was revoked")
    for label, event, rule, words in REASONS:
        key = keys[scene.acme.key(label)[:11]].split("/")[-3]
        page.goto(f"{page.url.partition('?')[0]}?key={key}&what={scene.events[event]}")
        _expect_reason(page, rule, words)

    for name, rule, words in (
        ("off", "inactive-agent", "is switched off"),
        ("ann", "resource-not-granted", "does not concern this agent"),
    ):
        page.goto(f"{scene.gateway.url}/admin/subscriptions/agent/{scene.acme.person(name).id}/change/")
        page.click(".object-tools >> text=Explain…")
        _ask(page, scene.events["happened"])
        _expect_reason(page, rule, words)

    _ask(page, new_id())
    _expect_reason(page, "unknown-event", "it was never published")
    assert pages.console == []


def enter(scene: Scene, pages: Pages) -> Page:
    page = pages.open()
    page.goto(f"{scene.gateway.url}/admin/")
    page.fill("#id_username", "root")
    page.fill("#id_password", PASSWORD)
    page.click("input[type=submit]")
    return page


def _addresses(page: Page) -> dict[str, str]:
    """Return the addresses of the keys' pages, by the beginning of the key."""
    links = page.locator("#result_list tbody th a").all()
    return {link.inner_text()[-12:-1]: link.evaluate("link => link.href") for link in links}


def _choose(page: Page, field: str, text: str) -> None:
    """Choose from a list that completes the typed text."""
    page.click(f".field-{field} .select2-selection")
    page.fill(".select2-search__field", text)
    page.click(f".select2-results__option:has-text('{text}')")


def _ask(page: Page, what: str) -> None:
    page.fill("#id_what", what)
    page.click("input[value=Explain]")


def _expect_reason(page: Page, rule: str, words: str) -> None:
    expect(page.locator(".answer h2")).to_have_text("It was not delivered")
    expect(page.locator(".answer p")).to_contain_text(words, ignore_case=True)
    expect(page.locator(".step-reason .rule code")).to_have_text(rule)


def test_a_test_event_shows_whether_events_arrive(scene: Scene, pages: Pages) -> None:
    page = enter(scene, pages)
    address = f"{scene.gateway.url}/admin/subscriptions/auditrecord/explain/"
    with scene.client("listener") as listener:
        listener.subscribe(f"customer_id:{scene.acme.id}")
        page.goto(address)
        _choose(page, "key", "listener")
        _ask(page, scene.topic())
        page.click("button:has-text('Publish a test event')")
        expect(page.locator(".messagelist")).to_contain_text("The test event was published")
        event = listener.receive()
        assert event["event_type"] == "accesskey.test"
        assert page.input_value("#id_what") == event["id"]
        expect(page.locator(".probe code").first).to_have_text(event["topic"])
        wait_until(lambda: _was_delivered(page), "the page says that it was delivered")
    assert pages.console == []


def _was_delivered(page: Page) -> bool:
    if page.inner_text(".answer h2") == "It was delivered":
        return True
    page.reload()
    return False


def test_an_operator_follows_a_call_through_its_events(scene: Scene, pages: Pages) -> None:
    call = Call("Wanda Follow")
    published = [call.created(), call.answered(), call.ended()]
    publish(scene.gateway, scene.acme.key("publisher"), *published)
    scene.publish()
    page = enter(scene, pages)
    page.click("#content .model-event a")
    page.fill("#searchbar", call.id)
    page.click("#changelist-search input[type=submit]")
    types = [event["event_type"] for event in published]
    assert page.locator("#result_list td.field-event_type").all_inner_texts() == types[::-1]
    page.click("#result_list tbody tr:last-child th a")
    expect(page.locator(".readonly pre.json")).to_contain_text("Wanda Follow")
    page.click("text=All events of this call")
    assert page.locator("#result_list td.field-event_type").all_inner_texts() == types[::-1]
    page.click("#result_list tbody tr:first-child th a")
    page.click(".object-tools >> text=Explain…")
    _choose(page, "key", "never there")
    page.click("input[value=Explain]")
    _expect_reason(page, "never-connected", "no connection of it is known")
    page.click(".step-event dd a")
    expect(page.locator("#content h1, #content h2").first).to_contain_text(re.compile("event", re.IGNORECASE))
    assert pages.console == []
