"""The agent desktop without a platform, without a server, with hostile texts, and in a narrow window."""

# Long because every trouble is that of one desk without a platform.

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.support.centre import PASSWORD, Call, Centre, expect_live
from tests.browser.support.desktop import AtDesk, card, expect_status
from tests.journeys.support.cast import Person, company, settle
from tests.support.browser import Pages
from tests.support.gateways import Gateways
from tests.support.ports import free_port
from tests.support.processes import ServerProcess
from voipbin_ws.demo.simulation.model.tenants import tenant_of

NO_PLATFORM = "No platform is connected to this gateway: an operator names its API with PLATFORM_API_URL"


@pytest.fixture(scope="module")
def desk(gateway_of_file: Gateways) -> AtDesk:
    """The granted agent, at a gateway without a platform."""
    centre = Centre(gateway_of_file())
    return AtDesk(centre, centre.acme.person("granted agent"))


def test_without_a_platform_disabled_controls_show_the_reason(page: Page, gateway: Gateways) -> None:
    centre = Centre(gateway())
    desk = AtDesk(centre, centre.acme.person("granted agent"))
    desk.open(page)
    call = Call()
    desk.rings(call)
    for name in ("Accept", "Voicemail", "Transfer"):
        button = card(page, call).get_by_role("button", name=name)
        expect(button).to_be_disabled()
        expect(button).to_have_accessible_description(
            "No platform is connected to this gateway: an operator names its API with PLATFORM_API_URL"
        )
    expect(card(page, call)).to_contain_text("No platform is connected to this gateway")
    # The status needs no platform: the gateway stores and publishes it.
    page.get_by_role("button", name="Away").click()
    expect_status(page, "Away")


def test_a_lost_connection_is_shown_and_afterwards_nothing_is_missing(page: Page, gateway: Gateways) -> None:
    first = gateway()
    centre = Centre(first)
    desk = AtDesk(centre, centre.acme.person("granted agent"))
    staying, ending, missed = Call("Staying"), Call("Ending"), Call("Missed meanwhile")
    desk.open(page)
    desk.rings(ending)
    desk.rings(staying)
    expect(card(page, staying)).to_be_visible()
    first.kill()
    expect(page.locator("#stale-banner")).to_contain_text("Showing data from")
    expect(page.get_by_role("button", name="Away")).to_be_disabled()
    shown = card(page, staying).locator("[data-cell=time]").inner_text()
    page.evaluate("() => new Promise((passed) => setTimeout(passed, 1500))")
    assert card(page, staying).locator("[data-cell=time]").inner_text() == shown
    # Meanwhile another process of the same gateway accepts events.
    second = gateway(database_url=first.database_url)
    desk.publish(
        ending.event("call.ended", status="hangup", agent_id=desk.person.id),
        missed.event("call.assigned", agent_id=desk.person.id),
        missed.event("call.ended", status="hangup", agent_id=desk.person.id),
        staying.event("call.status", status="answered", agent_id=desk.person.id),
        via=second,
    )
    first.restart()
    expect_live(page)
    expect(page.locator("#stale-banner")).to_be_hidden()
    expect(card(page, staying)).to_contain_text("Talking")
    expect(card(page, ending)).to_have_count(0)
    expect(page.locator("#recent-rows")).to_contain_text("Missed meanwhile Missed, caller hung up")


# As in Firefox on a computer without a sound device.
NO_SOUND_DEVICE = """
AudioContext.prototype.resume = () => new Promise(() => {});
Object.defineProperty(AudioContext.prototype, "state", { value: "suspended" });
"""


def test_a_shift_starts_without_a_sound_device(page: Page, desk: AtDesk) -> None:
    page.add_init_script(NO_SOUND_DEVICE)
    desk.publish(desk.is_now("offline"))
    desk.open(page)
    expect_status(page, "Offline")
    page.get_by_role("button", name="Start shift").click()
    expect_status(page, "Available")
    expect(page.locator("#toasts")).to_contain_text("This browser plays no sound.")


def test_after_a_call_the_desk_says_that_it_is_wrap_up_and_offers_to_be_ready(
    page: Page, desk: AtDesk
) -> None:
    desk.open(page)
    call = Call()
    desk.rings(call)
    desk.talks(call)
    expect(card(page, call)).to_contain_text("Talking")
    desk.publish(call.event("call.ended", status="hangup", agent_id=desk.person.id))
    text = page.locator("#no-call-text")
    expect(text).to_have_text(re.compile(r"^Wrap-up: 0:\d\d\. The next call comes when you are available\.$"))
    page.get_by_role("button", name="Ready").click()
    expect_status(page, "Available")
    expect(text).to_have_text("You are available. Your next call rings here.")
    expect(page.get_by_role("button", name="Ready")).to_be_hidden()


def test_hostile_texts_are_shown_as_text(page: Page, desk: AtDesk) -> None:
    markup = '<img src=x onerror="window.harmed = 1"></script><script>window.harmed = 1</script>'
    turned, endless = "\u202eevil\u2066 \u200f", "A very long name " * 600
    desk.open(page)
    calls = []
    for text in (markup, turned, endless):
        call = Call(text, direction=text)
        customer = {"name": text, text[:100]: text, "previous_calls": {text[:100]: [text]}, "list": [text, 7]}
        desk.waits(call, tm_join=text)
        desk.rings(call, customer=customer, wait_time=text)
        calls.append(call)
    odd = Call(source={"target": {"a": 1}, "target_name": [markup]}, direction=7)
    desk.rings(odd, customer=[markup])
    desk.publish(desk.is_now(markup))
    for call in (*calls, odd):
        expect(card(page, call)).to_be_visible()
    expect(card(page, calls[0])).to_contain_text("<img src=x onerror=")
    assert page.evaluate("() => window.harmed") is None
    assert page.locator("img").count() == 0
    assert page.locator("body script").count() == 0
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    for call in (*calls, odd):
        desk.ends(call)


def test_the_page_never_violates_its_content_security_policy(pages: Pages, desk: AtDesk) -> None:
    page = pages.open()
    answer = page.goto(f"{desk.centre.gateway.url}/agent")
    policy = answer.header_value("content-security-policy")
    assert policy.startswith("default-src 'self'; ")
    assert "unsafe" not in policy
    desk.open(page)
    assert [line for line in pages.console if "Content Security Policy" in line] == []


@pytest.mark.parametrize("width", [320, 390, 900])
def test_the_page_fits_into_a_narrow_window(pages: Pages, desk: AtDesk, width: int) -> None:
    page = pages.open(viewport={"width": width, "height": 800})
    desk.open(page)
    call = Call("Maximiliane Konstantinopoulos-Featherstonehaugh")
    desk.rings(call)
    expect(card(page, call)).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    desk.ends(call)


def test_accept_answers_a_call_of_the_simulator(page: Page, gateway: Gateways, tmp_path: Path) -> None:
    port = free_port()
    serving = gateway(PLATFORM_API_URL=f"http://127.0.0.1:{port}", PLATFORM_API_KEY="a-key")
    acme = company("Acme")
    simulated = tenant_of(acme.id)
    agent = Person(
        simulated.agents[0].name,
        id=simulated.agents[0].id,
        granted=["message"],
        queues=[queue.id for queue in simulated.queues],
        password=PASSWORD,
    )
    acme.queues += [queue.id for queue in simulated.queues]
    acme.people.append(agent)
    settle(serving, acme)
    own = {
        "VOIPBIN_PUBLISH_KEY": acme.key("that publishes"),
        "VOIPBIN_CUSTOMER_ID": acme.id,
        "PLATFORM_API_KEY": "a-key",
    }
    command = [
        "simulate",
        "--url",
        serving.url,
        "--profile",
        "busy",
        "--rate",
        "120",
        "--platform-port",
        str(port),
        "--seed",
        "1",
    ]
    log = tmp_path / "simulator.log"
    environment = {**serving.environment, **own}
    simulator = ServerProcess([sys.executable, "manage.py", *command], log, environment=environment)
    try:
        simulator.wait_ready(lambda: "Taking orders" in simulator.log_text(), "the simulator")
        page.goto(f"{serving.url}/agent")
        page.get_by_label("User name").fill(agent.name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect_live(page)
        page.get_by_role("button", name="Start shift").click()
        ringing = page.locator("#calls [data-phase=offered]")
        expect(ringing).to_be_visible(timeout=60_000)
        call_id = ringing.get_attribute("data-call")
        ringing.get_by_role("button", name="Accept").click()
        talking = page.locator(f"#calls [data-call='{call_id}'][data-phase=talking]")
        expect(talking).to_be_visible()
        expect_status(page, "Busy")
        talking.get_by_role("button", name="Hang up").click()
        expect(talking).to_have_count(0)
        assert simulator.running, simulator.log_text()
    finally:
        simulator.kill()


def test_an_agent_who_is_added_to_a_queue_sees_its_callers_without_a_reload(page: Page, desk: AtDesk) -> None:
    queue, call, later = desk.centre.acme.queues[1], Call("Quinn"), Call("Rosa")
    change = (
        "from subscriptions.models import Agent; "
        f"Agent.objects.get(pk='{desk.person.id}').queues.{{}}('{queue}')"
    )
    desk.open(page)
    desk.publish(call.in_queue("queue.joined", queue, source=call.data["source"]))
    desk.centre.gateway.manage("shell", "--command", change.format("add"))
    desk.publish(later.in_queue("queue.joined", queue, source=later.data["source"]))
    waiting = page.locator("#waiting-rows")
    expect(waiting).to_contain_text("Rosa")
    expect(page.locator("#toasts")).to_contain_text("Rosa is waiting in Support")
    expect(waiting).not_to_contain_text("Quinn")
    # After the agent was removed, the callers are gone with the next change of the status.
    desk.centre.gateway.manage("shell", "--command", change.format("remove"))
    desk.publish(desk.is_now("away"))
    expect(waiting).not_to_contain_text("Rosa")
    desk.publish(*(each.in_queue("queue.left", queue) for each in (call, later)), desk.is_now("available"))


def test_past_calls_stay_in_order_when_the_agents_queues_are_read_again(page: Page, desk: AtDesk) -> None:
    desk.open(page)
    waiting, first, second = Call("Waiting"), Call("First"), Call("Second")
    desk.publish(waiting.in_queue("queue.joined", desk.queue, source=waiting.data["source"]))
    for call in (first, second):
        desk.rings(call)
        desk.talks(call)
        if call is second:
            page.route("**/v1.0/me", renamed)
        desk.ends(call)
    expect(page.locator("#waiting-rows")).to_contain_text("Renamed")
    assert "Second" in page.locator("#recent-rows li").first.inner_text()
    desk.publish(waiting.in_queue("queue.left", desk.queue, reason="abandoned"))


def renamed(route: Route) -> None:
    """Answer as the gateway does, with another name for each queue."""
    answer = route.fetch()
    me = answer.json()
    queues = [{**queue, "name": "Renamed"} for queue in me["queues"]]
    route.fulfill(response=answer, json={**me, "queues": queues})
