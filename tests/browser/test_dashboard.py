"""The live-call dashboard as a supervisor uses it: Chromium before a real gateway."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.cast import Company, company, settle
from tests.machinery.browser import Pages
from tests.machinery.gateway import Gateway
from tests.machinery.gateways import Gateways

PASSWORD = "a fine password"
JWT_KEY = "the key with which this gateway signs its tokens"

# It only bounds a failure.
expect.set_options(timeout=30_000)


class Centre:
    """A gateway with Acme, whose calls are watched, and Globex, a stranger."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.acme, self.globex = company("Acme"), company("Globex")
        for name in ("manager", "granted agent"):
            self.acme.person(name).password = PASSWORD
        settle(gateway, self.acme, self.globex)

    def publish(
        self, *items: dict[str, Any], whose: Company | None = None, via: Gateway | None = None
    ) -> None:
        """Publish events, as the customer's platform would."""
        key = (whose or self.acme).key("that publishes")
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{(via or self.gateway).url}/v1.0/events"
        httpx.post(url, json=list(items), headers=headers, timeout=30).raise_for_status()

    def agent_is(self, status: str) -> None:
        """Acme's first agent says so."""
        self.publish(
            {"event_type": "agent.status", "data": {"agent_id": self.acme.people[0].id, "status": status}}
        )


class Call:
    """A call that Acme's platform tells of."""

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

    def row(self, page: Page) -> Locator:
        return page.locator(f"[data-call='{self.id}']")


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    """One gateway for the tests that do it no harm: each has calls of its own, and none ends another's."""
    return Centre(gateway_of_file(JWT_KEYS=JWT_KEY))


def sign_in(page: Page, centre: Centre, name: str = "manager", password: str = PASSWORD) -> None:
    page.goto(f"{centre.gateway.url}/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def watch(page: Page, centre: Centre, query: str = "") -> None:
    """Open the board as Acme's manager, with the token of an earlier sign-in, and wait until it is live."""
    page.goto(f"{centre.gateway.url}/static/voipbin_ws/icon.svg")
    page.evaluate("token => sessionStorage.setItem('voipbin.token', token)", centre.acme.token("manager"))
    page.goto(f"{centre.gateway.url}/{query}")
    expect_live(page)


def expect_live(page: Page) -> None:
    # Who was away for long comes back at the end of a long pause.
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=60_000)


# --- Signing in ---


def test_a_wrong_password_is_told_and_the_right_one_opens_the_board(page: Page, centre: Centre) -> None:
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
    watch(page, centre)
    expect(call.row(page)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    assert "Somebody private" not in page.content()
    assert page.evaluate("() => sessionStorage.length") == 0
    page.reload()
    expect(page.get_by_label("User name")).to_be_visible()


def test_an_agent_is_told_what_it_may_hear_instead_of_an_empty_table(page: Page, centre: Centre) -> None:
    sign_in(page, centre, "granted agent")
    expect(page.get_by_role("heading", name="These calls are not yours to see")).to_be_visible()
    expect(page.locator("#denied-topics li")).to_have_text(
        [
            "every message of Acme",
            "every queue of Acme",
            "whatever concerns you yourself: your calls, your queues, your status",
        ]
    )
    expect(page.locator("#board")).to_be_hidden()


def test_a_session_that_runs_out_asks_to_sign_in_again(page: Page, centre: Centre) -> None:
    manager = centre.acme.person("manager")
    call = Call("Somebody private")
    centre.publish(call.created())
    claims = {"sub": manager.id, "iat": time.time(), "exp": time.time() + 4}
    manager.token, lasting = jwt.encode(claims, JWT_KEY, algorithm="HS256"), manager.token
    try:
        page.goto(f"{centre.gateway.url}/static/voipbin_ws/icon.svg")
        page.evaluate("token => sessionStorage.setItem('voipbin.token', token)", manager.token)
        page.goto(f"{centre.gateway.url}/")
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


def test_a_call_appears_changes_and_goes(page: Page, centre: Centre) -> None:
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


def test_the_service_level_counts_who_waited_and_not_who_hardly_did(page: Page, gateway: Gateways) -> None:
    centre = Centre(gateway())
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
    expect(page.locator("#card-level")).to_have_text("60 %")
    expect(page.locator("#card-abandoned")).to_have_text("20 %")
    page.reload()
    expect(page.locator("#card-level")).to_have_text("60 %")


def test_nothing_is_lost_between_the_state_and_what_follows(page: Page, centre: Centre) -> None:
    before, ending, beginning = Call(), Call(), Call()
    centre.publish(before.created(), ending.created())

    def meanwhile(route: Any) -> None:
        centre.publish(beginning.created(), ending.ended(), before.answered())
        route.continue_()

    # The calls have been loaded by then, and nothing is subscribed yet.
    page.route("**/v1.0/resources/queue?*", meanwhile)
    watch(page, centre)
    expect(beginning.row(page)).to_contain_text("Ringing")
    expect(before.row(page)).to_contain_text("Answered")
    expect(ending.row(page)).to_have_count(0)


def test_times_are_since_it_happened_and_not_since_the_page_was_opened(page: Page, centre: Centre) -> None:
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


def test_a_strangers_calls_are_never_shown(page: Page, centre: Centre) -> None:
    theirs_before, theirs, ours = Call("Globex before"), Call("Globex later"), Call("Acme last")
    centre.publish(theirs_before.created(), whose=centre.globex)
    watch(page, centre)
    centre.publish(theirs.created(), whose=centre.globex)
    centre.publish(ours.created())
    expect(ours.row(page)).to_be_visible()
    assert "Globex" not in page.content()


def test_hostile_texts_stay_texts(page: Page, centre: Centre) -> None:
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
    usual = Call()
    centre.publish(usual.created())
    for call in (*calls, usual):
        expect(call.row(page)).to_be_visible()
    expect(calls[0].row(page)).to_contain_text("<img src=x onerror=")
    assert page.evaluate("() => window.harmed") is None
    assert page.locator("img").count() == 0
    assert page.locator("body script").count() == 0
    heights = {call.row(page).bounding_box()["height"] for call in (*calls, usual)}
    assert len(heights) == 1
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    for call in calls:
        centre.publish(call.ended())


def test_nothing_that_the_page_does_breaks_its_policy(pages: Pages, centre: Centre) -> None:
    page = pages.open()
    answer = page.goto(f"{centre.gateway.url}/")
    policy = answer.header_value("content-security-policy")
    assert policy.startswith("default-src 'self'; connect-src 'self';")
    assert "unsafe" not in policy
    watch(page, centre)
    assert [line for line in pages.console if "Content Security Policy" in line] == []


# --- Finding ---


def test_search_filters_and_order_stay_in_the_address(page: Page, centre: Centre) -> None:
    mark = uuid.uuid4().hex[:8]
    one, other = Call(f"Zoe {mark}"), Call(f"Adam {mark}", direction="outbound")
    centre.publish(one.created(), other.created())
    watch(page, centre)
    page.keyboard.press("/")
    page.keyboard.type(mark)
    rows = page.locator("#rows tr")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="From").click()
    expect(rows.first).to_contain_text("Adam")
    page.get_by_role("button", name="From").click()
    expect(rows.first).to_contain_text("Zoe")
    expect(page.get_by_role("columnheader", name="From")).to_have_attribute("aria-sort", "descending")
    page.get_by_label("Direction", exact=True).select_option("outbound")
    expect(rows).to_have_count(1)
    page.reload()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Adam")
    page.get_by_role("button", name="Waiting").click()
    expect(page.get_by_role("heading", name="No call fits the filters")).to_be_visible()
    page.get_by_role("button", name="Show all calls").click()
    expect(one.row(page)).to_be_visible()
    expect(other.row(page)).to_be_visible()


def test_of_a_thousand_calls_those_in_sight_have_rows(page: Page, gateway: Gateways) -> None:
    centre = Centre(gateway())
    calls = [Call(f"Caller {number:04}") for number in range(1000)]
    centre.publish(*(call.created() for call in calls))
    watch(page, centre, "?sort=from")
    expect(page.locator("#card-active")).to_have_text("1000")
    expect(page.get_by_role("table", name="Live calls")).to_have_attribute("aria-rowcount", "1001")
    expect(calls[0].row(page)).to_be_visible()
    assert page.locator("#rows tr").count() < 100
    page.locator("#scroller").evaluate("element => element.scrollTo(0, element.scrollHeight)")
    expect(calls[999].row(page)).to_be_in_viewport()
    expect(calls[999].row(page)).to_have_attribute("aria-rowindex", "1001")
    expect(calls[0].row(page)).to_have_count(0)
    centre.publish(*(call.ended() for call in calls))
    expect(page.get_by_role("heading", name="No calls right now")).to_be_visible()


# --- The connection ---


def test_a_lost_server_is_told_and_once_it_is_back_nothing_is_missing(page: Page, gateway: Gateways) -> None:
    first = gateway()
    centre = Centre(first)
    staying, ending, beginning = Call(), Call(), Call()
    centre.publish(staying.created(), ending.created())
    watch(page, centre)
    first.kill()
    expect(page.locator("#connection")).to_have_attribute("data-state", "reconnecting")
    banner = page.locator("#stale-banner")
    expect(banner).to_contain_text("as of")
    expect(page.locator("#board-view")).to_have_attribute("data-stale", "")
    shown = staying.row(page).locator("[data-cell=total]").inner_text()
    page.evaluate("() => new Promise((passed) => setTimeout(passed, 1500))")
    assert staying.row(page).locator("[data-cell=total]").inner_text() == shown
    # Another process of the same gateway takes events meanwhile.
    second = gateway(database_url=first.database_url)
    centre.publish(ending.ended(), beginning.created(), staying.answered(), via=second)
    first.restart()
    expect_live(page)
    expect(banner).to_be_hidden()
    expect(staying.row(page)).to_contain_text("Answered")
    expect(beginning.row(page)).to_contain_text("Ringing")
    expect(ending.row(page)).to_have_count(0)


def test_what_cannot_be_recovered_is_loaded_anew(page: Page, gateway: Gateways) -> None:
    serving = gateway()
    centre = Centre(serving)
    gone, staying = Call(), Call()
    centre.publish(gone.created(), staying.created())
    watch(page, centre)
    serving.kill()
    replaced = (
        "from events.models import *; CustomerLog.objects.update(epoch=new_epoch()); "
        f"ResourceState.objects.filter(resource_id='{gone.id}').delete()"
    )
    serving.manage("shell", "--command", replaced)
    serving.restart()
    expect(gone.row(page)).to_have_count(0, timeout=60_000)
    expect_live(page)
    expect(staying.row(page)).to_be_visible()


def test_a_server_that_falls_silent_is_not_taken_for_a_quiet_one(page: Page, gateway: Gateways) -> None:
    serving = gateway()
    centre = Centre(serving)
    watch(page, centre)
    serving.stop()
    expect(page.locator("#stale-banner")).to_be_visible()
    serving.resume()
    expect_live(page)
    expect(page.locator("#stale-banner")).to_be_hidden()
