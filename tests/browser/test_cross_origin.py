"""A page of another origin: what it may read on both servers, and how the JavaScript client behaves there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from tests.journeys.support.cast import Company, company, settle
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.processes import ROOT

UNLISTED = "https://unlisted.example.com"
PREFLIGHT = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Quiet, directory=str(ROOT / "clients/javascript"))
    )
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def gateway(request: pytest.FixtureRequest, gateway_of_file: Gateways, site: str) -> Gateway:
    return gateway_of_file(request.param, WEBSOCKET_ORIGINS=site)


@pytest.fixture(scope="module")
def acme(gateway: Gateway) -> Company:
    acme = company("Acme")
    settle(gateway, acme)
    return acme


def ask(gateway: Gateway, method: str, path: str, origin: str, **headers: str) -> httpx.Response:
    return httpx.request(method, gateway.url + path, headers={"Origin": origin, **headers}, timeout=30)


@pytest.mark.parametrize(
    "path", ["/v1.0/me", "/v1.0/events", "/v1.0/nothing-here", "/v1.0/ws", "/auth/login"]
)
def test_a_listed_page_may_read_every_answer(gateway: Gateway, site: str, path: str) -> None:
    preflight = ask(gateway, "OPTIONS", path, site, **PREFLIGHT)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == site
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    for method in ("GET", "POST"):  # Without a credential or a body: errors are answers too.
        answer = ask(gateway, method, path, site)
        assert answer.status_code >= 400
        assert answer.headers["Access-Control-Allow-Origin"] == site
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/v1.0/me", "/v1.0/events", "/auth/login", "/", "/healthz"])
def test_another_page_may_read_nothing(gateway: Gateway, path: str) -> None:
    for method in ("OPTIONS", "GET", "POST"):
        answer = ask(gateway, method, path, UNLISTED, **PREFLIGHT)
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_every_page_may_read_why_it_may_not_connect(gateway: Gateway, acme: Company) -> None:
    answer = ask(gateway, "GET", f"/v1.0/ws?token={acme.token('manager')}", UNLISTED)
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN_ORIGIN")
    assert answer.headers["Access-Control-Allow-Origin"] == UNLISTED


def follow(page: Page, gateway: Gateway, tokens: list[str]) -> dict[str, Any]:
    """Run the client in the page until it is connected or has failed."""
    return page.evaluate(
        """async ({ url, tokens }) => {
            const { EventClient } = await import("/event-client.js");
            const reasons = [];
            const token = ({ reason }) => (reasons.push(reason), tokens.shift());
            const client = new EventClient({ url, token });
            const change = await new Promise((resolve) => {
                client.on("state", (each) => ["connected", "failed"].includes(each.current) && resolve(each));
                client.connect();
            });
            client.close();
            return { ...change, reasons };
        }""",
        {"url": gateway.ws_url, "tokens": tokens},
    )


def test_a_refused_token_is_renewed_there_too(gateway: Gateway, acme: Company, page: Page, site: str) -> None:
    page.goto(f"{site}/README.md")
    good = follow(page, gateway, ["not-a-token", acme.token("manager")])
    assert (good["current"], good["reasons"]) == ("connected", ["connect", "refused"])
    bad = follow(page, gateway, ["not-a-token", "neither"])
    assert (bad["current"], bad["code"], bad["reasons"]) == ("failed", "UNAUTHORIZED", ["connect", "refused"])


def test_a_page_of_an_unlisted_origin_learns_it(
    gateway: Gateway, acme: Company, page: Page, site: str
) -> None:
    page.goto(f"{site.replace('127.0.0.1', 'localhost')}/README.md")
    refused = follow(page, gateway, [acme.token("manager")])
    assert (refused["current"], refused["code"]) == ("failed", "FORBIDDEN")
    assert "WEBSOCKET_ORIGINS" in refused["reason"]
