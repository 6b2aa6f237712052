"""A call's timeline on the dashboard: live, by its address, by keyboard, and its permissions."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.support.centre import Call, Centre, watch
from tests.support.gateways import Gateways


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file())


def panel(page: Page) -> Locator:
    return page.locator("#story")


def titles(page: Page) -> Locator:
    return page.locator("#story-steps .title")


def finished(centre: Centre) -> Call:
    """Publish a finished call with a recording."""
    call, queue, agent = Call(), centre.acme.queues[0], centre.acme.people[0]
    centre.publish(
        call.created(),
        call.in_queue("queue.joined", queue),
        call.in_queue("queue.connected", queue, agent_id=agent.id, wait_time=3),
        call.recording("recording.started"),
        call.recording("recording.completed", duration=65, reference_url="https://recordings.test/1.wav"),
        call.event("call.ended", status="hangup", hangup_reason="normal", hangup_by="remote"),
    )
    return call


def test_the_timeline_follows_a_call_to_its_end(page: Page, centre: Centre) -> None:
    call, queue, agent = Call(), centre.acme.queues[0], centre.acme.people[0]
    watch(page, centre)
    centre.publish(call.created())
    call.row(page).click()
    expect(panel(page)).to_be_focused()
    expect(panel(page).get_by_role("heading", name="Dana Whitfield")).to_be_visible()
    expect(titles(page)).to_have_text(["Ringing"])
    centre.publish(call.answered(), call.in_queue("queue.joined", queue))
    expect(titles(page)).to_have_text(["Ringing", "Answered", "Waiting in Support"])
    centre.publish(call.event("call.assigned", status="answered", agent_id=agent.id))
    centre.publish(call.in_queue("queue.connected", queue, agent_id=agent.id, wait_time=7))
    expect(titles(page).last).to_have_text("Talking with agent")
    expect(page.locator("#story-steps .lasted").last).to_have_text("0:01")
    # Recordings are subscribed only while a timeline is open.
    centre.publish(call.recording("recording.started"))
    expect(titles(page).last).to_have_text("Recording began")
    expect(panel(page)).to_contain_text("Recording now")
    centre.publish(
        call.recording("recording.completed", duration=65, reference_url="https://recordings.test/1.wav"),
        call.in_queue("queue.left", queue, reason="done"),
        call.event("call.ended", status="hangup", hangup_reason="normal", hangup_by="remote"),
    )
    expect(titles(page).last).to_have_text("Ended")
    expect(panel(page).locator("#story-facts")).to_contain_text("normally, by the caller")
    expect(panel(page)).to_contain_text("Recording, 1:05")
    link = panel(page).get_by_role("link", name="Open")
    expect(link).to_have_attribute("href", "https://recordings.test/1.wav")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    # A call without a row has the same timeline.
    shown = titles(page).all_inner_texts()
    page.reload()
    expect(titles(page)).to_have_text(shown)
    expect(call.row(page)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    assert page.url == f"{centre.gateway.url}/"


def test_a_step_shows_its_raw_event_on_request(page: Page, centre: Centre) -> None:
    call = finished(centre)
    watch(page, centre, f"?call={call.id}")
    expect(titles(page).last).to_have_text("Ended")
    assert "hangup_reason" not in page.locator("#story-steps").inner_text()
    page.locator("#story-steps summary").last.click()
    raw = page.locator("#story-steps pre").last
    expect(raw).to_contain_text('"hangup_reason": "normal"')
    expect(raw).to_contain_text('"event_type": "call.ended"')


def test_back_and_forward_lead_through_timelines(page: Page, centre: Centre) -> None:
    one, other = Call("One"), Call("Other")
    centre.publish(one.created(), other.created())
    watch(page, centre, "?sort=from")
    one.row(page).click()
    expect(panel(page)).to_contain_text("One")
    other.row(page).click()
    expect(panel(page).get_by_role("heading", name="Other")).to_be_visible()
    assert page.url.endswith(f"?sort=from&call={other.id}")
    page.go_back()
    expect(panel(page).get_by_role("heading", name="One")).to_be_visible()
    expect(one.row(page)).to_have_attribute("data-open", "")
    expect(other.row(page)).not_to_have_attribute("data-open", "")
    page.go_back()
    expect(panel(page)).to_be_hidden()
    page.go_forward()
    expect(panel(page).get_by_role("heading", name="One")).to_be_visible()
    panel(page).get_by_role("button", name="Close the timeline").click()
    expect(one.row(page).get_by_role("button")).to_be_focused()
    centre.publish(one.ended(), other.ended())


@pytest.mark.parametrize("call_id", [str(uuid.uuid4()), "<img src=x>"], ids=["unknown", "markup"])
def test_the_panel_says_if_no_events_of_a_call_are_stored(page: Page, centre: Centre, call_id: str) -> None:
    watch(page, centre, f"?call={call_id}")
    expect(page.locator("#story-note")).to_contain_text(
        "No events of this call are stored" if "<" not in call_id else "Cannot load the timeline"
    )
    expect(titles(page)).to_have_count(0)


def test_another_customers_call_has_no_timeline(page: Page, centre: Centre) -> None:
    theirs = Call("Globex's caller")
    centre.publish(theirs.created(), whose=centre.globex)
    watch(page, centre, f"?call={theirs.id}")
    expect(page.locator("#story-note")).to_contain_text("No events of this call are stored")
    centre.publish(theirs.answered(), whose=centre.globex)
    ours = Call("Acme last")
    centre.publish(ours.created())
    expect(ours.row(page)).to_be_visible()
    assert "Globex" not in page.content()


def test_the_keyboard_alone_finds_and_opens_a_call(page: Page, centre: Centre) -> None:
    mark = uuid.uuid4().hex[:8]
    calls = [Call(f"{name} {mark}") for name in ("Ada", "Bob", "Cyd")]
    centre.publish(*(call.created() for call in calls))
    watch(page, centre, f"?sort=from&q={mark}")
    expect(page.locator("#rows tr")).to_have_count(3)
    for key, at in (("j", 1), ("j", 2), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        expect(calls[at].row(page).get_by_role("button")).to_be_focused()
    # A row that moves keeps the focus.
    renamed = {"type": "tel", "target": "+15552004711", "target_name": f"Zoe {mark}"}
    centre.publish(calls[0].event("call.status", status="answered", source=renamed))
    expect(page.locator("#rows tr").last).to_contain_text("Zoe")
    expect(calls[1].row(page).get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", name=f"Bob {mark}")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(calls[1].row(page).get_by_role("button")).to_be_focused()
    page.keyboard.press("?")
    help_dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(help_dialog).to_be_visible()
    help_dialog.get_by_label("Enable keyboard shortcuts").uncheck()
    page.keyboard.press("Escape")
    expect(help_dialog).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_label("Search calls")).not_to_be_focused()
    centre.publish(*(call.ended() for call in calls))
