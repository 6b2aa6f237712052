"""Chromium's pages, watched for errors that no one would see."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebSocket, sync_playwright
from playwright.sync_api import Error as PageError

from tests.support.frames import check_received, check_sent

# Without the background-networking switches Chromium calls home, which a closed network answers slowly.
_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def launched(chromium: Path) -> Iterator[Browser]:
    """A headless Chromium, closed at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_SWITCHES)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Pages:
    """Opens pages, each as another person's browser, and collects what goes wrong in them."""

    browser: Browser
    speak_with_gateway: bool = True
    """Whether the pages' sockets are a gateway's, so that every frame must be as described."""
    uncaught: list[str] = field(default_factory=list)
    """Errors that the pages' scripts did not catch."""
    console: list[str] = field(default_factory=list)
    """What the pages wrote to their consoles as errors."""
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, **options: Any) -> Page:
        """An empty page with cookies of its own; `options` are those of playwright's `new_context`."""
        context = self.browser.new_context(**options)
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", self._note_error)
        page.on("console", self._note_message)
        if self.speak_with_gateway:
            page.on("websocket", self._listen_to)
        return page

    def evidence(self, folder: Path) -> str:
        """Screenshots of all open pages, put into `folder`, and what went wrong in them."""
        said = [*self.uncaught, *self.console]
        for number, page in enumerate(self._open_pages(), start=1):
            path = folder / f"page-{number}.png"
            page.screenshot(path=path, full_page=True)
            said.append(f"{page.url} looked like {path}")
        return "\n".join(said)

    def close(self) -> None:
        """Close all pages. Raises AssertionError where a script's error went uncaught."""
        for context in self._contexts:
            context.close()
        if self.uncaught:
            raise AssertionError(
                "\n".join(["uncaught in a page:", *self.uncaught, "console:", *self.console])
            )

    def _open_pages(self) -> list[Page]:
        return [page for context in self._contexts for page in context.pages]

    def _note_error(self, error: PageError) -> None:
        said = error.stack or str(error)
        # Firefox reports a refused socket here.
        if "can’t establish a connection" not in said:
            self.uncaught.append(said)

    def _listen_to(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self._check(check_received, frame))
        socket.on("framesent", lambda frame: self._check(check_sent, frame))

    def _check(self, check: Callable[[object], None], frame: str | bytes) -> None:
        # Raised here, it would end in playwright's own loop.
        try:
            check(json.loads(frame))
        except (AssertionError, ValueError) as error:
            self.uncaught.append(str(error))

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console.append(message.text)
