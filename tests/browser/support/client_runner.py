"""Plays cases of the conformance suite with the JavaScript client, in a page or in Node."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from tests.browser.support.scripted_page import ThreadedServer
from tests.conformance.server import SERVER_STEPS

NEEDS_A_PAUSED_READER = "max_waiting"
"""Cases with this setting do not apply: a browser's WebSocket always reads."""

CASES = {
    path.stem: case
    for path in sorted((Path(__file__).parents[2] / "conformance/cases").glob("*.json"))
    if NEEDS_A_PAUSED_READER not in (case := json.loads(path.read_text()))["client"]
}


class Scripted(Protocol):
    """A page or a Node process with the global `harness`."""

    def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Call a function, and return its result or that of its promise."""

    def wait_for_function(self, expression: str, *, arg: Any = None) -> Any:
        """Wait until a function returns a true value."""


def play(
    page: Scripted,
    server: ThreadedServer,
    case: Mapping[str, Any],
    *,
    repeats_handshake_after: int | None = None,
) -> None:
    """Play a case.

    Args:
        repeats_handshake_after: a status after which the WebSocket itself repeats the handshake.

    Raises:
        AssertionError: the client or the harness did something else.
    """
    runner = Runner(page, server, case, repeats_handshake_after)
    for number, step in enumerate(case["steps"], 1):
        try:
            runner.play(step)
        except Exception as error:
            raise AssertionError(f"{case['why']}: step {number}, {json.dumps(step)}: {error!r}") from error
    reasons = page.evaluate("() => harness.tokenReasons")
    assert reasons == case.get("provider_reasons", reasons)
    assert server.server.attempts.empty()


class Runner:
    """Plays one case on a fresh harness."""

    def __init__(
        self,
        page: Scripted,
        server: ThreadedServer,
        case: Mapping[str, Any],
        repeats_handshake_after: int | None = None,
    ) -> None:
        self._page = page
        self._server = server
        self._repeats_handshake_after = repeats_handshake_after
        steps = case["steps"]
        page.evaluate(
            "settings => harness.start(settings)",
            {
                "url": server.server.url,
                "settings": case["client"],
                "random": case.get("random", 0.5),
                "oneByOne": any("unsubscribe" in step for step in steps),
            },
        )

    def play(self, step: Mapping[str, Any]) -> None:
        [(name, details)] = step.items()
        if name in SERVER_STEPS:
            self._server.play(step)
            if name == "refuse" and details["status"] == self._repeats_handshake_after:
                self._server.play(step)
        else:
            getattr(self, f"_{name}")(details)

    def _until(self, condition: str, argument: Any = None) -> None:
        self._page.wait_for_function(condition, arg=argument)

    def _subscribe(self, call: Mapping[str, Any]) -> None:
        self._page.evaluate("call => harness.subscribe(call)", call)

    def _unsubscribe(self, call: Mapping[str, Any]) -> None:
        self._page.evaluate("call => harness.unsubscribe(call)", call)

    def _granted(self, call: str) -> None:
        assert self._page.evaluate("call => harness.calls[call]", call) == {"granted": True}

    def _refused(self, wanted: Mapping[str, Any]) -> None:
        answer = self._page.evaluate("call => harness.calls[call]", wanted["call"])
        assert {name: answer.get(name) for name in wanted if name != "call"} == {
            name: value for name, value in wanted.items() if name != "call"
        }

    def _item(self, wanted: Mapping[str, Any]) -> None:
        [(kind, fields)] = wanted.items()
        self._until("() => harness.items.length > 0")
        item = self._page.evaluate("() => harness.takeItem()")
        assert item["kind"] == kind, item
        assert {name: item[name] for name in fields} == fields

    def _state(self, wanted: Mapping[str, Any]) -> None:
        self._until("() => harness.states.length > 0")
        change = self._page.evaluate("() => harness.states.shift()")
        if change["previous"] == "idle":  # A Python client starts in the state after it.
            assert change["current"] == "connecting"
            self._state(wanted)
            return
        if change["retryInMs"] is not None:
            change["retry_in"] = change["retryInMs"] / 1000
        change["current"] = {"idle": "closed"}.get(change["current"], change["current"])
        assert {name: change[name] for name in wanted} == wanted, change

    def _cursor(self, wanted: str | None) -> None:
        self._until("cursor => harness.isAt(cursor)", wanted)

    def _wait(self, seconds: float) -> None:
        self._until("pause => harness.clock.waitsFor(pause)", seconds * 1000)
        self._move(seconds)

    def _move(self, seconds: float) -> None:
        self._page.evaluate("pause => harness.clock.move(pause)", seconds * 1000)

    def _failed(self, wanted: Mapping[str, Any]) -> None:
        self._until("() => harness.client.state === 'failed'")
        change = self._page.evaluate("() => harness.lastState")
        assert change["code"].lower() == wanted["error"]
        assert change["reason"] == wanted.get("message", change["reason"])

    def _close_client(self, _: object) -> None:
        self._page.evaluate("() => harness.client.close()")
