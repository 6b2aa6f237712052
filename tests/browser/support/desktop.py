"""An agent at the desktop, and the events of the customer's platform."""

from __future__ import annotations

import uuid
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.support.centre import PASSWORD, Call, Centre, expect_live, open_with_token
from tests.journeys.support.cast import Person

# Counts the tones that the page plays.
COUNT_TONES = """
window.tones = 0;
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...args) { window.tones += 1; return start.apply(this, args); };
"""


class AtDesk:
    """One agent at the desktop."""

    def __init__(self, centre: Centre, person: Person) -> None:
        self.centre = centre
        self.person = person
        self.queue = centre.acme.queues[0]
        self._calls: list[Call] = []

    def sign_in(self, page: Page) -> None:
        """Sign in with user name and password."""
        page.goto(f"{self.centre.gateway.url}/agent")
        page.get_by_label("User name").fill(self.person.name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect_live(page)

    def open(self, page: Page, *, live: bool = True) -> None:
        """Open the desktop with a token, and wait until it is live."""
        open_with_token(page, f"{self.centre.gateway.url}/agent", self.person.token)
        if live:
            expect_live(page)

    def publish(self, *events: dict[str, Any], **more: Any) -> None:
        self.centre.publish(*events, **more)

    def waits(self, call: Call, **data: Any) -> None:
        """Publish that the caller waits in the agent's queue."""
        self.publish(
            call.in_queue(
                "queue.joined", self.queue, queue_name="Support", source=call.data["source"], **data
            )
        )

    def rings(self, call: Call, **data: Any) -> None:
        """Publish that the call is offered to this agent."""
        self._calls.append(call)
        facts = {
            "status": "ringing",
            "agent_id": self.person.id,
            "queue_id": self.queue,
            "queue_name": "Support",
        }
        self.publish(call.event("call.assigned", **facts, **data), self.is_now("ringing"))

    def talks(self, call: Call) -> None:
        """Publish that the agent accepted the call."""
        self.publish(
            self.is_now("busy"),
            call.in_queue("queue.connected", self.queue, agent_id=self.person.id),
            call.event("call.status", status="answered", agent_id=self.person.id),
        )

    def ends(self, call: Call) -> None:
        self.publish(
            call.event("call.ended", status="hangup", agent_id=self.person.id),
            call.in_queue("queue.left", self.queue, reason="done"),
            self.is_now("available"),
        )

    def clear(self) -> None:
        """End the calls that a test left open."""
        for call in self._calls:
            self.ends(call)

    def is_now(self, status: str) -> dict[str, Any]:
        return {"event_type": "agent.status", "data": {"agent_id": self.person.id, "status": status}}


def card(page: Page, call: Call) -> Any:
    """Return the card of a call."""
    return page.locator(f"#calls [data-call='{call.id}']")


def message(number: str, text: Any, *, inbound: bool = True, name: str = "", **data: Any) -> dict[str, Any]:
    """Return the event of a message."""
    other = {"type": "tel", "target": number, "target_name": name}
    line = {"type": "tel", "target": "+15550100100"}
    facts = {
        "id": str(uuid.uuid4()),
        "direction": "inbound" if inbound else "outbound",
        "source": other if inbound else line,
        "destination": line if inbound else other,
        "text": text,
        "status": "received" if inbound else "sent",
    }
    return {"event_type": "message.received" if inbound else "message.sent", "data": facts | data}


def thread(page: Page, number: str) -> Any:
    """Return the row of a conversation."""
    return page.locator(f"#thread-rows [data-number='{number}'] button")


def new_number() -> str:
    """Return a telephone number that no other test uses."""
    return f"+1555{uuid.uuid4().int % 10_000_000:07d}"


def expect_status(page: Page, word: str) -> None:
    expect(page.locator("#status-word")).to_have_text(word)
