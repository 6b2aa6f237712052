"""The import in Chromium: preview, the same file, keys that are copied; without violations of axe."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.support.accessibility import violations
from tests.browser.test_admin import log_in
from tests.journeys.support.cast import company, new_id, settle
from tests.support.browser import Pages
from tests.support.gateways import Gateways


def choose(page: Page, folder: Path, text: str) -> None:
    path = folder / "people.csv"
    path.write_text(text)
    page.set_input_files("#id_file", path)
    page.get_by_role("button", name="Preview").click()
    # Preview and import concern what was chosen, not what is on the disk by then.
    path.unlink()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_people_and_keys_are_imported_from_a_file(
    gateway: Gateways, pages: Pages, tmp_path: Path, scheme: str
) -> None:
    server, acme = gateway(), company("Acme")
    settle(server, acme)
    page = pages.open(
        color_scheme=scheme,
        permissions=["clipboard-read", "clipboard-write"],
        viewport={"width": 390, "height": 800} if scheme == "dark" else None,
    )
    log_in(page, server)
    page.goto(f"{server.url}/admin/subscriptions/agent/")
    page.get_by_role("link", name="Import…").click()
    expect(page.locator("#id_file")).to_be_visible()
    assert violations(page) == []
    header = "resource,id,customer_id,name,label,username,queue_ids\n"
    ann = f"agent,{new_id()},{acme.id},Änne Łęcka,,aenne,{acme.queues[0]}\n"
    key = f"access_key,{new_id()},{acme.id},,Wallboard,,\n"
    choose(page, tmp_path, header + ann + f"agent,{new_id()},{acme.id},,,bob,{new_id()}\n")
    refused = page.get_by_role("table", name="Refused lines")
    expect(refused.get_by_role("row", name=re.compile("^3 "))).to_have_count(1)
    expect(page.get_by_role("button", name=re.compile("^Import "))).to_have_count(0)
    assert violations(page) == []
    choose(page, tmp_path, header + ann + key)
    expect(page.get_by_role("heading", name="Preview of people.csv: nothing is stored yet")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_role("heading", name="Imported: people.csv")).to_be_visible()
    assert violations(page) == []
    page.click("[data-copy=secrets]")
    page.wait_for_selector("[data-copy=secrets]:has-text('Copied')")
    copied = page.evaluate("navigator.clipboard.readText()")
    link = rf"{re.escape(server.url)}/invitation/#[\w-]{{32}}"
    rows = rf"2,aenne,[0-9a-f-]{{36}},{link}\s+3,Wallboard,[0-9a-f-]{{36}},vb_[A-Za-z0-9]{{32}}"
    assert re.fullmatch(rf"line,name,id,secret\s+{rows}\s*", copied), json.dumps(copied)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
