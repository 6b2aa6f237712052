"""The own account on both pages: another password, and signing out everywhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import PASSWORD, Centre, expect_live
from tests.journeys.support.conversation import get
from tests.support.gateways import Gateways

NEW = "an even better password"


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    """One gateway for all tests."""
    return Centre(gateway_of_file())


def sign_in_at(page: Page, centre: Centre, address: str, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{centre.gateway.url}{address}")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect_live(page)


def token_of(page: Page) -> str:
    return str(page.evaluate("() => sessionStorage.getItem('voipbin.token')"))


def change(page: Page, present: str, wanted: str, again: str | None = None) -> None:
    page.get_by_label("Present password").fill(present)
    page.get_by_label("New password", exact=True).fill(wanted)
    page.get_by_label("Repeat new password").fill(again or wanted)
    page.get_by_role("button", name="Change password").click()


def test_signing_out_ends_the_token_at_the_gateway(page: Page, centre: Centre) -> None:
    sign_in_at(page, centre, "/", "manager")
    token = token_of(page)
    assert get(centre.gateway, token, "/v1.0/me").status_code == 200
    with page.expect_response("**/auth/logout"):
        page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    assert get(centre.gateway, token, "/v1.0/me").status_code == 401


def test_signing_out_everywhere_ends_other_browsers(page: Page, centre: Centre) -> None:
    sign_in_at(page, centre, "/", "manager")
    elsewhere = page.context.browser.new_context().new_page()  # type: ignore[union-attr]
    sign_in_at(elsewhere, centre, "/", "manager")
    token = token_of(elsewhere)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out everywhere").click()
    for each in (page, elsewhere):
        expect(each.get_by_label("User name")).to_be_visible()
    assert get(centre.gateway, token, "/v1.0/me").status_code == 401
    elsewhere.context.close()


@pytest.mark.parametrize(("address", "name"), [("/", "manager"), ("/agent", "granted agent")])
def test_a_person_changes_the_password_and_stays_signed_in_here(
    page: Page, centre: Centre, address: str, name: str
) -> None:
    sign_in_at(page, centre, address, name)
    token = token_of(page)
    page.get_by_role("button", name="Account").click()
    error = page.locator("#account-error")
    change(page, PASSWORD, NEW, "another one")
    expect(error).to_have_text("The two new passwords differ.")
    change(page, "a guess", NEW)
    expect(error).to_have_text("The present password is wrong")
    change(page, PASSWORD, "12345678")
    expect(error).to_contain_text("too common")
    assert token_of(page) == token
    change(page, PASSWORD, NEW)
    expect(page.locator("#account-dialog")).to_be_hidden()
    expect_live(page)
    assert token_of(page) != token
    assert get(centre.gateway, token, "/v1.0/me").status_code == 401
    page.get_by_role("button", name="Sign out").click()
    sign_in_at(page, centre, address, name, NEW)
    assert PASSWORD not in page.content()
