"""`manage.py serve --workers 2`: two processes on one port, replaced on a crash, ended in order."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from django.core.management import CommandError, call_command

from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import Closed, Conversation, Frame, publish
from tests.support.gateway import Gateway, gateway_environment
from tests.support.gateways import Gateways
from tests.support.ports import free_port
from tests.support.processes import ROOT
from tests.support.waiting import wait_until

NEVER_SERVES = """
import socket, sys
from voipbin_ws.servers.supervisor import NeverServed, Workers
try:
    Workers(2, socket.socket(), lambda serves: sys.exit(3), lambda: print("announced")).run()
except NeverServed as error:
    print(error)
"""


def children(pid: int) -> list[int]:
    """Return the child processes of a process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def _open_files(pid: int) -> set[str]:
    found: set[str] = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # Closed since the folder was listed.
            found.add(str(descriptor.readlink()))
    return found


def holder(conversation: Conversation, workers: list[int]) -> int:
    """Return the worker that holds the server's end of this connection."""
    port = conversation._socket.sock.getsockname()[1]
    lines = Path("/proc/net/tcp").read_text().splitlines()
    inodes = {line.split()[9] for line in lines if line.split()[2].endswith(f":{port:04X}")}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    (found,) = [pid for pid in workers if wanted & _open_files(pid)]
    return found


Start = Callable[..., Gateway]


@pytest.fixture
def start(gateway: Gateways) -> Iterator[Start]:
    """Starts gateways of two workers, which are killed at the end of the test."""
    workers: list[int] = []

    def start(server: str, **options: bool) -> Gateway:
        started = gateway(server, options=("--workers", "2"), **options)
        workers.extend(children(started.pid))
        return started

    yield start
    for pid in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(params=["daphne", "uvicorn"])
def gateway_of_two(start: Start, request: pytest.FixtureRequest) -> Gateway:
    return start(request.param, postgres=True, redis=True)


@pytest.fixture
def acme(gateway_of_two: Gateway) -> Company:
    acme = company("Acme")
    settle(gateway_of_two, acme)
    return acme


def call(call_id: str) -> Frame:
    return {"event_type": "call.status", "data": {"id": call_id}}


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def conversations_with_both(
    gateway: Gateway, acme: Company, workers: list[int], stack: contextlib.ExitStack
) -> dict[int, Conversation]:
    """Return a conversation with each worker."""
    found: dict[int, Conversation] = {}

    def connect() -> bool:
        conversation = stack.enter_context(Conversation(gateway, acme.token("manager")))
        found[holder(conversation, workers)] = conversation
        return len(found) == len(workers)

    wait_until(connect, "a conversation with either worker")
    return found


def test_both_serve_a_crashed_one_is_replaced_and_all_end_in_order(
    gateway_of_two: Gateway, acme: Company, stack: contextlib.ExitStack
) -> None:
    workers = children(gateway_of_two.pid)
    assert len(workers) == 2
    assert gateway_of_two.log_text().count("Listening on") == 1
    both = conversations_with_both(gateway_of_two, acme, workers, stack)
    for conversation in both.values():
        conversation.subscribe(f"customer_id:{acme.id}:call:*")
    publish(gateway_of_two, acme.key("that publishes"), call("first"))
    assert [each.receive()["data"]["id"] for each in both.values()] == ["first", "first"]

    dead, alive = workers
    os.kill(dead, signal.SIGKILL)
    with pytest.raises((Closed, OSError)):
        both[dead].receive()
    wait_until(
        lambda: len(children(gateway_of_two.pid)) == 2 and dead not in children(gateway_of_two.pid),
        "another worker in its place",
    )
    wait_until(lambda: "ended by SIGKILL; another is started" in gateway_of_two.log_text(), "the word of it")
    publish(gateway_of_two, acme.key("that publishes"), call("second"))
    assert both[alive].receive()["data"]["id"] == "second"

    with ThreadPoolExecutor() as threads:
        ending = threads.submit(gateway_of_two.terminate)
        frames, code = both[alive].until_closed()
    assert (frames[-1]["code"], code) == ("RESTARTING", 4012)
    assert ending.result() == 0
    assert "Traceback" not in gateway_of_two.log_text()


def test_workers_end_with_their_parent_however_it_ends_and_before_anyone_came(start: Start) -> None:
    started = start("daphne", redis=True)
    workers = children(started.pid)
    os.kill(started.pid, signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the workers to end")
    with pytest.raises(httpx.ConnectError):
        httpx.get(started.url)


def test_workers_that_cannot_serve_end_the_command_with_a_reason() -> None:
    environment = gateway_environment("sqlite:////nowhere", DJANGO_SETTINGS_MODULE="voipbin_ws.settings")
    done = subprocess.run(
        [sys.executable, "-c", NEVER_SERVES], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.stdout == "A worker ended with exit code 3 before it served; the lines above say why\n"


@pytest.mark.parametrize("workers", ["0", "many", "1000"])
def test_a_number_of_workers_that_cannot_be_is_refused(workers: str) -> None:
    with pytest.raises(CommandError, match="from 1 to 256"):
        call_command("serve", "--port", str(free_port()), "--workers", workers)
