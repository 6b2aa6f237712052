"""The live-call dashboard: signing in, calls from start to end, hostile texts."""

# Long because these tests share one gateway, whose start takes longer than any of them.

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import (
    JWT_KEY,
    PASSWORD,
    Call,
    Centre,
    expect_live,
    open_with_token,
    sign_in,
    watch,
)
from tests.support.browser import Pages
from tests.support.gateways import Gateways


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    """One gateway for the tests that leave it running: each has its own calls."""
    return Centre(gateway_of_file(JWT_KEYS=JWT_KEY))


# --- Signing in ---


def test_a_wrong_password_shows_an_error_and_the_right_one_opens_the_board(
    page: Page, centre: Centre
) -> None:
    sign_in(page, centre, password="a wrong password")
    expect(page.get_by_role("alert")).to_have_text("User name or password is wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect_live(page)
    expect(page.locator("#customer")).to_have_text("Acme")
    assert page.url == f"{centre.gateway.url}/"
    assert page.evaluate("() => history.length") <= 2
    assert PASSWORD not in page.content()


def test_signing_out_leaves_nothing_behind(page: Page, centre: Centre) -> None:
    call = Call("Somebody private")
    centre.publish(call.created())
    sign_in(page, centre)
    expect(call.row(page)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    assert "Somebody private" not in page.content()
    assert page.evaluate("() => sessionStorage.length") == 0
    page.reload()
    expect(page.get_by_label("User name")).to_be_visible()


def test_an_agent_sees_its_permissions_instead_of_an_empty_table(page: Page, centre: Centre) -> None:
    sign_in(page, centre, "granted agent")
    expect(page.get_by_role("heading", name="You don’t have access to live calls")).to_be_visible()
    expect(page.locator("#denied-topics li")).to_have_text(
        [
            "every message of Acme",
            "every queue of Acme",
            "your own calls, queues and status",
        ]
    )
    expect(page.locator("#board")).to_be_hidden()


def test_an_expired_session_asks_to_sign_in_again(page: Page, centre: Centre) -> None:
    manager = centre.acme.person("manager")
    call = Call("Somebody private")
    centre.publish(call.created())
    claims = {"sub": manager.id, "iat": time.time(), "exp": time.time() + 4}
    manager.token, lasting = jwt.encode(claims, JWT_KEY, algorithm="HS256"), manager.token
    try:
        open_with_token(page, f"{centre.gateway.url}/", manager.token)
        expect(page.locator("#login-notice")).to_have_text("Your session has ended. Sign in again.")
    finally:
        manager.token = lasting
    assert "Somebody private" not in page.content()
    page.get_by_label("User name").fill("manager")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect_live(page)
    expect(call.row(page)).to_be_visible()


# --- Calls ---


def test_a_call_appears_changes_and_disappears(page: Page, centre: Centre) -> None:
    watch(page, centre)
    call, queue, agent = Call(), centre.acme.queues[0], centre.acme.people[0]
    row = call.row(page)
    centre.publish(call.created())
    expect(row).to_contain_text("Ringing")
    expect(row).to_contain_text("Inbound")
    expect(row).to_contain_text("Dana Whitfield")
    expect(row).to_contain_text("+15552004711")
    centre.publish(call.answered(), call.in_queue("queue.joined", queue))
    expect(row).to_contain_text("Waiting")
    expect(row).to_contain_text("Support")
    expect(page.locator("#card-waiting")).to_have_text("1")
    centre.publish(call.event("call.assigned", status="answered", agent_id=agent.id))
    expect(row).to_contain_text("Connecting")
    expect(row).to_contain_text("agent")
    centre.agent_is("busy")
    centre.publish(call.in_queue("queue.connected", queue, agent_id=agent.id, wait_time=7))
    expect(row).to_contain_text("Talking")
    expect(page.locator("#card-waiting")).to_have_text("0")
    expect(page.locator("#card-longest")).to_have_text("—")
    expect(page.locator("#agent-rows")).to_contain_text("busy")
    centre.publish(call.ended(), call.in_queue("queue.left", queue, reason="done"))
    expect(row).to_contain_text("Ended")
    expect(row).to_have_count(0)


def test_the_service_level_leaves_out_callers_who_gave_up_at_once(page: Page, centre: Centre) -> None:
    centre = Centre(centre.gateway, passwords=False)
    queue = centre.acme.queues[0]
    watch(page, centre)
    expect(page.locator("#card-level")).to_have_text("—")
    expect(page.locator("#card-abandoned")).to_have_text("—")
    in_time = [Call().in_queue("queue.connected", queue, wait_time=20) for _ in range(3)]
    late = [Call().in_queue("queue.connected", queue, wait_time=21)]
    given_up = [Call().in_queue("queue.left", queue, wait_time=5, reason="abandoned")]
    hardly = [Call().in_queue("queue.left", queue, wait_time=4.9, reason="abandoned")]
    served = [Call().in_queue("queue.left", queue, wait_time=50, reason="done")]
    centre.publish(*in_time, *late, *given_up, *hardly, *served)
    expect(page.locator("#card-level")).to_have_text("60%")
    expect(page.locator("#card-abandoned")).to_have_text("20%")
    page.reload()
    expect(page.locator("#card-level")).to_have_text("60%")
    expect(page.locator("#card-level")).to_have_attribute("data-level", "bad")
    # The explanation shows by pointer and by keyboard; Escape hides it.
    tooltip = page.locator("#tip-level")
    expect(tooltip).to_be_hidden()
    page.get_by_role("button", name="About the service level").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(tooltip).to_be_visible()
    expect(tooltip).to_contain_text("Answered within 20 s ÷ (answered + abandoned) = 3 ÷ 5 = 60%, last hour.")
    expect(tooltip).to_contain_text("Green from 80%, amber from 70%")
    page.keyboard.press("Escape")
    expect(tooltip).to_be_hidden()


def test_no_event_is_lost_between_the_state_and_the_subscription(page: Page, centre: Centre) -> None:
    before, ending, beginning = Call(), Call(), Call()
    centre.publish(before.created(), ending.created())

    def meanwhile(route: Any) -> None:
        centre.publish(beginning.created(), ending.ended(), before.answered())
        route.continue_()

    # At this point the calls are loaded, and no topic is subscribed yet.
    page.route("**/v1.0/resources/queue?*", meanwhile)
    watch(page, centre)
    expect(beginning.row(page)).to_contain_text("Ringing")
    expect(before.row(page)).to_contain_text("Answered")
    expect(page.locator(f"[data-call='{ending.id}']:not([data-state=ended])")).to_have_count(0)


def test_durations_start_at_the_event_and_not_at_the_loading_of_the_page(page: Page, centre: Centre) -> None:
    call, queue = Call(), centre.acme.queues[0]
    began = datetime.now(UTC) - timedelta(minutes=3)
    stamp = f"{began:%Y-%m-%dT%H:%M:%S.%fZ}"
    events = (
        call.event("call.created", status="answered", tm_create=stamp),
        call.in_queue("queue.joined", queue),
    )
    centre.publish(*({**event, "timestamp": stamp} for event in events))
    watch(page, centre)
    assert call.row(page).locator("[data-cell=inState]").inner_text().startswith(("3:", "4:"))
    assert call.row(page).locator("[data-cell=total]").inner_text().startswith(("3:", "4:"))
    expect(call.row(page)).to_have_attribute("data-wait", "late")
    centre.publish(call.ended())


def test_calls_of_other_customers_are_never_shown(page: Page, centre: Centre) -> None:
    theirs_before, theirs, ours = Call("Globex before"), Call("Globex later"), Call("Acme last")
    centre.publish(theirs_before.created(), whose=centre.globex)
    watch(page, centre)
    centre.publish(theirs.created(), whose=centre.globex)
    centre.publish(ours.created())
    expect(ours.row(page)).to_be_visible()
    assert "Globex" not in page.content()


def test_hostile_texts_are_shown_as_text(page: Page, centre: Centre) -> None:
    markup = '<img src=x onerror="window.harmed = 1"></script><script>window.harmed = 1</script>'
    turned = "\u202eevil\u2066 \u200f"
    endless = "A very long name " * 600
    watch(page, centre)
    calls = [
        Call(text, direction=text, destination=text, agent_id=text, agent_name=text, queue_name=text)
        for text in (markup, turned, endless)
    ]
    calls.append(Call(source={"target": {"a": 1}, "target_name": [markup]}, destination=None, direction=7))
    for call in calls:
        queue = str(uuid.uuid4())
        name = call.data.get("agent_name", markup)
        centre.publish(
            call.event("call.created", status=name),
            call.in_queue("queue.joined", queue, queue_name=name, tm_join=name, source=name),
            {"event_type": "agent.status", "data": {"id": str(uuid.uuid4()), "name": name, "status": name}},
        )
        centre.publish(
            call.event("call.assigned", agent_id=queue, missed_by=name, reason=name),
            call.recording("recording.completed", duration=name, reference_url=f"javascript:{name}"),
            {
                "event_type": "transcription.completed",
                "data": {"id": queue, "call_id": call.id, "text": name},
            },
            {
                "event_type": "activeflow.updated",
                "data": {
                    "id": queue,
                    "reference_id": call.id,
                    "current_action": {"name": name},
                    "flow_name": name,
                },
            },
        )
    usual = Call()
    centre.publish(usual.created())
    for call in (*calls, usual):
        expect(call.row(page)).to_be_visible()
    for call in calls:
        call.row(page).click()
        expect(page.locator("#story-steps li")).to_have_count(6)
        for summary in page.locator("#story-steps summary").all():
            summary.click()
        assert page.locator("#story a:visible").count() == 0
    page.keyboard.press("Escape")
    expect(calls[0].row(page)).to_contain_text("<img src=x onerror=")
    assert page.evaluate("() => window.harmed") is None
    assert page.locator("img").count() == 0
    assert page.locator("body script").count() == 0
    heights = {call.row(page).bounding_box()["height"] for call in (*calls, usual)}
    assert len(heights) == 1
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    for call in calls:
        centre.publish(call.ended())


def test_the_page_never_violates_its_content_security_policy(pages: Pages, centre: Centre) -> None:
    page = pages.open()
    answer = page.goto(f"{centre.gateway.url}/")
    policy = answer.header_value("content-security-policy")
    assert policy.startswith("default-src 'self'; ")
    assert "unsafe" not in policy
    watch(page, centre)
    call = Call()
    centre.publish(call.created())
    call.row(page).click()
    expect(page.locator("#story-shares span")).to_have_count(1)
    for key in ("p", "w", "f"):
        page.keyboard.press(key)
    expect(page.locator("#wall-clock")).not_to_be_empty()
    assert [line for line in pages.console if "Content Security Policy" in line] == []
    centre.publish(call.ended())
