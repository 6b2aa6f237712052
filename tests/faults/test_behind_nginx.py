"""Two gateway processes behind nginx as it is shipped: nothing is lost, and no one's credential is logged."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect

from deploy.programs import NGINX
from subscriptions.delivery.stream_transport import HEARTBEAT_SECONDS
from tests.faults.conftest import Start
from tests.faults.support.databases import query
from tests.faults.support.drill import LONG, SOME, Drill
from tests.journeys.support.cast import company, new_id, settle
from tests.journeys.support.conversation import publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.nginx_server import NginxServer
from tests.support.ports import free_port
from tests.support.reports import shown_on_failure
from tests.support.requirement import require
from tests.support.waiting import wait_until

SPOOFED = "203.0.113.9"
"""An address of no one's (RFC 5737), which a client claims to have."""

FROM = "127.0.0.77"
"""Where a client really connects from."""

SILENCE_SECONDS = 60
"""nginx ends a response that is silent for this long, unless it is configured, as it is here."""

off = asyncio.to_thread


@dataclass(frozen=True)
class Site:
    """All of it, as its clients see it."""

    nginx: NginxServer
    gateways: tuple[Gateway, Gateway]
    url: str
    plain_url: str

    @property
    def ws_url(self) -> str:
        return f"wss{self.url.removeprefix('https')}/v1.0/ws"


@pytest.fixture
def site(
    gateway: Gateways,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Site]:
    program = require(NGINX)
    port, plain_port = free_port(), free_port()
    url = f"https://localhost:{port}"
    settings = {
        "PUBLIC_URL": url,
        "TRUSTED_PROXIES": "127.0.0.1",
        "DATABASE_ANSWER_SECONDS": "2",
        "CONNECTIONS_PER_CREDENTIAL": "1000",
    }
    first = gateway("daphne", postgres=True, redis=True, **settings)
    second = gateway("uvicorn", database_url=first.database_url, redis=True, **settings)
    behind = {8001: first.port, 8002: second.port}
    nginx = NginxServer(program, tmp_path_factory.mktemp("nginx"), port, plain_port, behind)
    # Where OpenSSL, and with it every client here, looks for certificates to trust.
    monkeypatch.setenv("SSL_CERT_FILE", str(nginx.certificate))
    with shown_on_failure(request.node, nginx.all_logs):
        yield Site(nginx, (first, second), url, f"http://localhost:{plain_port}")
    nginx.kill()


async def test_a_rolling_restart_behind_nginx(site: Site, drill: Start) -> None:
    behind: dict[str, object] = {"publish_urls": [site.url], "listen_urls": [site.ws_url]}
    async with drill(*site.gateways, **behind) as load:
        for each in site.gateways:
            assert await off(each.terminate) == 0
            await load.published(SOME)
            await off(each.restart)
        await client_addresses_are_the_clients(site, load)
    codes = {code for each in load.subscribers for code in each.close_codes}
    assert codes == {4012}
    await what_is_not_for_clients_is_refused(site)
    for each in site.gateways:
        await off(each.kill)
    token = load.companies[0].token("manager")
    async with httpx.AsyncClient() as http:
        away = await http.get(f"{site.url}/v1.0/calls?token={token}")
        assert (away.status_code, away.json()["code"]) == (503, "UNAVAILABLE")
        assert away.headers["Retry-After"] == "1"
    for head, expected in (
        (f"POST /v1.0/events HTTP/1.1\r\nContent-Length: {10 * 2**20 + 1}", (413, "TOO_LARGE")),
        (f"POST /v1.0/events?token={'x' * 8192} HTTP/1.1", (400, "INVALID_REQUEST")),
        (f"GET /v1.0/calls HTTP/1.1\r\nX-Long: {'x' * 8192}", (400, "INVALID_REQUEST")),
    ):
        assert await off(refusal_by_nginx, site, head) == expected
    # A line is written after the answer has been sent.
    await off(wait_until, lambda: '"GET /v1.0/calls" 503' in site.nginx.access_log(), "nginx's line")
    assert '"GET /v1.0/ws" 101' in site.nginx.access_log()
    logs = site.nginx.all_logs()
    for each in load.companies:
        for name, credential in each.credentials():
            assert credential not in logs, f"the credential of {name} is in nginx's logs"


async def test_an_event_stream_comes_through_at_once_and_stays_open(site: Site) -> None:
    acme = company("Acme")
    await off(settle, site.gateways[0], acme)
    key, topic = acme.key("of the customer"), f"customer_id:{acme.id}:call:*"
    timeout = httpx.Timeout(30)
    async with (
        httpx.AsyncClient(timeout=timeout) as http,
        http.stream("GET", f"{site.url}/v1.0/sse", params={"topics": topic, "token": key}) as stream,
    ):
        lines = stream.aiter_lines()
        assert '"ack"' in await anext(line async for line in lines if line.startswith("data"))
        for _ in range(3):
            # Less than any buffer holds.
            event = {"event_type": "call.created", "data": {"id": new_id()}}
            [receipt] = await off(publish, site.gateways[1], acme.key("that publishes"), event)
            assert receipt["id"] in await anext(line async for line in lines if line.startswith("data"))
        if LONG:
            # More than nginx waits for a silent response.
            for _ in range(SILENCE_SECONDS // int(HEARTBEAT_SECONDS) + 1):
                assert await anext(line async for line in lines if line) == ":"
    await off(wait_until, lambda: '"GET /v1.0/sse" 200' in site.nginx.access_log(), "nginx's line")
    assert key not in site.nginx.all_logs()
    # nginx passes the client's end on.
    await off(wait_until, lambda: not any(map(open_streams, site.gateways)), "the end at the gateway")


def open_streams(gateway: Gateway) -> int:
    text = httpx.get(f"{gateway.url}/metrics").text
    [count] = re.findall(r"^voipbin_ws_connections(?:{[^}]*})? (\d+)", text, re.MULTILINE)
    return int(count)


async def client_addresses_are_the_clients(site: Site, load: Drill) -> None:
    token = load.companies[0].token("admin")
    claims = {"X-Forwarded-For": SPOOFED, "Forwarded": f"for={SPOOFED}", "User-Agent": "the-one-that-claims"}
    async with connect(
        f"{site.ws_url}?token={token}",
        additional_headers=claims,
        user_agent_header=None,
        local_addr=(FROM, 0),
        server_hostname="localhost",
        host="127.0.0.1",
        port=urlsplit(site.url).port,
        origin=site.url,  # type: ignore[arg-type]
    ) as socket:
        await socket.send(
            json.dumps({"type": "subscribe", "topics": [f"customer_id:{load.companies[0].id}"]})
        )
        assert json.loads(await socket.recv())["type"] == "ack"
    rows = await off(
        query, site.gateways[0].database_url, "SELECT DISTINCT address, client FROM subscriptions_auditrecord"
    )
    assert {address for address, client in rows if client == claims["User-Agent"]} == {FROM}
    assert SPOOFED not in {address for address, _ in rows}


async def what_is_not_for_clients_is_refused(site: Site) -> None:
    async with httpx.AsyncClient() as http:
        for path in ("/metrics", "/readyz"):
            assert (await http.get(site.url + path)).status_code == 404, path
        assert (await http.get(f"{site.url}/healthz")).status_code == 200
        page = await http.get(f"{site.plain_url}/agent")
        # The name is that of the configuration, whichever the client sends.
        assert (page.status_code, page.headers["location"]) == (301, "https://ws.example.com/agent")
        program = await http.get(f"{site.plain_url}/v1.0/calls?token=a-token-in-the-clear")
        assert (program.status_code, program.json()["code"]) == (403, "PERMISSION_DENIED")
    assert "a-token-in-the-clear" not in site.nginx.all_logs()


def refusal_by_nginx(site: Site, head: str) -> tuple[int, str]:
    """The status and code of the answer to this head of a request, whose body is never sent."""
    context = ssl.create_default_context(cafile=site.nginx.certificate)
    with (
        socket.create_connection(("127.0.0.1", urlsplit(site.url).port or 0)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(f"{head}\r\nHost: localhost\r\n\r\n".encode())
        answer = HTTPResponse(connection)
        answer.begin()
        assert answer.headers["Content-Type"] == "application/json"
        return answer.status, json.loads(answer.read())["code"]
