"""The console in Chromium: live frames, publishing, and code to copy, within the strict policy."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.support.accessibility import violations_light_and_dark
from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import publish
from tests.support.browser import Pages
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def gateway(gateway_of_file: Gateways, request: pytest.FixtureRequest) -> Gateway:
    return gateway_of_file(request.param)


@pytest.fixture(scope="module")
def both(gateway: Gateway) -> tuple[Company, Company]:
    acme, globex = company("Acme"), company("Globex")
    settle(gateway, acme, globex)
    return acme, globex


def connect(page: Page, gateway: Gateway, credential: str) -> None:
    page.goto(f"{gateway.url}/console")
    page.get_by_label("Access key or token").fill(credential)
    page.get_by_role("button", name="Connect", exact=True).click()


def frame(page: Page, text: str) -> Locator:
    """The newest frame with a text: a slow test has pings of the client, too."""
    return page.locator("#frames > li", has_text=text).first


def subscribe(page: Page, topic: str) -> None:
    page.get_by_label("Topic or pattern").fill(topic)
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(page.locator("#topics")).to_contain_text(topic)


def test_frames_are_live_searched_paused_and_opened(
    pages: Pages, page: Page, gateway: Gateway, both: tuple[Company, Company]
) -> None:
    acme, globex = both
    connect(page, gateway, acme.key("of the customer"))
    expect(page.locator("#who")).to_contain_text("an access key of Acme")
    subscribe(page, f"customer_id:{acme.id}:call:*")
    expect(frame(page, "ack subscribe")).to_be_visible()
    calls = [new_id() for _ in range(3)]
    events = [{"event_type": "call.created", "data": {"id": call}} for call in calls]
    publish(gateway, globex.key("that publishes"), {"event_type": "call.created", "data": {"id": new_id()}})
    publish(gateway, acme.key("that publishes"), *events)
    newest = frame(page, calls[-1])
    expect(newest.locator(".number").last).to_contain_text("ms")
    newest.locator("summary").click()
    expect(newest.locator("pre")).to_contain_text('"event_type": "call.created"')
    page.get_by_label("Search").fill(calls[0].upper())
    expect(page.locator("#frames > li")).to_have_count(1)
    expect(page.locator("#frames-count")).to_contain_text("1 of ")
    page.get_by_label("Search").fill("")
    page.get_by_role("button", name="Pause").click()
    publish(gateway, acme.key("that publishes"), {"event_type": "call.ended", "data": {"id": calls[0]}})
    expect(page.locator("#frames-count")).to_contain_text("more came.")
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.locator("#topics > li")).to_have_count(0)
    assert pages.console == []


def test_an_example_is_published_received_and_explained(
    page: Page, gateway: Gateway, both: tuple[Company, Company]
) -> None:
    acme, _ = both
    connect(page, gateway, acme.key("of the customer"))
    subscribe(page, f"customer_id:{acme.id}:queue:*")
    page.get_by_label("Example of").select_option("queue.joined")
    event = json.loads(page.get_by_label("Event", exact=True).input_value())
    assert event["event_type"] == "queue.joined"
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#publish-answer")).to_contain_text("403")
    page.get_by_label("Another credential for publishing").fill(acme.key("that publishes"))
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#publish-answer")).to_contain_text("201")
    expect(frame(page, "queue.joined")).to_be_visible()
    page.get_by_role("button", name="Explain its delivery").click()
    expect(page.locator("#publish-answer")).to_contain_text('"steps"')


def test_the_code_has_the_topics_of_the_view(
    page: Page, gateway: Gateway, both: tuple[Company, Company]
) -> None:
    acme, _ = both
    topic = f"customer_id:{acme.id}:message:*"
    connect(page, gateway, acme.key("of the customer"))
    subscribe(page, topic)
    page.get_by_role("button", name="Code").click()
    for language in ("Python", "JavaScript", "TypeScript", "curl", "PHP", "Go"):
        page.get_by_label("Programming language").select_option(language)
        expect(page.locator("#code")).to_contain_text(topic)


def test_a_filter_selects_what_is_shown(page: Page, gateway: Gateway, both: tuple[Company, Company]) -> None:
    acme, _ = both
    connect(page, gateway, acme.key("of the customer"))
    page.get_by_label("Topic or pattern").fill(f"customer_id:{acme.id}:call:*")
    page.get_by_label("Filter").fill("{nonsense")
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(page.locator("#subscribe-error")).to_contain_text("The filter is no JSON")
    page.get_by_label("Filter").fill('{"op": "same"}')
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(frame(page, "INVALID_FILTER")).to_be_visible()
    page.get_by_label("Filter").fill('{"field": "status", "op": "eq", "value": "answered"}')
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(page.locator("#topics")).to_contain_text('"answered"')
    statuses = ("ringing", "answered")
    calls = [new_id() for _ in statuses]
    publish(
        gateway,
        acme.key("that publishes"),
        *(
            {"event_type": "call.status", "data": {"id": call, "status": status}}
            for call, status in zip(calls, statuses, strict=True)
        ),
    )
    expect(frame(page, calls[1])).to_be_visible()
    expect(page.locator("#frames")).not_to_contain_text(calls[0])


def test_a_bad_credential_and_a_foreign_topic_are_refused_with_the_reason(
    page: Page, gateway: Gateway, both: tuple[Company, Company]
) -> None:
    acme, globex = both
    connect(page, gateway, "vb_" + "0" * 32)
    expect(page.locator("#credential-error")).to_contain_text("This access key is not known")
    connect(page, gateway, acme.key("of the customer"))
    page.get_by_label("Topic or pattern").fill(f"customer_id:{globex.id}:call:*")
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(frame(page, "error subscribe PERMISSION_DENIED")).to_be_visible()
    expect(page.locator("#topics > li")).to_have_count(0)


@pytest.mark.parametrize("gateway", ["uvicorn"], indirect=True)
def test_it_can_be_used_by_everyone(page: Page, gateway: Gateway, both: tuple[Company, Company]) -> None:
    acme, _ = both
    connect(page, gateway, acme.key("of the customer"))
    subscribe(page, f"customer_id:{acme.id}:call:*")
    expect(frame(page, "ack subscribe")).to_be_visible()
    assert violations_light_and_dark(page) == []
    for width in (320, 390, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
