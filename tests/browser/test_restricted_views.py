"""Pages of people for whom numbers are masked, and of a manager who is limited to a queue."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Call, Centre, watch
from tests.browser.support.desktop import AtDesk, card
from tests.journeys.support.cast import Person, company
from tests.support.gateways import Gateways

MASKED, NUMBER = "+1 ••• 11", "+15552004711"


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    acme = company("Acme")
    acme.desk = {"masked_roles": ["agent", "manager"], "revealing_roles": ["agent", "manager"]}
    acme.people.append(Person("limited", role="manager", limited_to={"queues": acme.queues[:1]}))
    return Centre(gateway_of_file(), acme)


def change(centre: Centre, **fields: Any) -> None:
    """Change the limited manager, as an admin of the customer."""
    answer = httpx.patch(
        f"{centre.gateway.url}/v1.0/control/agents/{centre.acme.person('limited').id}",
        headers={"Authorization": f"Bearer {centre.acme.token('admin')}"},
        json=fields,
    )
    assert answer.status_code == 200, answer.text


def test_a_manager_reveals_the_number_in_a_timeline(page: Page, centre: Centre) -> None:
    call = Call()
    watch(page, centre)
    centre.publish(call.created())
    call.row(page).click()
    panel = page.locator("#story")
    expect(page.locator("#story-from")).to_have_text(MASKED)
    expect(call.row(page)).not_to_contain_text("2004711")
    panel.get_by_role("button", name="Show number").click()
    expect(page.locator("#story-from")).to_have_text(NUMBER)
    expect(page.locator("#story-to")).to_have_text("+15550100100")
    expect(panel.get_by_role("button", name="Show number")).to_be_hidden()
    expect(panel).to_be_focused()
    # An event of the call changes nothing of that.
    centre.publish(call.answered())
    expect(page.locator("#story-steps .title")).to_have_text(["Ringing", "Answered"])
    expect(page.locator("#story-from")).to_have_text(NUMBER)


def test_an_agent_works_without_the_number_and_reveals_it(page: Page, centre: Centre) -> None:
    desk = AtDesk(centre, centre.acme.person("granted agent"))
    desk.publish(desk.is_now("available"))
    call = Call()
    desk.open(page)
    desk.rings(call)
    shown = card(page, call)
    expect(shown).to_contain_text("Dana Whitfield")
    expect(shown).to_contain_text(MASKED)
    shown.get_by_role("button", name="Show number").click()
    expect(shown).to_contain_text(NUMBER)
    expect(shown.get_by_role("button", name="Show number")).to_be_hidden()
    desk.talks(call)
    expect(shown).to_have_attribute("data-phase", "talking")
    # Two numbers that look alike are two people.
    for number in (NUMBER, "+15559999911"):
        desk.publish(
            {
                "event_type": "message.received",
                "data": {"id": f"m-{number[-6:]}", "source": {"target": number}, "text": f"It is {number}."},
            }
        )
    threads = page.locator("[data-number^='m-']")
    expect(threads).to_have_count(2)
    expect(threads.first).to_contain_text(MASKED)
    threads.first.click()
    expect(page.get_by_text("The number of this text is masked for you")).to_be_visible()
    expect(page.locator("#bubbles")).to_have_text(re.compile(re.escape(f"It is {MASKED}.")))
    desk.clear()


def test_a_limited_manager_sees_its_queue_alone(page: Page, centre: Centre) -> None:
    own, other = centre.acme.queues
    calls = {queue: Call(f"Caller of {queue[:4]}", queue_id=queue) for queue in (own, other)}
    centre.publish(*(call.created() for call in calls.values()))
    centre.publish(*(call.in_queue("queue.joined", queue) for queue, call in calls.items()))
    watch(page, centre, token=centre.acme.token("limited"))
    expect(calls[own].row(page)).to_be_visible()
    expect(calls[other].row(page)).to_have_count(0)
    expect(page.locator("#queue-rows > *")).to_have_count(1)
    answered = Call("Answered", queue_id=own)
    centre.publish(
        answered.created(), *(answered.in_queue(f"queue.{each}", own) for each in ("joined", "connected"))
    )
    expect(page.locator("#card-level-note")).to_have_text(re.compile(r"^[12] of [12] in 20 s"))
    expect(page.locator("#card-abandoned")).to_have_text("0 %")
    # The page follows what the manager may see, and keeps nothing of what it saw.
    change(centre, limited_to={"queues": [other]})
    expect(calls[other].row(page)).to_be_visible()
    expect(calls[own].row(page)).to_have_count(0)
    change(centre, role="agent", limited_to={})
    expect(page.locator("#denied")).to_be_visible()
    expect(page.locator("#rows tr, #queue-rows tr")).to_have_count(0)
    expect(page).to_have_title("Live calls")
