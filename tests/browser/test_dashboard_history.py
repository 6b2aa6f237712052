"""The dashboard's history: search, timeline, address, CSV file and print."""

# Long because the history's rules and its page are tested together.

from __future__ import annotations

import csv
import io
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.accessibility import violations_light_and_dark
from tests.browser.support.centre import Call, Centre, expect_live, watch
from tests.support.browser import Pages
from tests.support.gateways import Gateways

# --- Without a page ---


QUERY = """async ({ search, now }) => {
    const { historyQuery } = await import("/dashboard/call-history.js");
    const { ViewOptions } = await import("/dashboard/view-options.js");
    return historyQuery(new ViewOptions(search), Date.parse(now), null);
}"""
CSV = """async ({ items, zone }) => {
    const { csvOf, pastCall } = await import("/dashboard/call-history.js");
    const directory = { queueName: (id) => `Queue ${id}`, agentName: (id) => `Agent ${id}`, dialing: null };
    return csvOf(items.map((item) => pastCall(item, directory)), zone);
}"""


def query(page: Page, search: str, now: str = "2024-07-15T22:30:00Z") -> Any:
    return page.evaluate(QUERY, {"search": search, "now": now})


@pytest.mark.parametrize(
    ("search", "begin", "end"),
    [
        ("", "2024-07-15T22:00:00.000Z", "2024-07-16T22:00:00.000Z"),
        ("?from=2024-01-15", "2024-01-14T23:00:00.000Z", "2024-01-15T23:00:00.000Z"),
        ("?from=2024-03-31", "2024-03-30T23:00:00.000Z", "2024-03-31T22:00:00.000Z"),
        ("?from=2024-01-15&to=2024-01-17", "2024-01-14T23:00:00.000Z", "2024-01-17T23:00:00.000Z"),
        ("?from=2024-01-17&to=2024-01-15", "2024-01-14T23:00:00.000Z", "2024-01-17T23:00:00.000Z"),
        ("?from=2024-02-31", "2024-07-15T22:00:00.000Z", "2024-07-16T22:00:00.000Z"),
        ("?from=yesterday&to=x", "2024-07-15T22:00:00.000Z", "2024-07-16T22:00:00.000Z"),
    ],
)
def test_days_begin_at_the_viewers_midnight(oslo: Page, search: str, begin: str, end: str) -> None:
    found = query(oslo, search)
    assert (found["began_from"], found["began_before"]) == (begin, end)


def test_yesterday_is_the_day_before_also_after_one_of_23_hours(oslo: Page) -> None:
    script = "async (day) => (await import('/dashboard/call-history.js')).dateBefore(day)"
    found = [oslo.evaluate(script, day) for day in ("2024-04-01", "2024-03-01", "2024-10-28", "2024-01-01")]
    assert found == ["2024-03-31", "2024-02-29", "2024-10-27", "2023-12-31"]


def test_digits_are_searched_as_a_number_and_words_as_a_name(oslo: Page) -> None:
    assert query(oslo, "?q=%2B49+(40)+123")["number"] == "+49 (40) 123"
    assert query(oslo, "?q=Dana+W")["name"] == "Dana W"
    assert query(oslo, "?q=11")["name"] == "11"
    found = query(oslo, "?outcome=answered&queue=q&by=a&direction=inbound&wait=60")
    assert {name: found[name] for name in ("outcome", "queue_id", "agent_id", "direction", "min_wait")} == {
        "outcome": "answered",
        "queue_id": "q",
        "agent_id": "a",
        "direction": "inbound",
        "min_wait": "60",
    }


def item(**data: Any) -> dict[str, Any]:
    return {
        "resource_id": "c1",
        "active": False,
        "since": "2024-07-15T10:30:07.900000Z",
        "state": {},
        "data": {"direction": "inbound", "source": {"target": "+4940123"}} | data,
        "result": {
            "outcome": "answered",
            "queue_ids": ["q", "r"],
            "agent_ids": ["a"],
            "wait_seconds": 12.4,
            "ended_at": "2024-07-15T10:31:00.000000Z",
        },
    }


def test_the_file_is_csv_with_local_times_that_spreadsheets_read(oslo: Page) -> None:
    text = oslo.evaluate(CSV, {"items": [item()], "zone": "Europe/Oslo"})
    assert text.startswith("\ufeff")
    assert text.count("\r\n") == text.count("\n") == 2
    head, row = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert head[:2] == ["Started (Europe/Oslo)", "Ended (Europe/Oslo)"]
    assert row == [
        *("2024-07-15 12:30:07", "2024-07-15 12:31:00", "Inbound", "", "'+4940123", "", ""),
        *("Queue q; Queue r", "Agent a", "Answered", "12", "52", "c1"),
    ]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\uff1d", " ="])
def test_what_a_caller_sent_is_no_formula(oslo: Page, begin: str) -> None:
    name = f'{begin}HYPERLINK("http://x",1)'
    text = oslo.evaluate(CSV, {"items": [item(source={"target_name": name})], "zone": "UTC"})
    row = list(csv.reader(io.StringIO(text)))[1]
    assert row[3] == f"'{name.strip()}"


def test_quotes_and_line_breaks_stay_in_their_cell(oslo: Page) -> None:
    text = oslo.evaluate(CSV, {"items": [item(source={"target_name": 'a "b", c\nd'})], "zone": "UTC"})
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 2
    assert rows[1][3] == 'a "b", c d'


# --- With a gateway ---


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file())


def past_call(centre: Centre, name: str, *, answered: bool = True, days: int = 0) -> Call:
    """Publish a call that is over; it waited 30 s in Support."""
    call, queue, agent = Call(name), centre.acme.queues[0], centre.acme.people[0]
    begin = datetime.now(UTC) - timedelta(days=days, minutes=1)

    def at(seconds: int, event: dict[str, Any]) -> dict[str, Any]:
        return event | {"timestamp": (begin + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")}

    connected = call.in_queue("queue.connected", queue, agent_id=agent.id)
    centre.publish(
        at(0, call.created()),
        at(1, call.in_queue("queue.joined", queue)),
        *([at(31, connected)] if answered else []),
        at(40, call.in_queue("queue.left", queue, reason="done" if answered else "abandoned")),
        at(40, call.ended()),
    )
    return call


def rows(page: Page) -> Any:
    return page.locator("#history-rows tr")


def test_a_call_of_today_is_searched_and_its_timeline_opens(page: Page, centre: Centre) -> None:
    mark = f"x{uuid.uuid4().hex[:8]}"
    call = past_call(centre, f"Zoë {mark}")
    past_call(centre, f"Eve {mark}", answered=False)
    watch(page, centre, f"?q=zoe+{mark}")
    page.get_by_role("button", name="Search in today’s history").click()
    expect(rows(page)).to_have_count(1)
    row = rows(page).first
    expect(row).to_contain_text(f"Zoë {mark} +15552004711")
    expect(row.locator("td")).to_contain_text(
        ["", "Inbound", "", "", "Support", "agent", "Answered", "0:30", "0:40"]
    )
    expect(page).to_have_title("Call history")
    row.click()
    expect(page.locator("#story-steps .title").last).to_have_text("Ended")
    expect(page.locator("#story-acts")).to_be_hidden()
    assert page.url.endswith(f"?view=history&q=zoe+{mark}&call={call.id}")
    page.reload()
    expect_live(page)
    expect(page.locator("#story-steps .title").last).to_have_text("Ended")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#story")).to_be_hidden()
    page.get_by_role("button", name="Live calls").click()
    expect(page.locator("#scroller")).to_be_visible()


def test_the_conditions_narrow_and_stay_in_the_address(page: Page, centre: Centre) -> None:
    mark = f"x{uuid.uuid4().hex[:8]}"
    past_call(centre, f"Answered {mark}")
    past_call(centre, f"Abandoned {mark}", answered=False)
    watch(page, centre, f"?view=history&q={mark}")
    expect(rows(page)).to_have_count(2)
    page.get_by_label("Outcome").select_option("abandoned")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("Abandoned")
    page.get_by_label("Wait", exact=True).select_option("60")
    expect(page.locator("#history-note")).to_contain_text("No calls match")
    page.get_by_label("Wait", exact=True).select_option("20")
    expect(rows(page)).to_have_count(1)
    page.reload()
    expect_live(page)
    expect(rows(page)).to_have_count(1)
    assert page.url.endswith("&outcome=abandoned&wait=20")
    page.get_by_label("Outcome").select_option("")
    page.get_by_label("Agent", exact=True).select_option(label=centre.acme.people[0].name)
    expect(rows(page)).to_contain_text("Answered")
    page.get_by_role("button", name="Yesterday").click()
    expect(page.locator("#history-note")).to_contain_text("No calls match")


def test_a_number_is_found_in_any_spelling(page: Page, centre: Centre) -> None:
    number = f"+1555{uuid.uuid4().int % 10_000_000:07d}"
    call = Call(source={"type": "tel", "target": number})
    centre.publish(call.created(), call.ended())
    watch(page, centre, "?view=history")
    page.get_by_label("Search the history").fill(f"001 ({number[2:5]}) {number[5:8]}-{number[8:]}")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text(number)


def test_the_file_has_all_calls_also_those_that_are_not_shown(
    pages: Pages, centre: Centre, tmp_path: Path
) -> None:
    mark = f"x{uuid.uuid4().hex[:8]}"
    calls = [Call(f"{mark} {number}") for number in range(130)]
    for part in (calls[:65], calls[65:]):
        centre.publish(*(event for call in part for event in (call.created(), call.ended())))
    page = pages.open(accept_downloads=True)
    watch(page, centre, f"?view=history&q={mark}")
    expect(rows(page)).to_have_count(100)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    download.value.save_as(tmp_path / "calls.csv")
    assert download.value.suggested_filename.startswith("calls-20")
    with (tmp_path / "calls.csv").open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert {each["From name"] for each in found} == {call.data["source"]["target_name"] for call in calls}
    expect(page.get_by_role("button", name="Export CSV")).to_be_enabled()
    page.get_by_role("button", name="Show more").click()
    expect(rows(page)).to_have_count(130)


def test_the_print_has_the_whole_table_and_no_controls(page: Page, centre: Centre) -> None:
    mark = f"x{uuid.uuid4().hex[:8]}"
    calls = [Call(f"{mark} {number}") for number in range(130)]
    for part in (calls[:65], calls[65:]):
        centre.publish(*(call.created() for call in part))
    watch(page, centre, f"?q={mark}")
    expect(page.locator("#shown")).to_contain_text("130 of")
    # Only the visible calls have rows.
    assert page.locator("#rows tr").count() < 130
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("#rows tr")).to_have_count(130)
    assert page.locator("#rows tr").last.is_visible()
    scroller = page.evaluate("getComputedStyle(document.getElementById('scroller')).overflow")
    assert scroller == "visible"
    for control in ("#search", "#pause", "#sign-out", "#agent-search"):
        assert not page.locator(control).is_visible(), control
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    for part in (calls[:65], calls[65:]):
        centre.publish(*(call.ended() for call in part))


def test_another_customer_finds_nothing(page: Page, centre: Centre) -> None:
    mark = f"x{uuid.uuid4().hex[:8]}"
    past_call(centre, f"Zoë {mark}")
    watch(page, centre, f"?view=history&q={mark}", token=centre.globex.token("manager"))
    expect(page.locator("#history-note")).to_contain_text("No calls match")
    expect(rows(page)).to_have_count(0)


def test_axe_finds_no_violation(page: Page, centre: Centre) -> None:
    mark = f"x{uuid.uuid4().hex[:8]}"
    past_call(centre, f"Zoë {mark}")
    past_call(centre, f"Eve {mark}", answered=False)
    watch(page, centre, f"?view=history&q={mark}")
    expect(rows(page)).to_have_count(2)
    assert violations_light_and_dark(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert violations_light_and_dark(page) == []
