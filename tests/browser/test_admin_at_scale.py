"""The admin's search, a call's page, a new customer and empty lists in Chromium: at all widths, without violations."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.accessibility import violations_light_and_dark
from tests.browser.test_admin import log_in
from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import Conversation, publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways

WIDTHS = (320, 390, 768, 900, 1024, 1440)
OVERLAPPING = """() => {
  // The boxes of what is read or used: of texts by their lines, and of what a parent cuts off as far as it shows.
  const boxes = (each) => {
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(each.tagName)) return [each.getBoundingClientRect()];
    const range = document.createRange();
    range.selectNodeContents(each);
    return [...range.getClientRects()];
  };
  const cutOff = (each) => {
    for (let at = each.parentElement; at && at !== document.body; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== "visible") return at.getBoundingClientRect();
    return null;
  };
  const USED = "#content :is(a, button, input:not([type=hidden]), select, textarea, h1, h2, label)";
  const seen = [...document.querySelectorAll(USED)]
    .filter((each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
    .map((each) => {
      const by = cutOff(each);
      return [each, boxes(each).map((box) => ({
        left: Math.max(box.left, by?.left ?? 0),
        right: Math.min(box.right, by?.right ?? Infinity),
        top: box.top,
        bottom: box.bottom,
      })).filter((box) => box.right - box.left > 2)];
    });
  const meet = (one, other) => Math.min(one.right, other.right) - Math.max(one.left, other.left) > 3
    && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 5;
  const found = [];
  seen.forEach(([one, ones], place) => seen.slice(place + 1).forEach(([other, others]) => {
    if (!one.contains(other) && !other.contains(one) && ones.some((box) => others.some((each) => meet(box, each))))
      found.push([one, other].map((each) => `${each.tagName} ${each.textContent.trim()}`.slice(0, 40)).join(" / "));
  }));
  return found;
}"""


@pytest.fixture(scope="module")
def scene(gateway_of_file: Gateways) -> tuple[Gateway, Company]:
    """A gateway where a call was delivered to an agent."""
    gateway, acme = gateway_of_file("uvicorn"), company("Nordlicht")
    settle(gateway, acme)
    caller = {"type": "tel", "target": "+494012345678", "target_name": "Grüße Morgenstern"}
    agent = acme.person("agent").id
    with Conversation(gateway, acme.token("agent")) as desk:
        desk.subscribe(f"agent_id:{agent}:call:*")
        receipts = publish(
            gateway,
            acme.key("that publishes"),
            {"event_type": "call.created", "data": {"id": "call-1", "status": "ringing", "source": caller}},
            {"event_type": "queue.joined", "data": {"queue_id": acme.queues[0], "call_id": "call-1"}},
            {"event_type": "call.status", "data": {"id": "call-1", "status": "answered", "agent_id": agent}},
        )
        desk.until(receipts[-1]["cursor"])
    return gateway, acme


def check(page: Page) -> None:
    assert violations_light_and_dark(page) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (page.url, width)
        assert page.evaluate(OVERLAPPING) == [], (page.url, width)


def test_an_operator_finds_a_call_by_its_number_and_sees_who_received_it(
    scene: tuple[Gateway, Company], page: Page
) -> None:
    gateway, acme = scene
    log_in(page, gateway)
    expect(page.get_by_role("heading", name="Operation")).to_be_visible()
    check(page)
    page.get_by_label("Search everything").fill("040 / 1234-5678")
    page.keyboard.press("Enter")
    # The customer has no region: a national number is not understood, its digits are.
    expect(page.get_by_text("Nothing was found for")).to_be_visible()
    page.get_by_label("Search everything").fill("+49 (0)40 / 1234-5678")
    page.keyboard.press("Enter")
    call = page.get_by_role("region", name="Calls").get_by_role("link", name="call-1")
    expect(call).to_be_visible()
    check(page)
    call.click()
    rows = page.get_by_role("region", name="Events of the call").get_by_role("row")
    expect(rows).to_have_count(4)
    page.get_by_role("link", name=re.compile("Recipients of call.status")).click()
    recipients = page.get_by_role("region", name=re.compile("Recipients of call.status"))
    agent = recipients.get_by_role("listitem").filter(has=page.get_by_role("link", name="agent", exact=True))
    expect(agent).to_contain_text("delivered")
    expect(agent).not_to_contain_text("not delivered")
    expect(recipients).to_contain_text("not delivered")
    check(page)
    page.goto(f"{gateway.url}/admin/subscriptions/customer/{acme.id}/change/")
    expect(page.get_by_role("region", name="To set up this customer")).to_contain_text(
        "Agents for each queue"
    )
    check(page)
    agent_page = f"subscriptions/agent/{acme.person('agent').id}/change"
    for path in ("events/event", "subscriptions/agent", agent_page, "subscriptions/auditrecord/explain"):
        page.goto(f"{gateway.url}/admin/{path}/", wait_until="load")
        check(page)
    selected = page.get_by_role("combobox", name="Agent")
    expect(selected).to_be_visible()
    page.goto(f"{gateway.url}/admin/events/customerlog/")
    check(page)
    page.goto(f"{gateway.url}/admin/events/event/?q=nothing+like+it")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
    check(page)
