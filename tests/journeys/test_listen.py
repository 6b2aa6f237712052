"""`manage.py listen` at the real gateway: what it shows, how it ends, and restarts of the server in the middle."""

# Long because a command that runs for ever has many ends, and each is tried at both servers.
from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.prefork import prefork
from tests.support.waiting import wait_until

SERVERS = ["daphne", "uvicorn"]
NO_DATABASE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nowhere", "SECRET_KEY": "none"}


class Listening:
    """A `manage.py listen` process, with what it has written so far."""

    def __init__(self, url: str, token: str, *arguments: str, output: int | None = None) -> None:
        environment = {"PATH": os.environ["PATH"], "VOIPBIN_WS_URL": url, "VOIPBIN_TOKEN": token}
        self.lines: list[str] = []
        self.said: list[str] = []
        self._readers: list[threading.Thread] = []
        command = [sys.executable, "manage.py", "listen", *arguments]
        written = self._collected(self.lines) if output is None else output
        errors = self._collected(self.said)
        with Path(os.devnull).open() as nothing:
            self.process = prefork.start(
                command, environment | NO_DATABASE, stdin=nothing, stdout=written, stderr=errors
            )
        for file in {written, errors} - {output}:
            os.close(file)

    def _collected(self, into: list[str]) -> int:
        """A file for the process to write to; its lines are collected."""
        reading, writing = os.pipe()

        def collect() -> None:
            with os.fdopen(reading) as stream:
                for line in stream:
                    into.append(line.rstrip("\n"))

        self._readers.append(threading.Thread(target=collect, daemon=True))
        self._readers[-1].start()
        return writing

    def ended(self) -> int:
        """Wait for the end, and for the last of what it wrote; returns the exit code."""
        code = self.process.wait(30)
        for reader in self._readers:
            reader.join()
        return code


@contextlib.contextmanager
def listening(url: str, token: str, *arguments: str, **options: Any) -> Iterator[Listening]:
    listener = Listening(url, token, *arguments, **options)
    try:
        yield listener
    finally:
        listener.process.kill()
        listener.process.wait()


def call(number: int, **fields: Any) -> dict[str, Any]:
    return {"event_type": "call.status", "data": {"id": f"call-{number}", "number": number, **fields}}


def connected(gateway: Gateway, company: Company, listener: Listening) -> None:
    """Wait until the listener receives: publishes until it does, as it does not report when it is subscribed."""

    def received() -> bool:
        publish(gateway, company.key("that publishes"), call(-1))
        return bool(listener.lines)

    wait_until(received, "the first line")


def numbers_of(lines: list[str]) -> list[int]:
    return [number for line in list(lines) if (number := json.loads(line)["data"]["number"]) >= 0]


@pytest.fixture
def acme() -> Company:
    return company("Acme")


@pytest.fixture(scope="module", params=SERVERS)
def serving(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> Gateway:
    """For what leaves it running."""
    return gateway_of_file(request.param)


@pytest.fixture(scope="module")
def globex(serving: Gateway) -> Company:
    """A customer of that gateway."""
    globex = company("Globex")
    settle(serving, globex)
    return globex


@pytest.mark.parametrize("server", SERVERS)
def test_no_event_is_missed_or_doubled_when_the_server_is_stopped_or_killed_in_the_middle(
    gateway: Gateways, acme: Company, server: str
) -> None:
    serving = gateway(server)
    settle(serving, acme)
    stored: list[int] = []
    is_over = threading.Event()

    def publish_on() -> None:
        number = 0
        while not is_over.is_set():
            event = {**call(number), "idempotency_key": f"number {number}"}
            try:
                publish(serving, acme.key("that publishes"), event)
            except httpx.TransportError:
                is_over.wait(0.05)
                continue
            stored.append(number)
            number += 1

    with listening(serving.ws_url, acme.token("admin"), f"customer_id:{acme.id}", "--json") as listener:
        connected(serving, acme, listener)
        publisher = threading.Thread(target=publish_on)
        publisher.start()
        try:
            for end in (serving.terminate, serving.kill):
                wait_until(lambda: len(numbers_of(listener.lines)) > 10, "events to flow")
                end()
                enough = len(stored) + 20
                serving.restart()
                wait_until(partial(_has, listener.lines, enough), "the listener to be back")
        finally:
            is_over.set()
            publisher.join()
        wait_until(lambda: len(numbers_of(listener.lines)) >= len(stored), "all that was stored")
        assert numbers_of(listener.lines) == stored
        assert sum("nothing was missed" in line for line in listener.said) == 2
        assert not any("missing" in line for line in listener.said)


def _has(lines: list[str], enough: int) -> bool:
    return len(numbers_of(lines)) >= enough


def test_lines_are_for_people_and_cannot_command_their_terminal(serving: Gateway, globex: Company) -> None:
    with listening(serving.ws_url, globex.token("admin"), f"customer_id:{globex.id}") as listener:
        connected(serving, globex, listener)
        before = len(listener.lines)
        publish(
            serving,
            globex.key("that publishes"),
            call(
                1,
                previous_status="ringing",
                status="answered",
                source={"type": "tel", "target": "+15551234567"},
            ),
            {"event_type": "message.received", "data": {"id": "m", "text": "a\x1b[2J\rb\u202ec"}},
        )
        wait_until(lambda: any("message.received" in line for line in listener.lines), "both lines")
        first, second = listener.lines[-2:]
        assert before >= 1
        assert "call.status" in first
        assert "ringing → answered" in first
        assert "+15551234567 → ?" in first
        assert "a\ufffd[2J\ufffdb\ufffdc" in second
        assert "\x1b" not in first + second


def test_a_closed_pipe_ends_it_quietly_and_at_once(serving: Gateway, globex: Company) -> None:
    reading, writing = os.pipe()
    with listening(
        serving.ws_url, globex.token("admin"), f"customer_id:{globex.id}", output=writing
    ) as listener:
        os.close(writing)
        os.set_blocking(reading, False)

        def received() -> bool:
            publish(serving, globex.key("that publishes"), call(1))
            with contextlib.suppress(BlockingIOError):
                return bool(os.read(reading, 1))
            return False

        wait_until(received, "the first line")
        os.close(reading)
        assert listener.ended() == 0
        assert listener.said == []


def test_ctrl_c_ends_it_quietly(serving: Gateway, globex: Company) -> None:
    with listening(
        serving.ws_url, globex.token("admin"), f"customer_id:{globex.id}", "--json", "--batch"
    ) as listener:
        connected(serving, globex, listener)
        listener.process.send_signal(signal.SIGINT)
        assert listener.ended() == 130
        assert listener.said == []


def test_what_cannot_be_received_is_reported_in_one_line_each(serving: Gateway, globex: Company) -> None:
    code, said = end_of(serving.ws_url, globex.token("agent"), f"customer_id:{globex.id}", "nonsense")
    assert code == 1
    assert len(said) == 3
    assert {line.partition(":")[0] for line in said[:2]} == {"Refused customer_id", "Refused nonsense"}
    assert "None of the topics" in said[2]


def test_a_bad_credential_is_reported_in_one_line(serving: Gateway) -> None:
    code, said = end_of(serving.ws_url, "vb_" + "x" * 32, "x")
    assert (code, len(said)) == (1, 1)
    assert "not known" in said[0]


@pytest.mark.parametrize("bad", [("--url", "http://127.0.0.1"), ("--since", "yesterday"), ("--token", "")])
def test_what_cannot_work_is_reported_in_one_line(bad: tuple[str, str]) -> None:
    code, said = end_of("ws://127.0.0.1:1/", "x", "topic", *bad)
    assert (code, len(said)) == (1, 1), said


def end_of(url: str, token: str, *arguments: str) -> tuple[int, list[str]]:
    """The exit code of a `listen`, and what it said."""
    with listening(url, token, *arguments) as listener:
        code = listener.ended()
        assert listener.lines == []
        return code, listener.said


def test_since_begins_in_the_past(serving: Gateway, globex: Company) -> None:
    receipts = publish(serving, globex.key("that publishes"), *(call(number) for number in range(10)))
    since = receipts[3]["cursor"]
    with listening(
        serving.ws_url, globex.token("admin"), f"customer_id:{globex.id}", "--json", "--since", since
    ) as listener:
        wait_until(lambda: len(listener.lines) >= 6, "what was published before")
        assert numbers_of(listener.lines) == list(range(4, 10))
