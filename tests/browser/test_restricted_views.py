"""Pages of people for whom numbers are masked, and of a manager who is limited to a queue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Call, Centre, watch
from tests.browser.support.desktop import AtDesk, card, message
from tests.journeys.support.cast import Person, company
from tests.subscriptions.support.platform_server import Platform, platform
from tests.support.gateways import Gateways

MASKED, NUMBER = "+1 ••• 11", "+15552004711"


@pytest.fixture(scope="module")
def theirs() -> Iterator[Platform]:
    with platform() as server:
        yield server


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways, theirs: Platform) -> Centre:
    acme = company("Acme")
    acme.desk = {"masked_roles": ["agent", "manager"], "revealing_roles": ["agent", "manager"]}
    acme.people.append(Person("limited", role="manager", limited_to={"queues": acme.queues[:1]}))
    return Centre(gateway_of_file(PLATFORM_API_URL=theirs.url), acme)


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
    desk.clear()


def test_an_agent_answers_a_text_from_a_number_that_stays_masked(
    page: Page, centre: Centre, theirs: Platform
) -> None:
    """Two numbers that look alike are two people; the messages of each are one conversation."""
    desk = AtDesk(centre, centre.acme.person("granted agent"))
    desk.open(page)
    desk.publish(message(NUMBER, f"It is {NUMBER}."), message("+15559999911", "I am another."))
    threads = page.locator("#thread-rows button").filter(has_text=re.compile("It is|another"))
    expect(threads).to_have_count(2)
    own = threads.filter(has_text=f"It is {MASKED}.")
    own.click()
    desk.publish(message(NUMBER, "Are you there?"))
    expect(page.locator("#bubbles .text")).to_have_text([f"It is {MASKED}.", "Are you there?"])
    page.get_by_label("Reply", exact=True).fill("Yes.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("Reply", exact=True)).to_have_value("")
    (order,) = [body for _, _, body, _ in theirs.requests]
    assert (order["destinations"], order["text"]) == ([{"type": "tel", "target": NUMBER}], "Yes.")
    desk.publish(message(NUMBER, "Yes.", inbound=False))
    expect(page.locator("#bubbles .text")).to_have_text([f"It is {MASKED}.", "Are you there?", "Yes."])
    expect(page.locator("#thread-rows button")).to_have_count(2)
    head = page.locator(".thread-head")
    expect(head).not_to_contain_text(NUMBER)
    head.get_by_role("button", name="Show number").click()
    expect(head).to_contain_text(NUMBER)
    expect(head.get_by_role("button", name="Show number")).to_be_hidden()


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
    expect(page.locator("#card-abandoned")).to_have_text("0%")
    # The page follows what the manager may see, and keeps nothing of what it saw.
    change(centre, limited_to={"queues": [other]})
    expect(calls[other].row(page)).to_be_visible()
    expect(calls[own].row(page)).to_have_count(0)
    change(centre, role="agent", limited_to={})
    expect(page.locator("#denied")).to_be_visible()
    expect(page.locator("#rows tr, #queue-rows tr")).to_have_count(0)
    expect(page).to_have_title("Live calls")
