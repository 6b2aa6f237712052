"""The sign-in of a browser: shared by its tabs, and without site data."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import PASSWORD, Centre, expect_live, sign_in, watch
from tests.support.browser import Pages
from tests.support.gateways import Gateways


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    """One gateway for all tests."""
    return Centre(gateway_of_file())


def new_tab(page: Page, url: str) -> Page:
    tab = page.context.new_page()
    tab.goto(url)
    return tab


def test_a_second_tab_opens_signed_in_and_signing_out_ends_all(page: Page, centre: Centre) -> None:
    url = centre.gateway.url
    waiting = new_tab(page, f"{url}/agent")
    expect(waiting.get_by_label("User name")).to_be_visible()
    sign_in(page, centre)
    expect_live(page)
    # A tab with the form follows a sign-in, and a new tab has none.
    expect_live(waiting)
    wall = new_tab(page, f"{url}/?view=wall")
    expect_live(wall)
    page.get_by_role("button", name="Sign out").click()
    for tab in (page, waiting, wall):
        expect(tab.get_by_label("User name")).to_be_visible()
        assert tab.evaluate("() => sessionStorage.length + localStorage.length") == 0
    page.reload()
    expect(page.get_by_label("User name")).to_be_visible()


@pytest.mark.parametrize("stays", [False, True])
def test_closing_the_browser_ends_the_session_unless_it_is_to_stay(
    page: Page, centre: Centre, stays: bool
) -> None:
    page.goto(f"{centre.gateway.url}/")
    page.get_by_label("Stay signed in").set_checked(stays)
    sign_in_here(page)
    expect_live(page)
    context = page.context
    page.close()  # All tabs of the browser are closed: what is left is what a browser keeps.
    later = context.new_page()
    later.goto(f"{centre.gateway.url}/")
    if stays:
        expect_live(later)
        later.get_by_role("button", name="Sign out").click()
        later.reload()
    expect(later.get_by_label("User name")).to_be_visible()


def sign_in_here(page: Page) -> None:
    page.get_by_label("User name").fill("manager")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


# As browsers do that block cookies and site data: some throw, some have `null`.
BLOCKED = {
    "throws": """for (const name of ["sessionStorage", "localStorage"]) Object.defineProperty(window, name, {
        get() { throw new DOMException("The operation is insecure", "SecurityError"); } });
        window.BroadcastChannel = class { constructor() { throw new DOMException("Insecure", "SecurityError"); } };
        navigator.locks.request = () => Promise.reject(new DOMException("Insecure", "SecurityError"));""",
    "is null": """for (const name of ["sessionStorage", "localStorage"]) {
        Object.defineProperty(window, name, { value: null }); }""",
}


@pytest.mark.parametrize("address", ["/", "/agent"])
@pytest.mark.parametrize("script", BLOCKED.values(), ids=BLOCKED.keys())
def test_the_pages_work_without_site_data(page: Page, centre: Centre, script: str, address: str) -> None:
    page.add_init_script(script)
    page.goto(f"{centre.gateway.url}{address}")
    expect(page.locator("#login-notice")).to_contain_text("This browser blocks site data")
    sign_in_here(page)
    expect_live(page)
    page.get_by_role("button", name="Start shift" if address == "/agent" else "Large type").click()
    if address == "/agent":
        expect(page.locator("#status-word")).to_have_text("Available")
    page.keyboard.press("?")
    page.locator("#sign-out").dispatch_event("click")
    expect(page.get_by_label("User name")).to_be_visible()


def test_a_rejected_token_ends_only_its_own_session(pages: Pages, centre: Centre) -> None:
    page = pages.open()
    page.add_init_script(
        "if (!window.name) { window.name = 'asked'; sessionStorage.setItem('voipbin.token', 'old'); }"
    )
    page.goto(f"{centre.gateway.url}/")
    expect(page.get_by_label("User name")).to_be_visible()
    assert page.evaluate("() => sessionStorage.getItem('voipbin.token')") is None
    other = page.context.new_page()
    watch(other, centre)
    page.reload()
    expect_live(page)
