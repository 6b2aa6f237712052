"""The JavaScript client while the network or the gateway is away, in Chromium."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page

from tests.browser.support.client_runner import Runner
from tests.browser.support.scripted_page import ThreadedServer, open_harness, scripted_server
from tests.conformance.server import UPGRADE_REQUIRED

CALLS = "customer_id:12345678-1234-1234-1234-123456789012:call:*"


@pytest.fixture
def start(page: Page, server: ThreadedServer) -> Runner:
    """A connected client without topics."""
    open_harness(page, server.server.url)
    runner = Runner(page, server, {"client": {"token": "t"}, "steps": []})
    runner.play({"accept": {}})
    page.wait_for_function("() => harness.client.state === 'connected'")
    return runner


@pytest.mark.parametrize("sign", ["new Event('online')", "new Event('visibilitychange')"])
def test_a_pause_ends_when_the_network_is_back_or_the_page_visible(
    start: Runner, page: Page, server: ThreadedServer, sign: str
) -> None:
    server.play({"drop": {}})
    page.wait_for_function("() => harness.client.state === 'reconnecting'")
    page.evaluate(f"() => ({'document' if 'visibility' in sign else 'window'}).dispatchEvent({sign})")
    server.play({"accept": {"token": "t"}})


@pytest.mark.parametrize("sign", ["new Event('online')", "new Event('visibilitychange')"])
@pytest.mark.parametrize("waits", [[], [15, 1.0]], ids=["handshake", "question"])
def test_a_stalled_attempt_ends_when_the_network_is_back_or_the_page_visible(
    start: Runner, page: Page, server: ThreadedServer, sign: str, waits: list[float]
) -> None:
    server.play({"stall": {}})
    server.play({"drop": {}})
    for seconds in [0.5, *waits]:
        start.play({"wait": seconds})
    page.wait_for_function("() => harness.clock.waitsFor(15000)")
    server.play({"recover": {"unanswered": 1 if not waits else 2}})
    page.evaluate("() => harness.clock.move(2000)")
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(server.play, {"accept": {"token": "t"}})
        while not accepted.done():
            # Again, for the attempt may be between its question and its handshake at this moment.
            page.evaluate(f"() => ({'document' if 'visibility' in sign else 'window'}).dispatchEvent({sign})")
            page.wait_for_timeout(50)
        accepted.result()


def test_a_young_attempt_survives_that_the_page_becomes_visible(
    start: Runner, page: Page, server: ThreadedServer
) -> None:
    server.play({"stall": {}})
    server.play({"drop": {}})
    start.play({"wait": 0.5})
    page.wait_for_function("() => harness.clock.waitsFor(15000)")
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("() => harness.lastState.code") == "LOST"


def test_the_network_that_is_back_ends_the_wait_for_a_token(page: Page, server: ThreadedServer) -> None:
    open_harness(page, server.server.url)
    runner = Runner(page, server, {"client": {"topics": [CALLS], "tokens": [None, "t"]}, "steps": []})
    page.wait_for_function("() => harness.clock.waitsFor(60000)")
    runner.play({"move": 2})
    # The function may be asking a person, who only changed tabs.
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("() => harness.tokenReasons.length") == 1
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    server.play({"accept": {"token": "t"}})


def test_no_websocket_is_opened_to_a_host_that_does_not_answer(
    start: Runner, page: Page, server: ThreadedServer
) -> None:
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    page.route("**/v1.0/ws?*", lambda route: route.abort())
    server.play({"drop": {}})
    start.play({"wait": 0.5})
    server.play({"explain": UPGRADE_REQUIRED.copy()})
    server.play({"refuse": {"status": 502, "html": ""}})
    for seconds in (1.0, 2.0, 2.5, 2.5):
        start.play({"wait": seconds})
    page.wait_for_function("() => harness.clock.waitsFor(2500)")
    assert len(opened) == 1
    page.unroute("**/v1.0/ws?*")
    start.play({"wait": 2.5})
    server.play({"accept": {"token": "t"}})


def test_a_policy_of_the_page_that_allows_only_websockets_does_not_keep_the_client_away(
    page: Page, server: ThreadedServer
) -> None:
    open_harness(page, server.server.url)
    page.evaluate(
        """url => {
            const policy = document.createElement("meta");
            policy.httpEquiv = "Content-Security-Policy";
            policy.content = `connect-src ${new URL(url).origin}`;
            document.head.append(policy);
        }""",
        server.server.url,
    )
    runner = Runner(page, server, {"client": {"topics": [CALLS], "token": "t"}, "steps": []})
    server.play({"refuse": {"status": 503}})
    runner.play({"wait": 0.5})
    server.play({"accept": {"token": "t"}})


def test_a_page_of_another_origin_notices_an_intermediary_whose_answer_it_may_not_read(
    page: Page, server: ThreadedServer
) -> None:
    with scripted_server() as other:
        open_harness(page, other.server.url)
    runner = Runner(page, server, {"client": {"topics": [CALLS], "token": "t"}, "steps": []})
    server.play({"refuse": {"status": 403, "html": ""}})
    page.wait_for_function("() => harness.lastState?.code === 'INTERMEDIARY'")
    runner.play({"wait": 0.5})
    server.play({"accept": {"token": "t"}})


def test_without_a_network_the_state_is_suspended(start: Runner, page: Page, server: ThreadedServer) -> None:
    page.evaluate("() => Object.defineProperty(navigator, 'onLine', { get: () => false })")
    server.play({"drop": {}})
    page.wait_for_function("() => harness.client.state === 'suspended'")
    start.play({"wait": 0.5})
    server.play({"accept": {}})
