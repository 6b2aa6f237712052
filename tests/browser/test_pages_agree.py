"""Whatever a platform publishes of a call: the page that was open, a fresh page and REST show the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.support.centre import Call, Centre, watch
from tests.browser.support.desktop import COUNT_TONES, AtDesk, card
from tests.browser.support.recipes import RECIPES, Cast, Recipe, joined, publish_all
from tests.support.browser import Pages
from tests.support.gateways import Gateways

OVER = ("missed", "abandoned", "transferred", "voicemail", "ended")


class Office(NamedTuple):
    """A dashboard and two desks, which stay open, and the same again, which are reloaded."""

    centre: Centre
    cast: Cast
    ann: AtDesk
    gil: AtDesk
    opened: dict[str, Page]
    fresh: dict[str, Page]

    def show_anew(self) -> None:
        """Load the fresh pages."""
        watch(self.fresh["board"], self.centre)
        self.ann.open(self.fresh["ann"])
        self.gil.open(self.fresh["gil"])


@pytest.fixture(scope="module")
def office(gateway_of_file: Gateways, browser: Browser) -> Iterator[Office]:
    centre = Centre(gateway_of_file())
    people = {"ann": centre.acme.person("agent"), "gil": centre.acme.person("granted agent")}
    desks = {name: AtDesk(centre, person) for name, person in people.items()}
    pages = Pages(browser)
    opened, fresh = ({name: pages.open() for name in ("board", *people)} for _ in range(2))
    watch(opened["board"], centre)
    for name, desk in desks.items():
        opened[name].add_init_script(COUNT_TONES)
        desk.open(opened[name])
    cast = Cast(people["ann"].id, people["gil"].id, centre.acme.queues[0])
    yield Office(centre, cast, **desks, opened=opened, fresh=fresh)
    pages.close()


def expect_board(page: Page, call: Call, state: str) -> None:
    """Expect that the dashboard shows the call in this state; "" for not as a live call."""
    row = page.locator(f"[data-call='{call.id}']:not([data-state='ended'])")
    if state:
        expect(row).to_have_attribute("data-state", state)
    else:
        expect(row).to_have_count(0)


def expect_desk(page: Page, call: Call, shown: str, name: str) -> None:
    """Expect that a desk shows the call in this phase, or among the last calls with this outcome."""
    if shown and shown not in OVER:
        expect(card(page, call)).to_have_attribute("data-phase", shown)
        return
    expect(card(page, call)).to_have_count(0)
    recent = page.locator("#recent-rows li", has_text=name)
    if shown:
        expect(recent).to_have_attribute("data-outcome", shown)
    else:
        expect(recent).to_have_count(0)


def rest(office: Office, call: Call) -> list[dict[str, Any]]:
    """Return the live states of the call and its places."""
    headers = {"Authorization": f"Bearer {office.centre.acme.token('manager')}"}
    url = f"{office.centre.gateway.url}/v1.0/resources"
    found = [
        item
        for resource in ("call", "queue")
        for item in httpx.get(f"{url}/{resource}?active=true&limit=1000", headers=headers).json()["items"]
    ]
    return [item for item in found if call.id in (item["resource_id"], item.get("member_id"))]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_open_and_fresh_pages_show_the_same(office: Office, recipe: Recipe) -> None:
    name = f"Caller {list(RECIPES.values()).index(recipe)}."
    call = Call(name)
    publish_all(office.centre, recipe.publish(call, office.cast))
    expected = recipe.shown
    office.show_anew()
    for pages in (office.opened, office.fresh):
        expect_board(pages["board"], call, expected.board)
        for desk in ("ann", "gil"):
            expect_desk(pages[desk], call, getattr(expected, desk), name)
    live = rest(office, call)
    assert bool(live) == bool(expected.board)
    by_agent = next((item["state"].get("agents", {}) for item in live if item["resource_id"] == call.id), {})
    phases = {agent: phase for agent, (phase, _) in by_agent.items() if phase in ("offered", "talking")}
    shown = {office.cast.ann: expected.ann, office.cast.gil: expected.gil}
    present = {agent: word.replace("dialing", "offered") for agent, word in shown.items() if word not in OVER}
    assert phases == {agent: word for agent, word in present.items() if word}
    office.centre.publish(call.ended(), call.in_queue("queue.left", office.cast.queue))


def test_a_caller_who_joins_again_keeps_waiting_and_is_announced_once(office: Office) -> None:
    call = Call("Joins Twice")
    office.centre.publish(joined(call, office.cast) | {"timestamp": "2026-01-01T10:00:00Z"})
    page = office.opened["ann"]
    row = page.locator("#waiting-rows li", has_text="Joins Twice")
    expect(row).to_contain_text(" d ")
    office.centre.publish(
        joined(call, office.cast), call.in_queue("queue.updated", office.cast.queue, position=2)
    )
    last = Call("Joins Last")
    office.centre.publish(joined(last, office.cast))
    expect(page.locator("#toasts")).to_contain_text("Joins Last")
    expect(row).to_contain_text(" d ")
    expect(page.locator("#toasts > *", has_text="Joins Twice")).to_have_count(1)
    office.centre.publish(call.ended(), last.ended())
    expect(row).to_have_count(0)


def test_the_end_of_a_queue_ends_the_wait_of_its_callers(office: Office) -> None:
    call = Call("Of the night")
    night = {"queue_id": "night", "queue_name": "Night"}
    office.centre.publish({"event_type": "queue.joined", "data": {"call_id": call.id, **night}})
    board = office.opened["board"]
    expect_board(board, call, "waiting")
    expect(board.locator("#queue-rows")).to_contain_text("Night")
    office.centre.publish({"event_type": "queue.deleted", "data": night})
    expect_board(board, call, "")
    expect(board.locator("#queue-rows")).not_to_contain_text("Night")


def test_a_call_that_comes_without_an_assignment_is_announced_once(office: Office) -> None:
    call = Call("Comes By Status")
    ringing = call.event("call.status", status="ringing", agent_id=office.cast.ann)
    page = office.opened["ann"]
    office.centre.publish(ringing)
    expect(page.locator("#alarm")).to_have_text("Comes By Status is calling you")
    office.centre.publish(ringing, call.event("call.status", agent_id=None))
    expect(page.locator("#toasts > *", has_text="Missed: Comes By Status")).to_have_count(1)
    office.centre.publish(call.event("call.status", agent_id=None), call.ended(), call.ended())
    expect_board(office.opened["board"], call, "")
    expect(page.locator("#toasts > *", has_text="Missed: Comes By Status")).to_have_count(1)


def test_a_call_that_the_agents_status_contradicts_keeps_its_caller(office: Office) -> None:
    call = Call("Keeps Her Name")
    page = office.opened["ann"]
    office.ann.rings(call)
    office.centre.publish(office.ann.is_now("available"))
    expect(card(page, call)).to_have_attribute("data-phase", "offered")
    office.centre.publish({"event_type": "call.status", "data": {"id": call.id, "status": "answered"}})
    expect(card(page, call)).to_have_attribute("data-phase", "talking")
    expect(card(page, call)).to_contain_text("Keeps Her Name")
    office.ann.ends(call)


def test_a_call_whose_end_was_inferred_wrongly_returns_with_its_caller(office: Office) -> None:
    call = Call("Comes Back")
    end = {"id": call.id, "status": "hangup", "previous_status": "ringing", "inferred": True}
    office.centre.publish(call.created(), {"event_type": "call.ended", "data": end})
    fresh = office.fresh["board"]
    watch(fresh, office.centre)
    expect_board(fresh, call, "")
    office.centre.publish({"event_type": "call.status", "data": {"id": call.id, "status": "ringing"}})
    for page in (fresh, office.opened["board"]):
        expect_board(page, call, "ringing")
        expect(call.row(page)).to_contain_text("Comes Back")
    office.centre.publish(call.ended())


def test_a_caller_known_only_before_the_offer_is_named_at_the_desk(office: Office) -> None:
    call = Call("Named Before")
    page = office.opened["ann"]
    offer = {"id": call.id, "agent_id": office.cast.ann, "status": "ringing"}
    office.centre.publish(call.created(), {"event_type": "call.assigned", "data": offer})
    expect(card(page, call)).to_contain_text("Named Before")
    office.centre.publish(call.ended())


def test_the_service_level_counts_waits_that_only_the_states_know(
    gateway_of_file: Gateways, pages: Pages
) -> None:
    centre = Centre(gateway_of_file(), passwords=False)
    cast = Cast(centre.acme.person("agent").id, "", centre.acme.queues[0])
    opened, fresh = pages.open(), pages.open()
    watch(opened, centre)
    call = Call()
    centre.publish(call.created(), joined(call, cast))
    expect_board(opened, call, "waiting")
    for _ in range(2):
        centre.publish(call.in_queue("queue.connected", cast.queue, agent_id=cast.ann))
    watch(fresh, centre)
    for page in (opened, fresh):
        expect(page.locator("#card-level-note")).to_contain_text("1 of 1 in 20 s")
