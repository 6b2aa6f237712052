"""Firefox for playwright, whose protocol has commands that Firefox 140 ESR does not know.

Playwright starts this module as a program in place of Firefox, and connects to the address that it writes. To an
unknown command it answers that it is done: the tests need none of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Route, sync_playwright
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from tests.support.processes import ROOT

_PAGES = re.compile(r"^http://[^/]+/(agent)?(\?.*)?$|/icon\.svg$")
_DONE = {"type": "success", "result": {"collector": "none"}}  # The result of network.addDataCollector.


# The journeys need neither a process for each site nor one in reserve, nor 60 pictures a second.
_PREFERENCES: dict[str, str | float | bool] = {
    "dom.ipc.processCount": 1,
    "dom.ipc.processPrelaunch.enabled": False,
    "fission.autostart": False,
    "layout.frame_rate": 20,
}


@contextmanager
def launched_firefox(firefox: Path, folder: Path) -> Iterator[Browser]:
    """Run a headless Firefox until the block ends."""
    script = folder / "firefox"
    script.write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m {__name__} "$@"\n')
    script.chmod(0o755)
    environment = {**os.environ, "FIREFOX": str(firefox)}
    with sync_playwright() as playwright:
        launch = playwright.firefox.launch
        browser = launch(
            channel="moz-firefox", executable_path=script, env=environment, firefox_user_prefs=_PREFERENCES
        )
        new_context = browser.new_context

        def without_policy(**options: Any) -> BrowserContext:
            context = new_context(**options)
            context.route(_PAGES, _without_policy)
            return context

        browser.new_context = without_policy  # type: ignore[method-assign]
        try:
            yield browser
        finally:
            browser.close()


def _without_policy(route: Route) -> None:
    """Let playwright evaluate its scripts in the page, which the policy forbids; Chromium's tests check the policy."""
    response = route.fetch()
    headers = {name: text for name, text in response.headers.items() if name != "content-security-policy"}
    route.fulfill(response=response, headers=headers)


async def _relay(address: str, playwright: ServerConnection) -> None:
    async with connect(address, max_size=None, ping_interval=None, compression=None) as firefox:

        async def answer() -> None:
            async for text in firefox:
                answered = json.loads(text)
                is_unknown = answered.get("error") == "unknown command"
                await playwright.send(json.dumps({"id": answered["id"], **_DONE}) if is_unknown else text)
            await playwright.close()

        answering = asyncio.create_task(answer())
        async for text in playwright:
            await firefox.send(text)
        answering.cancel()


async def main(options: list[str]) -> int:
    firefox = os.environ["FIREFOX"]
    process = await asyncio.create_subprocess_exec(firefox, *options, stderr=asyncio.subprocess.PIPE)
    assert process.stderr
    async for line in process.stderr:
        text = line.decode(errors="replace")
        if found := re.search(r"ws://\S+", text):
            address = f"{found.group()}/session"
            server = await serve(
                partial(_relay, address),
                "127.0.0.1",
                0,
                max_size=None,
                ping_interval=None,
            )
            text = text.replace(found.group(), f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        sys.stderr.write(text)
        sys.stderr.flush()
    return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
