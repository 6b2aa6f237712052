"""The API documentation in Chromium: trying a request, without other servers and within the strict policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.accessibility import violations, violations_light_and_dark
from tests.journeys.support.cast import Company, company, settle
from tests.support.browser import Pages
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways) -> Gateway:
    return gateway_of_file("uvicorn")


@pytest.fixture(scope="module")
def acme(gateway: Gateway) -> Company:
    acme = company("Acme")
    settle(gateway, acme)
    return acme


@pytest.fixture
def requested(page: Page) -> list[str]:
    """The addresses of all requests of the page."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    return requested


def test_a_request_can_be_tried(
    pages: Pages, page: Page, gateway: Gateway, acme: Company, requested: list[str]
) -> None:
    page.goto(f"{gateway.url}/docs/rest")
    page.get_by_role("button", name="Authorize").click()
    page.locator(".modal-ux input").first.fill(acme.key("that publishes"))
    page.locator(".modal-ux .authorize").first.click()
    page.locator(".modal-ux .btn-done").first.click()
    operation = page.locator("#operations-Publishing-publishEvents")
    operation.locator(".opblock-summary-control").click()
    # The unchanged example.
    operation.locator(".execute").click()
    answer = operation.locator(".live-responses-table .response")
    expect(answer.locator(".response-col_status")).to_contain_text("201")
    expect(answer.locator(".response-col_description")).to_contain_text('"replayed": false')
    assert [url for url in requested if not url.startswith((gateway.url, "data:"))] == []
    assert pages.console == []


PAGES = ("", "/protocol", "/guarantees", "/events", "/errors", "/websocket", "/operations")
PAGES_OF_A_KIND = ("", "/guarantees", "/errors", "/websocket")
"""One of each kind: a long document takes axe many seconds, and colours do not depend on the text."""


def test_the_pages_can_be_used_by_everyone(pages: Pages, gateway: Gateway) -> None:
    page = pages.open()
    for path in PAGES:
        page.goto(f"{gateway.url}/docs{path}")
        if path in PAGES_OF_A_KIND:
            assert violations_light_and_dark(page) == [], path
        else:
            assert violations(page, rules={"color-contrast": {"enabled": False}}) == [], path
        for width in (320, 390, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") == width, (path, width)
    assert pages.console == []


def test_every_code_is_an_anchor(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/docs/errors#4408")
    expect(page.get_by_role("cell", name="TOO_SLOW", exact=True).first).to_be_in_viewport()
    page.goto(f"{gateway.url}/docs/errors#IDEMPOTENCY_CONFLICT")
    expect(page.locator("#IDEMPOTENCY_CONFLICT")).to_be_in_viewport()


def test_the_links_of_a_document_lead_to_the_other_pages(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/docs/protocol")
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="Publishing").click()
    expect(page.get_by_role("heading", name="Publishing", exact=True)).to_be_in_viewport()
    page.locator("main a[href^='/docs/operations#']").first.click()
    expect(page).to_have_title("Operations · voipbin-ws")


def test_the_page_of_rest_can_be_used_by_everyone_and_is_dark_in_the_dark(
    page: Page, gateway: Gateway
) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{gateway.url}/docs/rest")
    expect(page.locator(".opblock").first).to_be_visible()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, background.removeprefix("rgb(").removesuffix(")").split(", "))) < 64
    title = page.evaluate("getComputedStyle(document.querySelector('.opblock-tag')).color")
    assert min(map(int, title.removeprefix("rgb(").removesuffix(")").split(", "))) > 160
    assert violations_light_and_dark(page) == []
