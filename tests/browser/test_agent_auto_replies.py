"""A conversation with an auto-responder, as the agent sees it: replies, and STOP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Centre
from tests.browser.support.desktop import AtDesk, thread
from tests.journeys.support.cast import Company, company
from tests.journeys.support.office import HOURS, STOPPED, Office, new_number
from tests.journeys.support.simulated_platform import SimulatedPlatform
from tests.support.gateways import Gateways

BY_HAND = "You are welcome. Have a good day!"


@pytest.fixture
def centre(gateway: Gateways, platform: SimulatedPlatform, acme: Company) -> Centre:
    return Centre(gateway(**platform.environment()), acme)


@pytest.fixture
def acme() -> Company:
    return company("Acme")


@pytest.fixture
def platform(acme: Company) -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(acme.id) as platform:
        yield platform


@pytest.fixture
def office(centre: Centre, platform: SimulatedPlatform, tmp_path: Path) -> Iterator[Office]:
    """An office whose auto-responder is running."""
    platform.publish_to(centre.gateway, centre.acme)
    office = Office(centre.gateway, centre.acme, platform, tmp_path)
    office.start()
    yield office
    for process in office.processes:
        process.kill()


def test_a_program_answers_beside_the_agent_until_stop(page: Page, centre: Centre, office: Office) -> None:
    dana = new_number()
    AtDesk(centre, centre.acme.person("granted agent")).open(page)
    office.writes(dana, "What are your hours?")
    row = thread(page, dana)
    expect(row).to_contain_text(f"Automatic: {HOURS}")
    row.click()
    bubbles = page.locator("#bubbles li")
    expect(bubbles).to_have_count(2)
    expect(bubbles.nth(0)).to_contain_text("What are your hours?")
    expect(bubbles.nth(1)).to_have_attribute("data-automatic", "")

    office.writes(dana, "Thanks!")
    page.get_by_label("Reply").fill(BY_HAND)
    page.keyboard.press("Enter")
    expect(bubbles.nth(3)).to_contain_text(BY_HAND)
    expect(bubbles.nth(3)).not_to_have_attribute("data-automatic", "")

    office.writes(dana, "STOP")
    expect(bubbles.nth(5)).to_contain_text(STOPPED)
    expect(bubbles.nth(5)).to_have_attribute("data-automatic", "")
    expect(row).to_contain_text("Opted out")
    expect(page.locator("#opted-out")).to_contain_text("wrote STOP")
    expect(page.get_by_label("Reply")).to_be_hidden()

    office.writes(dana, "START")
    expect(bubbles.nth(7)).to_contain_text("Welcome back!")
    expect(row).not_to_contain_text("Opted out")
    expect(page.get_by_label("Reply")).to_be_visible()
