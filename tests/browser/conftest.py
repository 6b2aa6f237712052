"""Chromium for the tests of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.support.scripted_page import ThreadedServer, scripted_server
from tests.support.browser import Pages, launched
from tests.support.processes import ROOT
from tests.support.reports import shown_on_failure

SCRIPTS = ROOT / "voipbin_ws/static/voipbin_ws"
ORIGIN = "http://modules.test"


@pytest.fixture(scope="module")
def browser(headless_chromium: Path) -> Iterator[Browser]:
    """A headless Chromium for the tests of a file.

    Not for the session: while playwright's synchronous API is in use it marks this thread as one that runs an event
    loop, in which neither the ORM nor another file's asynchronous tests would work.
    """
    with launched(headless_chromium) as browser:
        yield browser


@pytest.fixture
def pages(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pages]:
    """Opens pages, each with cookies of its own. A script's uncaught error fails the test."""
    pages = Pages(browser, speak_with_gateway="server" not in request.fixturenames)
    with shown_on_failure(request.node, lambda: pages.evidence(tmp_path)):
        yield pages
    pages.close()


@pytest.fixture
def page(pages: Pages) -> Page:
    """One empty page. A script's uncaught error fails the test."""
    return pages.open()


@pytest.fixture
def server() -> Iterator[ThreadedServer]:
    """A server that does only what a test says, with a page that can connect to it."""
    with scripted_server() as server:
        yield server


@pytest.fixture(scope="module")
def modules(browser: Browser) -> Iterator[Page]:
    """A page without a server that can import the pages' modules."""
    page = browser.new_page()
    serve_modules(page)
    yield page
    page.close()


@pytest.fixture(scope="module")
def oslo(browser: Browser) -> Iterator[Page]:
    """A page without a server, in a time zone with daylight saving."""
    page = browser.new_page(timezone_id="Europe/Oslo")
    serve_modules(page)
    yield page
    page.close()


def serve_modules(page: Page) -> None:
    """Serve the pages' modules to a page, without a server."""

    def serve(route: Route) -> None:
        name = route.request.url.removeprefix(f"{ORIGIN}/")
        route.fulfill(path=SCRIPTS / name) if name else route.fulfill(body="<!doctype html>")

    page.route(f"{ORIGIN}/**", serve)
    page.goto(f"{ORIGIN}/")
