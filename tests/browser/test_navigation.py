"""The menu of pages by role, and the command palette, on all pages."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.accessibility import violations, violations_light_and_dark
from tests.browser.support.centre import PASSWORD, Call, Centre, expect_live, sign_in, watch
from tests.browser.support.desktop import AtDesk, message, new_number
from tests.browser.test_admin import log_in
from tests.support.browser import Pages
from tests.support.gateways import Gateways

MENU = "Pages and commands"


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file())


def menu_of(page: Page) -> list[str]:
    """Open the menu, and return its pages."""
    page.get_by_role("button", name=MENU).click()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    # The script shows the pages of the role, at least one before the documentation.
    expect(links.first).not_to_have_text("Docs")
    return [text.strip() for text in links.all_text_contents()]


def options(page: Page) -> Any:
    return page.get_by_role("listbox", name="Commands").get_by_role("option")


def test_each_role_has_its_pages_in_the_menu(pages: Pages, centre: Centre) -> None:
    manager = pages.open()
    watch(manager, centre)
    assert menu_of(manager) == ["Live calls", "Console", "Docs"]
    expect(manager.get_by_role("link", name="Live calls")).to_have_attribute("aria-current", "page")
    manager.keyboard.press("Escape")
    expect(manager.get_by_role("navigation", name="Pages")).to_be_hidden()
    menu_of(manager)
    manager.get_by_role("link", name="Docs").click()
    # Pages without a session of their own know the role of this tab.
    assert menu_of(manager) == ["Live calls", "Console", "Docs"]
    admin = pages.open()
    watch(admin, centre, token=centre.acme.token("admin"))
    assert menu_of(admin) == ["Live calls", "Console", "Docs", "Operation"]
    agent = pages.open()
    AtDesk(centre, centre.acme.person("granted agent")).open(agent)
    assert menu_of(agent) == ["Agent desktop", "Docs"]
    stranger = pages.open()
    stranger.goto(f"{centre.gateway.url}/docs")
    assert menu_of(stranger) == ["Live calls", "Agent desktop", "Console", "Docs", "Operation"]


def test_signing_out_forgets_the_role(page: Page, centre: Centre) -> None:
    sign_in(page, centre, password=PASSWORD)
    expect_live(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("sign out")
    page.keyboard.press("Enter")
    expect(page.get_by_label("User name")).to_be_visible()
    assert page.evaluate("() => sessionStorage.length") == 0
    # Without a session there is nothing to command.
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Command palette")).to_be_hidden()


def test_the_palette_finds_calls_pages_and_commands_by_the_keyboard(page: Page, centre: Centre) -> None:
    call = Call("Zoë Ångström")
    centre.publish(call.created())
    watch(page, centre)
    page.keyboard.press("Control+k")
    text = page.get_by_role("combobox", name="Command palette")
    expect(text).to_be_focused()
    expect(options(page).first).to_have_text("ConsolePage")
    expect(text).to_have_attribute("aria-activedescendant", "command-0")
    page.keyboard.press("ArrowUp")
    expect(options(page).last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    page.keyboard.type("nothing like this")
    expect(page.locator("#palette-none")).to_have_text("Nothing has this name.")
    expect(text).not_to_have_attribute("aria-activedescendant", "command-0")
    text.fill("angstrom zoe")
    expect(options(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{centre.gateway.url}/?call={call.id}")
    page.keyboard.press("Control+k")
    # Esc closes the palette alone, and nothing of it stays in the page.
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Command palette")).to_be_hidden()
    expect(page.locator("#palette-list li")).to_have_count(0)
    expect(page).to_have_url(f"{centre.gateway.url}/?call={call.id}")
    page.keyboard.press("Control+k")
    page.keyboard.type("cons")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{centre.gateway.url}/console")


def test_an_agent_sets_the_status_and_opens_a_conversation_from_the_palette(
    page: Page, centre: Centre
) -> None:
    desk = AtDesk(centre, centre.acme.person("granted agent"))
    number = new_number()
    desk.publish(message(number, "Hello?", name="Omar Haddad"))
    desk.open(page)
    page.get_by_role("button", name=MENU).click()
    page.get_by_role("button", name="Command palette").click()
    page.keyboard.type("status away")
    page.keyboard.press("Enter")
    expect(page.locator("#status-word")).to_have_text("Away")
    page.keyboard.press("Control+k")
    page.keyboard.type("haddad")
    options(page).first.click()
    expect(page.locator("#thread-name")).to_have_text("Omar Haddad")


def test_the_admin_has_the_same_menu(pages: Pages, centre: Centre) -> None:
    page = pages.open()
    log_in(page, centre.gateway)
    assert menu_of(page) == ["Live calls", "Console", "Docs", "Operation"]
    expect(
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Operation")
    ).to_have_attribute("aria-current", "page")
    assert violations(page) == []
    page.keyboard.press("Control+k")
    page.keyboard.type("live")
    page.keyboard.press("Enter")
    expect(page.get_by_label("User name")).to_be_visible()


def test_axe_finds_no_violation_in_the_menu_and_the_palette(page: Page, centre: Centre) -> None:
    watch(page, centre)
    page.set_viewport_size({"width": 320, "height": 640})
    for opens in (lambda: menu_of(page), lambda: page.keyboard.press("Control+k")):
        opens()
        assert violations_light_and_dark(page) == []
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("Escape")
