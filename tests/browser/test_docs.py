"""The API documentation in Chromium: trying a request, without other servers and within the strict policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_agent_accessibility import violations
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_websocket_page_describes_the_protocol(pages: Pages, gateway: Gateway, scheme: str) -> None:
    page = pages.open(color_scheme=scheme)
    page.goto(f"{gateway.url}/docs/websocket")
    page.get_by_role("link", name="Close codes").click()
    expect(page.get_by_role("heading", name="Close codes")).to_be_in_viewport()
    expect(page.get_by_role("cell", name="TOO_SLOW", exact=True)).to_be_visible()
    assert violations(page) == []
    assert pages.console == []
