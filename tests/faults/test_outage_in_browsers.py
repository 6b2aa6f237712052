"""The dashboard and the agent desktop after an outage of the gateway, in Chromium and in Firefox.

Firefox keeps back WebSockets to a host at which some did not open, for up to a minute (RFC 6455, 7.2.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from deploy.programs import FIREFOX
from tests.browser.support.centre import Centre, watch
from tests.browser.support.desktop import AtDesk
from tests.browser.support.firefox_esr import launched_firefox
from tests.faults.support.drill import LONG
from tests.support.browser import Pages, launched
from tests.support.gateways import Gateways
from tests.support.requirement import require

OUTAGE_SECONDS = 200 if LONG else 0
WITHIN_SECONDS = 10 if LONG else 30
"""The longest pause between two attempts is 5 s; in the short form other tests run beside this one."""

LIVE = """() => document.querySelector("#connection").dataset.state === "live" """


@pytest.fixture(params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest, chromium: Path, tmp_path: Path) -> Iterator[Browser]:
    name = request.param
    with (
        launched(chromium) if name == "chromium" else launched_firefox(require(FIREFOX), tmp_path) as browser
    ):
        yield browser


def test_the_pages_are_live_within_seconds_of_the_gateways_return(
    browser: Browser, gateway: Gateways
) -> None:
    centre = Centre(gateway())
    pages = Pages(browser, speak_with_gateway=True)
    dashboard, desk = pages.open(), pages.open()
    watch(dashboard, centre)
    AtDesk(centre, centre.acme.person("granted agent")).open(desk)
    both = (dashboard, desk)
    for page in both:
        page.wait_for_function(LIVE)
    centre.gateway.kill()
    for page in both:
        expect(page.locator("#connection")).to_have_attribute("data-state", "reconnecting")
    # The outage itself, which no condition shortens.
    both[0].wait_for_timeout(OUTAGE_SECONDS * 1000)
    centre.gateway.restart()
    for page in both:
        page.wait_for_function(LIVE, timeout=WITHIN_SECONDS * 1000)
