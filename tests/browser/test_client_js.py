"""The browser's EventClient, in Chromium: the conformance suite of both clients, and what only JavaScript has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.scripted_page import ThreadedServer, open_harness, scripted_server
from tests.conformance.server import SERVER_STEPS

CALLS = "customer_id:12345678-1234-1234-1234-123456789012:call:*"
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


@pytest.fixture
def server() -> Iterator[ThreadedServer]:
    with scripted_server() as server:
        yield server


class Runner:
    """Plays one case."""

    def __init__(self, page: Page, server: ThreadedServer, case: Mapping[str, Any]) -> None:
        self._page = page
        self._server = server
        steps = case["steps"]
        # A browser cannot see the status of a refused handshake: it asks by a plain GET, and a gateway answers alike.
        self._explains = any("explain" in step for step in steps)
        open_harness(page, server.server.url)
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
            if name == "refuse" and not self._explains:
                self._server.play({"explain": {"status": details["status"], "body": details.get("body", {})}})
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
        if change["previous"] == "idle":  # It begins where a Python client is made.
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


# --- What only JavaScript has ---


def ack(*topics: str) -> Mapping[str, Any]:
    """The acknowledgement of what was subscribed last."""
    frame = {"type": "ack", "action": "subscribe", "topics": list(topics), "status": "success"}
    return {"send": frame | {"cursor": "0a0b0c0d0e0f.10", "request_id": "last"}}


def event(number: int) -> Mapping[str, Any]:
    return {
        "event_type": "call.status",
        "timestamp": "2024-01-15T10:30:00.000000Z",
        "topic": CALLS.replace("*", f"c{number}"),
        "data": {"id": f"c{number}"},
        "id": f"00000000-0000-0000-0000-0000000000{number}",
        "cursor": f"0a0b0c0d0e0f.{number}",
    }


@pytest.fixture
def start(page: Page, server: ThreadedServer) -> Runner:
    """A client without topics, connected."""
    runner = Runner(page, server, {"client": {"token": "t"}, "steps": []})
    runner.play({"accept": {}})
    page.wait_for_function("() => harness.client.state === 'connected'")
    return runner


def test_a_handler_that_throws_takes_nothing_from_the_others(
    start: Runner, page: Page, server: ThreadedServer
) -> None:
    page.evaluate(
        """topic => {
            window.heard = [];
            harness.client.subscribe([topic], () => { throw new Error("at once") });
            harness.client.subscribe([topic], async () => { throw new Error("later") });
            harness.client.subscribe([topic], ({ id }) => { heard.push(id) });
        }""",
        CALLS,
    )
    server.play({"receive": {"type": "subscribe", "topics": [CALLS]}})
    server.play(ack(CALLS))
    server.play({"send_batch": [event(11), event(12)]})
    page.wait_for_function("() => heard.length === 2 && harness.errors.length === 4")
    assert sorted(page.evaluate("() => harness.errors")) == ["at once"] * 2 + ["later"] * 2
    assert page.evaluate("() => harness.client.state") == "connected"


def test_an_aborted_signal_unsubscribes_what_no_other_subscription_holds(
    start: Runner, page: Page, server: ThreadedServer
) -> None:
    page.evaluate(
        """topics => {
            window.ends = new AbortController();
            window.heard = [];
            const one = harness.client.subscribe([topics[0]], ({ id }) => { heard.push(id) });
            const aborted = () => { heard.push("aborted") };
            window.granted = Promise.all([one, harness.client.subscribe(topics, aborted, { signal: ends.signal })]);
        }""",
        [CALLS, "customer_id:12345678-1234-1234-1234-123456789012:message:*"],
    )
    others = [CALLS.replace("call", "message")]
    server.play({"receive": {"type": "subscribe", "topics": [CALLS]}})
    server.play(ack(CALLS))
    server.play({"receive": {"type": "subscribe", "topics": others}})
    server.play(ack(*others))
    page.evaluate("() => granted.then(() => ends.abort())")
    server.play({"receive": {"type": "unsubscribe", "topics": others}})
    server.play({"send": event(11)})
    page.wait_for_function("() => heard.length > 0")
    assert page.evaluate("() => heard") == [event(11)["id"]]


def test_a_promise_of_a_subscription_that_is_aborted_first_is_rejected(
    start: Runner, page: Page, server: ThreadedServer
) -> None:
    rejected = page.evaluate(
        """topic => {
            const ends = new AbortController();
            const asked = harness.client.subscribe([topic], () => {}, { signal: ends.signal });
            ends.abort();
            return asked.catch(({ name }) => name);
        }""",
        CALLS,
    )
    assert rejected == "AbortError"
    server.play({"receive": {"type": "subscribe", "topics": [CALLS]}})
    server.play({"receive": {"type": "unsubscribe", "topics": [CALLS]}})


def test_a_loop_over_events_hears_them_in_order_and_unsubscribes_when_left(
    start: Runner, page: Page, server: ThreadedServer
) -> None:
    page.evaluate(
        """topic => {
            window.heard = (async () => {
                const ids = [];
                for await (const { data } of harness.client.events([topic])) if (ids.push(data.id) === 3) return ids;
            })();
        }""",
        CALLS,
    )
    server.play({"receive": {"type": "subscribe", "topics": [CALLS]}})
    server.play(ack(CALLS))
    server.play({"send": event(11)})
    server.play({"send_batch": [event(12), event(13), event(14)]})
    assert page.evaluate("() => heard") == ["c11", "c12", "c13"]
    server.play({"receive": {"type": "unsubscribe", "topics": [CALLS]}})


@pytest.mark.parametrize("sign", ["new Event('online')", "new Event('visibilitychange')"])
def test_it_waits_no_more_once_the_network_or_somebody_is_back(
    start: Runner, page: Page, server: ThreadedServer, sign: str
) -> None:
    server.play({"drop": {}})
    page.wait_for_function("() => harness.client.state === 'reconnecting'")
    page.evaluate(f"() => ({'document' if 'visibility' in sign else 'window'}).dispatchEvent({sign})")
    server.play({"accept": {"token": "t"}})


def test_without_a_network_it_says_so(start: Runner, page: Page, server: ThreadedServer) -> None:
    page.evaluate("() => Object.defineProperty(navigator, 'onLine', { get: () => false })")
    server.play({"drop": {}})
    page.wait_for_function("() => harness.client.state === 'suspended'")
    start.play({"wait": 0.5})
    server.play({"accept": {}})


def test_an_answered_ping_comes_after_all_that_was_sent_before_it(
    start: Runner, page: Page, server: ThreadedServer
) -> None:
    page.evaluate(
        "topic => { harness.client.subscribe([topic], ({ data }) => { window.last = data.id }) }", CALLS
    )
    server.play({"receive": {"type": "subscribe", "topics": [CALLS]}})
    server.play(ack(CALLS))
    page.evaluate("() => { window.pinged = harness.client.ping().then(() => window.last) }")
    server.play({"receive": {"type": "ping"}})
    server.play({"send": event(11)})
    server.play({"send": {"type": "pong", "cursor": "0a0b0c0d0e0f.11", "request_id": "last"}})
    assert page.evaluate("() => pinged") == "c11"
    page.evaluate("() => { window.unanswered = harness.client.ping().catch(({ name }) => name) }")
    server.play({"drop": {}})
    assert page.evaluate("() => unanswered") == "ConnectionFailed"


def test_a_failed_client_can_be_told_to_try_again_and_goes_on_where_it_was(
    page: Page, server: ThreadedServer
) -> None:
    runner = Runner(
        page, server, {"client": {"topics": [CALLS], "tokens": ["old", "old", "new"]}, "steps": []}
    )
    runner.play({"accept": {"token": "old"}})
    server.play({"receive": {"type": "subscribe", "topics": [CALLS]}})
    server.play(ack(CALLS))
    page.wait_for_function("() => harness.client.state === 'connected'")
    server.play({"close": {"code": 4401, "reason": "Expired"}})
    # The same token again is no new one: it is not even tried.
    page.wait_for_function("() => harness.client.state === 'failed'")
    assert page.evaluate("() => harness.lastState.code") == "UNAUTHORIZED"
    page.evaluate("() => harness.client.connect()")
    server.play({"accept": {"token": "new"}})
    server.play({"receive": {"type": "subscribe", "topics": [CALLS], "since": "0a0b0c0d0e0f.10"}})
