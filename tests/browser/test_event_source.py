"""EventSource, the client of event streams that every browser has, on both servers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser

from tests.journeys.support.cast import company, new_id, settle
from tests.journeys.support.conversation import publish
from tests.support.gateways import Gateways

LISTEN = """
(address) => {
  window.source = new EventSource(address);
  window.received = [];
  window.answers = [];
  source.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    (frame.event_type ? received : answers).push(frame);
  };
}
"""
COUNT = "(count) => received.length >= count"
REVOKE = "from subscriptions.models import AccessKey; AccessKey.objects.get(label='of the customer').delete()"


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_it_resumes_after_a_restart_and_stops_after_a_refusal(
    browser: Browser, gateway: Gateways, server: str
) -> None:
    serving, acme = gateway(server), company("Acme")
    settle(serving, acme)
    query = urlencode({"topics": f"customer_id:{acme.id}:call:*", "token": acme.key("of the customer")})

    def publish_calls(count: int) -> list[dict[str, Any]]:
        events = [{"event_type": "call.created", "data": {"id": new_id()}} for _ in range(count)]
        return publish(serving, acme.key("that publishes"), *events)

    page = browser.new_page(bypass_csp=True)  # To wait for conditions on it.
    page.goto(f"{serving.url}/healthz")
    page.evaluate(LISTEN, f"/v1.0/sse?{query}")
    page.wait_for_function("answers.length === 1")
    receipts = publish_calls(3)
    page.wait_for_function(COUNT, arg=3)
    serving.kill()
    serving.restart()
    receipts += publish_calls(3)
    page.wait_for_function(COUNT, arg=6)
    assert page.evaluate("answers.at(-1).recovered") is True
    assert page.evaluate("received.map(({ cursor }) => cursor)") == [each["cursor"] for each in receipts]
    serving.manage("shell", "--verbosity", "0", "--command", REVOKE)
    page.wait_for_function("source.readyState === EventSource.CLOSED")
    last = page.evaluate("answers.at(-1)")
    assert (last["code"], last["retry"]) == ("REVOKED", False)
    page.close()
