"""The conformance suite on the JavaScript client in Chromium."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.support.client_runner import CASES, play
from tests.browser.support.scripted_page import ThreadedServer, open_harness
from tests.support.browser import Pages


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[tuple[Pages, Page]]:
    """A tab for all cases: each opens a page of a server of its own in it."""
    pages = Pages(browser, speak_with_gateway=False)
    yield pages, pages.open()
    pages.close()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(tab: tuple[Pages, Page], server: ThreadedServer, case: Mapping[str, Any]) -> None:
    pages, page = tab
    open_harness(page, server.server.url)
    try:
        play(page, server, case)
    finally:
        page.goto("about:blank")
        uncaught, pages.uncaught = pages.uncaught, []
    assert uncaught == []
