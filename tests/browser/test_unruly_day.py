"""An unruly day leaves no ghost: neither over REST nor on the page that was open, nor on one opened afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Centre, watch
from tests.faults.support.drill import LONG
from tests.support.browser import Pages
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until
from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre
from voipbin_ws.demo.simulation.model.load_profiles import PROFILES
from voipbin_ws.demo.simulation.model.tenants import tenant_of
from voipbin_ws.demo.simulation.publisher import Publisher

MINUTES = 24 * 60 if LONG else 15
STEP_SECONDS = 120 if LONG else 30
# The day is published within seconds, so that all silence is short.
SILENCE = "ringing=3s,waiting=3s,answered=3s"


def live(centre: Centre, path: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {centre.acme.token('manager')}"}
    response = httpx.get(f"{centre.gateway.url}{path}?active=true&limit=500", headers=headers, timeout=30)
    return list(response.raise_for_status().json()["items"])


def ghosts(centre: Centre) -> list[dict[str, Any]]:
    """Return the live calls, and the live places in queues and conferences."""
    return [
        *live(centre, "/v1.0/calls"),
        *live(centre, "/v1.0/resources/queue"),
        *live(centre, "/v1.0/resources/conference"),
    ]


def shown(page: Page) -> dict[str, list[str]]:
    """Return what the page shows: its numbers of calls, and the calls with their states."""
    return {
        "numbers": page.locator("#card-active, #card-waiting").all_inner_texts(),
        "calls": sorted(
            page.locator("[data-call]").evaluate_all(
                "rows => rows.filter(row => row.dataset.state).map(row => row.dataset.call + row.dataset.state)"
            )
        ),
    }


def test_after_an_unruly_day_no_call_or_place_is_live_and_the_pages_agree(
    pages: Pages, gateway: Gateways
) -> None:
    centre = Centre(gateway(CALL_SILENCE=SILENCE))
    open_all_day = pages.open()
    watch(open_all_day, centre)
    start = datetime.now(UTC) - timedelta(minutes=MINUTES)
    day = ContactCentre(tenant_of(centre.acme.id), PROFILES["unruly"], seed="a day", start=start)
    key = centre.acme.key("that publishes")
    with Publisher(centre.gateway.url, key, wait=lambda _: False, report=print) as publisher:
        for seconds in range(STEP_SECONDS, MINUTES * 60 + 1, STEP_SECONDS):
            publisher.publish(day.advance(seconds))
        assert ghosts(centre)
        fresh = pages.open()
        watch(fresh, centre)
        wait_until(lambda: shown(open_all_day) == shown(fresh), "equal pages during the day")
        publisher.publish(day.close())
        assert publisher.published > 50 * MINUTES
    wait_until(lambda: not ghosts(centre), "the end of all calls and places", timeout=60)
    expect(open_all_day.locator("#card-active")).to_have_text("0")
    fresh = pages.open()
    watch(fresh, centre)
    expect(fresh.locator("#card-active")).to_have_text("0")
    wait_until(lambda: shown(open_all_day) == shown(fresh), f"{shown(open_all_day)} == {shown(fresh)}")
