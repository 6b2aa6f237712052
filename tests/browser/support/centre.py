"""A contact centre for the dashboard: gateway, customers, calls, and how to open the board."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.journeys.support.cast import Company, Person, company, settle
from tests.support.gateway import Gateway

PASSWORD = "a fine password"
JWT_KEY = "the key with which this gateway signs its tokens"

DESK = {
    "dispositions": [{"code": "sold", "label": "Sold"}, {"code": "lost", "label": "Not interested"}],
    "away_reasons": [
        {"code": "lunch", "label": "Lunch", "minutes": 30},
        {"code": "meeting", "label": "Meeting", "minutes": None},
    ],
    "quick_replies": [
        {"title": "Call back", "text": "We will call you back shortly."},
        {"title": "Greeting", "text": "Hello {name}, this is {agent}. We have your number {number}."},
    ],
    "crm_url": "https://crm.example.com/search?q={number}&name={name}",
}
"""What Acme has set for the desktops of its agents."""

# Only failing tests take this long.
expect.set_options(timeout=30_000)


class Centre:
    """A gateway with Acme, whose calls are shown, and with Globex, which has a person of platform staff.

    If several share a gateway, only one can have `passwords`: user names are unique.
    """

    def __init__(self, gateway: Gateway, acme: Company | None = None, *, passwords: bool = True) -> None:
        self.gateway = gateway
        self.acme, self.globex = acme or company("Acme"), company("Globex")
        self.acme.desk = DESK | self.acme.desk
        for name in ("manager", "granted agent") if passwords else ():
            self.acme.person(name).password = PASSWORD
        self.globex.people.append(Person("staff", role="staff"))
        settle(gateway, self.acme, self.globex)

    def publish(
        self, *items: dict[str, Any], whose: Company | None = None, via: Gateway | None = None
    ) -> None:
        """Publish events, as the customer's platform would."""
        key = (whose or self.acme).key("that publishes")
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{(via or self.gateway).url}/v1.0/events"
        httpx.post(url, json=list(items), headers=headers, timeout=30).raise_for_status()

    def receive_webhook(self, webhook: dict[str, Any]) -> None:
        """Send a webhook of VoIPBIN."""
        headers = {"Authorization": f"Bearer {self.acme.key('that publishes')}"}
        url = f"{self.gateway.url}/v1.0/webhooks/voipbin"
        httpx.post(url, json=webhook, headers=headers, timeout=30).raise_for_status()

    def agent_is(self, status: str) -> None:
        """Publish the status of Acme's first agent."""
        self.publish(
            {"event_type": "agent.status", "data": {"agent_id": self.acme.people[0].id, "status": status}}
        )


class Call:
    """A call that Acme's platform publishes."""

    def __init__(self, name: str = "Dana Whitfield", **data: Any) -> None:
        self.id = str(uuid.uuid4())
        self.data = {
            "id": self.id,
            "direction": "inbound",
            "source": {"type": "tel", "target": "+15552004711", "target_name": name},
            "destination": {"type": "tel", "target": "+15550100100"},
        } | data

    def event(self, event_type: str, **data: Any) -> dict[str, Any]:
        return {"event_type": event_type, "data": self.data | data}

    def created(self) -> dict[str, Any]:
        return self.event("call.created", status="ringing")

    def answered(self) -> dict[str, Any]:
        return self.event("call.status", status="answered")

    def ended(self) -> dict[str, Any]:
        return self.event("call.ended", status="hangup")

    def in_queue(self, event_type: str, queue_id: str, **data: Any) -> dict[str, Any]:
        return {"event_type": event_type, "data": {"queue_id": queue_id, "call_id": self.id} | data}

    def recording(self, event_type: str, **data: Any) -> dict[str, Any]:
        return {"event_type": event_type, "data": {"id": f"r-{self.id}", "call_id": self.id} | data}

    def row(self, page: Page) -> Locator:
        return page.locator(f"[data-call='{self.id}']")


def sign_in(page: Page, centre: Centre, name: str = "manager", password: str = PASSWORD) -> None:
    page.goto(f"{centre.gateway.url}/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def open_with_token(page: Page, url: str, token: str) -> None:
    """Open a page as if one had signed in in this tab before."""
    with page.add_init_script(f"sessionStorage.setItem('voipbin.token', '{token}')"):
        page.goto(url)


def watch(
    page: Page, centre: Centre, query: str = "", token: str | None = None, *, live: bool = True
) -> None:
    """Open the board with a token (by default of Acme's manager), and wait until it is live."""
    open_with_token(page, f"{centre.gateway.url}/{query}", token or centre.acme.token("manager"))
    if live:
        expect_live(page)


def expect_live(page: Page) -> None:
    # After a long break the page reconnects at the end of a long pause.
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=60_000)
