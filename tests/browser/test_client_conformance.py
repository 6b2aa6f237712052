"""The browser's EventClient, in Chromium, on the conformance suite of both clients."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.client_runner import Runner
from tests.browser.scripted_page import ThreadedServer

HELD_UP_BY_ITS_CALLER = "max_waiting"
"""Cases with this setting are not for browsers: a WebSocket of theirs cannot be left unread."""

SEES_THE_REFUSAL = {"forbidden-with-reason"}
"""Cases in which a refused handshake and a plain GET are answered differently: a browser sees only the latter."""

CASES = {
    path.stem: case
    for path in sorted((Path(__file__).parent.parent / "conformance/cases").glob("*.json"))
    if HELD_UP_BY_ITS_CALLER not in (case := json.loads(path.read_text()))["client"]
    and path.stem not in SEES_THE_REFUSAL
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(page: Page, server: ThreadedServer, case: Mapping[str, Any]) -> None:
    runner = Runner(page, server, case)
    for number, step in enumerate(case["steps"], 1):
        try:
            runner.play(step)
        except Exception as error:
            raise AssertionError(f"{case['why']}: step {number}, {json.dumps(step)}: {error!r}") from error
    assert page.evaluate("() => harness.asked") == case.get("asked", page.evaluate("() => harness.asked"))
    assert server.server.attempts.empty()
