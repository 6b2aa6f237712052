"""`manage.py serve`: a gateway process that says when it is ready, and ends as requested."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from pathlib import Path

import httpx
import pytest

from tests.support.gateway import Gateway, manage
from tests.support.gateways import Gateways
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

ADDRESS = "/v1.0/ws"


def test_each_stack_serves_and_refuses_who_shows_no_credential(gateway_on_each_stack: Gateway) -> None:
    answer = httpx.get(gateway_on_each_stack.url + ADDRESS)
    assert answer.status_code == 401
    assert "credential" in answer.json()["message"]


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_sigterm_ends_it_in_order_and_it_comes_back_at_its_address(gateway: Gateways, server: str) -> None:
    serving = gateway(server)
    before = serving.url
    assert serving.terminate() == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(serving.url + ADDRESS)
    serving.restart()
    assert serving.url == before
    assert httpx.get(serving.url + ADDRESS).status_code == 401
    assert "Traceback" not in serving.log_text()


def test_a_port_in_use_is_reported_in_one_line(gateway: Gateways) -> None:
    serving = gateway()
    with pytest.raises(AssertionError) as failed:
        manage(serving.environment, "serve", "--port", str(serving.port))
    _, *said = str(failed.value).splitlines()
    assert len(said) == 1
    assert str(serving.port) in said[0]


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_on_any_free_port_it_announces_which(gateway: Gateways, server: str, tmp_path: Path) -> None:
    environment = gateway(server).environment
    command = [sys.executable, "manage.py", "serve", "--server", server, "--port", "0"]
    process = ServerProcess(command, tmp_path / "any-port.log", environment=environment)
    try:
        process.wait_ready(process.log_text, "the announcement")
        announced = re.fullmatch(r"Listening on (http://127\.0\.0\.1:\d+)\n", process.log_text())
        assert announced, process.log_text()
        assert httpx.get(announced[1] + ADDRESS).status_code == 401
    finally:
        process.kill()


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_requests_under_way_are_answered_before_it_ends(gateway: Gateways, server: str) -> None:
    serving = gateway(server)
    answered: list[int] = []

    def ask_on() -> None:
        with contextlib.suppress(httpx.TransportError), httpx.Client(timeout=60) as http:
            while True:
                # Each on a connection that stays: as long as those ask, there is always one under way.
                answered.append(http.get(serving.url + ADDRESS).status_code)

    asking = [threading.Thread(target=ask_on) for _ in range(8)]
    for each in asking:
        each.start()
    wait_until(lambda: len(answered) > 20, "answers")
    assert serving.terminate() == 0
    for each in asking:
        each.join()
    assert set(answered) <= {401, 503}
