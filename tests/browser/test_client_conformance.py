"""The conformance suite on the JavaScript client in Chromium."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.support.client_runner import CASES, play
from tests.browser.support.scripted_page import ThreadedServer, open_harness


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(page: Page, server: ThreadedServer, case: Mapping[str, Any]) -> None:
    open_harness(page, server.server.url)
    play(page, server, case)
