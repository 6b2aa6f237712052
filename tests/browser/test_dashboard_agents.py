"""The dashboard's agents: groups, order, calls, overlong states, search and filters."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.centre import Call, Centre, expect_live, watch
from tests.journeys.support.cast import company
from tests.support.gateways import Gateways

# Without a page: agents with their statuses, and calls with their agents.
GROUPS = """async ({ statuses, calls, now, options, teams }) => {
    const { Board } = await import("/dashboard/board.js");
    const { chosenAgents, groupCounts, groupedAgents } = await import("/dashboard/agent-groups.js");
    const board = new Board();
    const at = (seconds) => new Date(seconds * 1000).toISOString();
    const hex = (letter) => (letter.codePointAt(0) % 256).toString(16).padStart(2, "0");
    const idOf = (name) => `aaaaaaaa-aaaa-4aaa-8aaa-${[...name].map(hex).join("").slice(0, 12).padEnd(12, "0")}`;
    const agents = statuses.map(([name, status, since]) => (
        { id: idOf(name), name, role: "agent", status, status_changed_at: at(since), teams: teams[name] ?? [] }
    ));
    const queues = [{ id: "q", name: "Support", agent_ids: ["Ann", "Bob"].map(idOf) }];
    board.load({ me: { queues, agents }, calls: [], queues: [], agents: [] }, now * 1000);
    for (const [number, [agentId, since]] of calls.entries()) {
        const data = { id: `call-${number}`, status: "answered", agent_id: idOf(agentId) };
        const topic = `customer_id:c:call:call-${number}`;
        const event = { id: String(number), cursor: "1", event_type: "call.status", topic, data, timestamp: at(since) };
        board.apply(event, now * 1000);
    }
    const all = groupedAgents(board, now * 1000);
    const chosen = { agentWords: "", team: "", queue: "", ...options, agentGroups: new Set(options.agentGroups ?? []) };
    const shown = chosenAgents(all, board, chosen);
    return {
        agents: shown.map(({ name, group, isOverlong, call }) => [name, group, isOverlong, call?.id ?? null]),
        counts: Object.fromEntries(groupCounts(all)),
    };
}"""
NOW = 100_000


def grouped(
    page: Page,
    statuses: list[tuple[str, str, int]],
    calls: list[tuple[str, int]] | None = None,
    **options: Any,
) -> Any:
    """Return the groups; each status with its age in seconds, each call with its agent and age."""
    return page.evaluate(
        GROUPS,
        {
            "statuses": [(name, status, NOW - age) for name, status, age in statuses],
            "calls": [(agent, NOW - age) for agent, age in calls or []],
            "now": NOW,
            "options": options,
            "teams": {"Ann": ["Sales", "Früh"], "Bob": ["SALES"]},
        },
    )


def test_the_longest_in_each_state_come_first(modules: Page) -> None:
    statuses = [("Ann", "away", 60), ("Bob", "available", 5), ("Cyd", "offline", 9), ("Dee", "available", 50)]
    found = grouped(modules, [*statuses, ("Eve", "busy", 70), ("Flo", "lunch", 90), ("Gus", "", 1)])
    assert [(name, group) for name, group, *_ in found["agents"]] == [
        ("Dee", "available"),
        ("Bob", "available"),
        ("Eve", "wrapUp"),
        ("Flo", "away"),
        ("Ann", "away"),
        ("Cyd", "offline"),
        ("Gus", "offline"),
    ]
    assert found["counts"] == {"available": 2, "call": 0, "wrapUp": 1, "away": 2, "offline": 2}


def test_an_agent_with_a_call_is_on_it_whatever_status_the_platform_publishes(modules: Page) -> None:
    found = grouped(modules, [("Ann", "busy", 60), ("Bob", "", 60)], [("Bob", 10), ("Ann", 20)])
    assert found["agents"] == [["Ann", "call", False, "call-1"], ["Bob", "call", False, "call-0"]]


@pytest.mark.parametrize(("status", "limit"), [("ringing", 30), ("busy", 180), ("away", 900), ("lunch", 900)])
def test_a_state_that_lasts_too_long_is_marked(modules: Page, status: str, limit: int) -> None:
    for age, expected in ((limit, False), (limit + 1, True)):
        ((_, _, is_overlong, _),) = grouped(modules, [("Ann", status, age)])["agents"]
        assert is_overlong is expected


@pytest.mark.parametrize("status", ["available", "offline"])
def test_being_available_or_offline_is_never_too_long(modules: Page, status: str) -> None:
    assert not grouped(modules, [("Ann", status, 90_000)])["agents"][0][2]


def test_agents_are_searched_by_name_and_filtered_by_group_team_and_queue(modules: Page) -> None:
    statuses = [("Ann", "away", 1), ("Bob", "available", 1), ("Jürgen Ångström", "away", 1)]
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"agentWords": "angstr jur"}, ["Jürgen Ångström"]),
        ({"agentGroups": ["available"]}, ["Bob"]),
        ({"queue": "q"}, ["Bob", "Ann"]),
        ({"team": "sales"}, ["Bob", "Ann"]),
        ({"team": "FRÜH", "queue": "q"}, ["Ann"]),
        ({"team": "x"}, []),
        ({"agentWords": "x"}, []),
    ]
    for options, expected in cases:
        found = grouped(modules, statuses, **options)["agents"]
        assert [name for name, *_ in found] == expected


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    acme = company("Acme")
    acme.people[0].teams = ["Night shift", "Support"]
    acme.people[1].teams = ["support"]
    return Centre(gateway_of_file(), acme)


def test_the_panel_shows_each_agents_call_and_keeps_search_and_filter_in_the_address(
    page: Page, centre: Centre
) -> None:
    agent, other, queue = centre.acme.people[0], centre.acme.people[1], centre.acme.queues[0]
    call = Call(f"Dana {uuid.uuid4().hex[:6]}")
    centre.publish(
        call.created(),
        call.in_queue("queue.joined", queue),
        call.in_queue("queue.connected", queue, agent_id=agent.id, wait_time=2),
    )
    centre.agent_is("busy")
    watch(page, centre)
    row = page.locator(f"#agent-rows [data-agent='{agent.id}']")
    expect(row).to_contain_text(f"{call.data['source']['target_name']} · Support")
    headings = page.locator("#agent-rows h3").locator("visible=true")
    expect(headings).to_have_text(["On a call 1", "Offline 1"])
    page.get_by_role("button", name="On a call 1").click()
    expect(headings).to_have_text(["On a call 1"])
    assert page.url.endswith("?agents=call")
    page.get_by_label("Search agents").fill(other.name)
    expect(page.locator("#no-agent-found")).to_be_visible()
    page.reload()
    expect_live(page)
    expect(page.locator("#no-agent-found")).to_be_visible()
    expect(page.get_by_label("Search agents")).to_have_value(other.name)
    page.get_by_role("button", name="On a call 1").click()
    expect(headings).to_have_text(["Offline 1"])
    centre.publish(call.ended())


def test_a_team_is_chosen_kept_in_the_address_and_in_a_saved_view(page: Page, centre: Centre) -> None:
    watch(page, centre)
    rows = page.locator("#agent-rows .agent:visible")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Night shift, Support")
    team = page.get_by_label("Team", exact=True)
    expect(team.locator("option")).to_have_text(["All teams", "Night shift", "Support"])
    team.select_option("Night shift")
    expect(rows).to_have_count(1)
    assert page.url.endswith("?team=Night+shift")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Save this view").click()
    page.get_by_role("dialog", name="Save this view").get_by_label("Name").fill("Nights")
    page.get_by_role("button", name="Save", exact=True).click()
    team.select_option("Support")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitemradio", name="Nights").click()
    expect(rows).to_have_count(1)
    watch(page, centre, "?team=sUPPORT")
    expect(rows).to_have_count(2)
    expect(team).to_have_value("Support")
    watch(page, centre, "?team=Gone")
    expect(page.locator("#no-agent-found")).to_be_visible()
    expect(team).to_have_value("Gone")


def test_the_arrow_keys_lead_through_the_agents(page: Page, centre: Centre) -> None:
    watch(page, centre)
    buttons = page.locator("#agent-rows .act:visible")
    expect(buttons).to_have_count(2)
    for index, key in itertools.zip_longest((0, 1, 0), ("ArrowDown", "ArrowUp")):
        if index == 0 and key:
            buttons.first.focus()
        expect(buttons.nth(index)).to_be_focused()
        assert page.locator("#agent-rows .act[tabindex='0']").count() == 1
        if key:
            page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitemradio").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(buttons.first).to_be_focused()
