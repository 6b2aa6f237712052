"""A gateway on IPv6 and IPv4 at once: addresses of clients, proxies that are trusted, and probes by address."""

from __future__ import annotations

import json
import socket
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import post
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

PAGE = {"Host": "ws.example.com", "X-Forwarded-Proto": "https"}
PROBES = ("/healthz", "/readyz", "/metrics")


def _speaks_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not _speaks_ipv6(), reason="this machine has no IPv6")


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def dual_stack(gateway_of_file: Gateways, request: pytest.FixtureRequest) -> Gateway:
    return gateway_of_file(
        request.param,
        options=("--host", "::"),
        PUBLIC_URL="https://ws.example.com",
        TRUSTED_PROXIES="127.0.0.1,::1",
        LOG_FORMAT="json",
    )


@pytest.fixture(scope="module")
def acme(dual_stack: Gateway) -> Company:
    acme = company("Acme")
    settle(dual_stack, acme)
    return acme


def url(gateway: Gateway, host: str) -> str:
    return f"http://[{host}]:{gateway.port}" if ":" in host else f"http://{host}:{gateway.port}"


def logged_address(log: Path, client: str) -> str:
    def line() -> str:
        return next((text for text in log.read_text().splitlines() if f'"{client}"' in text), "")

    return str(json.loads(wait_until(line, "the line of the request"))["address"])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("forwarded", [None, "203.0.113.7", "::ffff:203.0.113.7", "2001:db8::5"])
def test_a_client_has_its_address_and_its_proxy_is_trusted(
    dual_stack: Gateway, host: str, forwarded: str | None
) -> None:
    headers = PAGE | ({"X-Forwarded-For": forwarded} if forwarded else {})
    client = f"{host} for {forwarded}"
    answer = httpx.get(url(dual_stack, host), headers={**headers, "User-Agent": client})
    assert answer.status_code == 200, "sent to https://, where it was"
    expected = (forwarded or host).removeprefix("::ffff:")
    assert logged_address(dual_stack.log, client) == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_publisher_has_its_address(dual_stack: Gateway, acme: Company, host: str) -> None:
    answer = httpx.post(
        f"{url(dual_stack, host)}/v1.0/events",
        content="{",
        headers={
            **PAGE,
            "Authorization": f"Bearer {acme.key('that publishes')}",
            "User-Agent": f"post {host}",
        },
    )
    assert answer.status_code == 400
    assert logged_address(dual_stack.log, f"post {host}") == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("named", ["10.42.8.201:8000", "gateway-1:8000", "[fe80::1]:8000"])
def test_probes_may_name_the_process_by_address_and_nothing_else_may(
    dual_stack: Gateway, host: str, named: str
) -> None:
    for path in PROBES:
        for method in ("GET", "HEAD"):
            answer = httpx.request(method, url(dual_stack, host) + path, headers={"Host": named})
            assert answer.status_code == 200, (method, path)
    for path in ("/", "/v1.0/calls", "/admin/login/", "/healthz/", "/metrics/x"):
        answer = httpx.get(url(dual_stack, host) + path, headers={**PAGE, "Host": named})
        assert answer.status_code == 400, path
    answer = httpx.post(f"{url(dual_stack, host)}/v1.0/events", content="{}", headers={**PAGE, "Host": named})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")


def test_every_answer_has_one_date(dual_stack: Gateway, acme: Company) -> None:
    event = {"event_type": "call.created", "data": {"id": "c1"}}
    answers = [
        *(httpx.get(dual_stack.url + path, headers=PAGE) for path in (*PROBES, "/", "/v1.0/calls", "/x")),
        post(dual_stack, acme.key("that publishes"), event),
        httpx.get(f"{dual_stack.url}/static/voipbin_ws/event-client.js", headers=PAGE),
    ]
    for answer in answers:
        [date] = answer.headers.get_list("date")
        assert parsedate_to_datetime(date), answer.url
