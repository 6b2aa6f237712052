"""Chromium as it comes: playwright keeps each page visible and its timers prompt, this does neither."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

_SWITCHES = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")


class Tab:
    """One tab, by the DevTools protocol."""

    def __init__(self, browser: Browser, target: str) -> None:
        self._browser, self._target = browser, target
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call("Page.enable")

    def _call(self, method: str, **parameters: Any) -> Any:
        return self._browser.call(method, self._session, **parameters)

    def open(self, url: str, *, script: str = "") -> None:
        """Navigate, with a script that runs before those of each page."""
        if script:
            self._call("Page.addScriptToEvaluateOnNewDocument", source=script)
        self._call("Page.navigate", url=url)
        path = json.dumps(url.partition("?")[0])
        wait_until(
            lambda: self.evaluate(f"location.href.startsWith({path}) && document.readyState === 'complete'"),
            url,
        )

    def evaluate(self, expression: str, *, click: bool = False) -> Any:
        """Return the value of an expression. `click`: as in the handler of a user's click."""
        options = {"returnByValue": True, "awaitPromise": True, "userGesture": click}
        return self._call("Runtime.evaluate", expression=expression, **options)["result"].get("value")

    def bring_to_front(self) -> None:
        self._browser.call("Target.activateTarget", targetId=self._target)

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)


class Browser:
    """A running Chromium."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._number = 0

    def call(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """Send a command, and return its result. Raises AssertionError if Chromium refuses it."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._connection.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer = json.loads(self._connection.recv(timeout=30))
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                return answer["result"]

    def new_tab(self) -> Tab:
        """Open a tab in front of the others, which are then hidden."""
        tab = Tab(self, self.call("Target.createTarget", url="about:blank")["targetId"])
        tab.bring_to_front()
        return tab


@contextmanager
def default_chromium(chromium: Path, folder: Path, switches: Sequence[str] = ()) -> Iterator[Browser]:
    """Run a Chromium with a new profile."""
    command = [str(chromium), *_SWITCHES, *switches, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    process = ServerProcess(command, folder / "chromium.log")
    try:
        process.wait_ready(lambda: "DevTools listening on" in process.log_text(), "Chromium")
        found = re.search(r"ws://\S+", process.log_text())
        assert found
        with connect(found.group(), max_size=None) as connection:
            yield Browser(connection)
    finally:
        process.kill()
