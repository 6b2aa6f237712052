"""The page of an invitation: a person sets a password and is signed in, and a used link says what to do."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.accessibility import violations_light_and_dark
from tests.browser.support.centre import Centre
from tests.support.gateways import Gateways

PASSWORD = "another fine horse"


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file())


def test_an_invited_person_sets_a_password_and_is_signed_in(page: Page, centre: Centre) -> None:
    ann = centre.acme.person("agent")
    headers = {"Authorization": f"Bearer {centre.acme.token('admin')}"}
    url = f"{centre.gateway.url}/v1.0/control/agents/{ann.id}/invitation"
    link = httpx.post(url, headers=headers, timeout=30).json()["invitation_link"]
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(link)
    # Another person has stayed signed in here.
    page.evaluate("token => localStorage.setItem('voipbin.token', token)", centre.acme.token("admin"))
    expect(page.get_by_role("heading", name="Welcome, agent")).to_be_visible()
    expect(page.locator("#customer")).to_have_text("Acme")
    assert violations_light_and_dark(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    username = page.get_by_label("User name").input_value()
    password = page.get_by_label("New password", exact=True)
    again = page.get_by_label("Repeat new password")
    for first, second, problem in (
        (PASSWORD, "something else", "The two passwords differ."),
        ("12345678", "12345678", "too common"),
    ):
        password.fill(first)
        again.fill(second)
        page.get_by_role("button", name="Set password and sign in").click()
        expect(page.get_by_role("alert")).to_contain_text(problem)
    password.fill(PASSWORD)
    again.fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{centre.gateway.url}/agent")
    expect(page.locator("#person")).to_have_text("agent")
    assert page.evaluate("localStorage.getItem('voipbin.token')") is None
    login = {"username": username, "password": PASSWORD}
    httpx.post(f"{centre.gateway.url}/auth/login", json=login, timeout=30).raise_for_status()
    page.goto(link)
    expect(page.get_by_role("heading", name="This invitation cannot be used")).to_be_visible()
    expect(page.locator("#reason")).to_contain_text("Sign in with your password, or ask an admin")
    assert violations_light_and_dark(page) == []
    page.goto(f"{centre.gateway.url}/invitation/")
    expect(page.locator("#reason")).to_contain_text("open the whole link")
