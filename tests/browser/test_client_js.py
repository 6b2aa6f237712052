"""The JavaScript client beyond the conformance suite: handlers, signals, loops, and a browser's events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.support.client_runner import Runner
from tests.browser.support.scripted_page import ThreadedServer, open_harness

CALLS = "customer_id:12345678-1234-1234-1234-123456789012:call:*"


def ack(*topics: str) -> Mapping[str, Any]:
    """Return the acknowledgement of the last subscription."""
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
    """A connected client without topics."""
    open_harness(page, server.server.url)
    runner = Runner(page, server, {"client": {"token": "t"}, "steps": []})
    runner.play({"accept": {}})
    page.wait_for_function("() => harness.client.state === 'connected'")
    return runner


def test_a_handler_that_throws_does_not_affect_the_others(
    start: Runner, page: Page, server: ThreadedServer
) -> None:
    page.evaluate(
        """topic => {
            window.received = [];
            harness.client.subscribe([topic], () => { throw new Error("at once") });
            harness.client.subscribe([topic], async () => { throw new Error("later") });
            harness.client.subscribe([topic], ({ id }) => { received.push(id) });
        }""",
        CALLS,
    )
    server.play({"receive": {"type": "subscribe", "topics": [CALLS]}})
    server.play(ack(CALLS))
    server.play({"send_batch": [event(11), event(12)]})
    page.wait_for_function("() => received.length === 2 && harness.errors.length === 4")
    assert sorted(page.evaluate("() => harness.errors")) == ["at once"] * 2 + ["later"] * 2
    assert page.evaluate("() => harness.client.state") == "connected"


def test_an_aborted_signal_unsubscribes_topics_without_another_subscription(
    start: Runner, page: Page, server: ThreadedServer
) -> None:
    page.evaluate(
        """topics => {
            window.ends = new AbortController();
            window.received = [];
            const one = harness.client.subscribe([topics[0]], ({ id }) => { received.push(id) });
            const aborted = () => { received.push("aborted") };
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
    page.wait_for_function("() => received.length > 0")
    assert page.evaluate("() => received") == [event(11)["id"]]


def test_an_abort_before_the_answer_rejects_the_subscription(
    start: Runner, page: Page, server: ThreadedServer
) -> None:
    rejected = page.evaluate(
        """topic => {
            const ends = new AbortController();
            const pending = harness.client.subscribe([topic], () => {}, { signal: ends.signal });
            ends.abort();
            return pending.catch(({ name }) => name);
        }""",
        CALLS,
    )
    assert rejected == "AbortError"
    server.play({"receive": {"type": "subscribe", "topics": [CALLS]}})
    server.play({"receive": {"type": "unsubscribe", "topics": [CALLS]}})


def test_a_loop_over_events_receives_them_in_order_and_unsubscribes_when_left(
    start: Runner, page: Page, server: ThreadedServer
) -> None:
    page.evaluate(
        """topic => {
            window.received = (async () => {
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
    assert page.evaluate("() => received") == ["c11", "c12", "c13"]
    server.play({"receive": {"type": "unsubscribe", "topics": [CALLS]}})


@pytest.mark.parametrize(
    ("end", "thrown"),
    [
        (
            {
                "send": {
                    "type": "error",
                    "action": "subscribe",
                    "topics": [CALLS],
                    "code": "PERMISSION_DENIED",
                    "message": "Not any more",
                }
            },
            "SubscribeError: Not any more",
        ),
        ({"close": {"code": 4403, "reason": "Revoked"}}, "ConnectionFailed: Revoked"),
    ],
)
def test_a_loop_over_events_throws_when_no_more_events_can_come(
    start: Runner, page: Page, server: ThreadedServer, end: Mapping[str, Any], thrown: str
) -> None:
    page.evaluate(
        """topic => {
            window.received = [];
            const events = harness.client.events([topic]);
            const loop = async () => { for await (const { data } of events) received.push(data.id) };
            window.over = loop().catch(String);
        }""",
        CALLS,
    )
    server.play({"receive": {"type": "subscribe", "topics": [CALLS]}})
    server.play(ack(CALLS))
    server.play({"send": event(11)})
    page.wait_for_function("() => received.length === 1")
    server.play(end)
    assert page.evaluate("() => over") == thrown


def test_a_loop_over_events_ends_with_the_client(start: Runner, page: Page, server: ThreadedServer) -> None:
    page.evaluate(
        """topic => {
            const loop = async () => { for await (const event of harness.client.events([topic])); return "over" };
            window.over = loop();
        }""",
        CALLS,
    )
    server.play({"receive": {"type": "subscribe", "topics": [CALLS]}})
    server.play(ack(CALLS))
    page.wait_for_function("() => harness.client.cursor !== null")
    page.evaluate("() => harness.client.close()")
    assert page.evaluate("() => over") == "over"


def test_a_pong_comes_after_all_frames_before_it(start: Runner, page: Page, server: ThreadedServer) -> None:
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


def test_a_failed_client_resumes_after_connect(page: Page, server: ThreadedServer) -> None:
    open_harness(page, server.server.url)
    runner = Runner(
        page, server, {"client": {"topics": [CALLS], "tokens": ["old", "old", "new"]}, "steps": []}
    )
    runner.play({"accept": {"token": "old"}})
    server.play({"receive": {"type": "subscribe", "topics": [CALLS]}})
    server.play(ack(CALLS))
    page.wait_for_function("() => harness.client.state === 'connected'")
    server.play({"close": {"code": 4401, "reason": "Expired"}})
    # The client does not try the rejected token again.
    page.wait_for_function("() => harness.client.state === 'failed'")
    assert page.evaluate("() => harness.lastState.code") == "UNAUTHORIZED"
    page.evaluate("() => harness.client.connect()")
    server.play({"accept": {"token": "new"}})
    server.play({"receive": {"type": "subscribe", "topics": [CALLS], "since": "0a0b0c0d0e0f.10"}})
