"""`make run`, as a newcomer runs it: in a folder of its own, from nothing to calls that move, and to an end."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websocket

from tests.journeys.support.make_run import Run, clean, make_run, unpack
from tests.support.databases import MigratedSqlite
from tests.support.gateway import gateway_environment, manage
from tests.support.ports import free_port
from tests.support.waiting import wait_until
from voipbin_ws.demo.simulation.model.tenants import ACME, TENANTS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as someone would unpack it."""
    return unpack(tmp_path_factory.mktemp("unpacked") / "voipbin-ws")


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> Iterator[Any]:
    """Starts `make run`, and waits until it is ready; what still runs after the test is killed."""
    runs: list[Run] = []

    def start(**environment: str) -> Run:
        runs.append(Run(folder, tmp_path / f"make-run-{len(runs)}.log", **environment))
        runs[-1].wait_ready()
        return runs[-1]

    yield start
    for each in runs:
        each.process.kill()
    wait_until(lambda: not any(each.pids() for each in runs), "what make run had started to end with it")


class Subscriber:
    """A program on the plain websocket-client library."""

    def __init__(self, url: str, token: str, *topics: str) -> None:
        self.socket = websocket.create_connection(f"{url}?token={token}", timeout=60)
        self.socket.send(json.dumps({"type": "subscribe", "topics": topics}))
        assert self.receive()["type"] == "ack"

    def receive(self) -> dict[str, Any]:
        return json.loads(self.socket.recv())

    def receive_until(self, wanted: set[str]) -> list[dict[str, Any]]:
        received = []
        while wanted - {event["event_type"] for event in received}:
            received.append(self.receive())
        return received


def test_from_an_unpacked_folder_to_calls_that_move_and_to_an_end_by_ctrl_c(run: Any, folder: Path) -> None:
    running = run()
    assert (folder / "var").stat().st_mode & 0o077 == 0
    exported = running.exported()
    assert exported["VOIPBIN_WS_URL"] == f"ws://127.0.0.1:{running.port}/v1.0/ws"
    assert exported["VOIPBIN_API_URL"] == f"http://127.0.0.1:{running.port}"
    assert exported["VOIPBIN_CUSTOMER_ID"] == ACME.id

    acme = Subscriber(exported["VOIPBIN_WS_URL"], exported["VOIPBIN_TOKEN"], f"customer_id:{ACME.id}:*:*")
    key = exported["VOIPBIN_PUBLISH_KEY"]
    event = {"event_type": "call.created", "data": {"id": "of-a-newcomer", "status": "ringing"}}
    published = httpx.post(
        exported["VOIPBIN_API_URL"] + "/v1.0/events", json=event, headers={"Authorization": f"Bearer {key}"}
    )
    assert published.status_code == 201
    received = acme.receive_until({"call.created", "call.status", "activeflow.updated"})
    assert {event["topic"].split(":")[1] for event in received} == {ACME.id}
    assert "of-a-newcomer" in {
        event["data"]["id"] for event in received if event["event_type"] == "call.created"
    }

    for person in (person for tenant in TENANTS for person in tenant.people):
        assert person.username in running.said()
    tokens = {}
    for username in ("globex-admin", "operator"):
        login = {"username": username, "password": "demo"}
        answer = httpx.post(exported["VOIPBIN_API_URL"] + "/auth/login", json=login)
        assert answer.status_code == 200, username
        tokens[username] = answer.json()["token"]
    globex = "/v1.0/resources/call"
    wait_until(lambda: running.get(globex, tokens["globex-admin"])["items"], "a call of Globex")
    # Someone has asked for the opening hours by now, and a program has answered.
    sent = "/v1.0/events?type=message.sent"
    wait_until(
        lambda: any(
            item["data"]["automatic"] and "We are open" in item["data"]["text"]
            for item in running.get(sent, exported["VOIPBIN_TOKEN"])["items"]
        ),
        "an answer by the auto-responder",
    )

    running.process.send(signal.SIGINT)
    assert running.wait_gone() in (0, 130, -signal.SIGINT)
    assert "Traceback" not in running.said()
    # Its own calls, the newcomer's aside, have been ended before the gateway was.
    ended = run(SIMULATE="0")
    assert ended.live_calls(exported["VOIPBIN_TOKEN"]) == {"of-a-newcomer"}


def test_a_second_run_keeps_the_data_and_the_key_and_ends_what_a_killed_one_left(run: Any) -> None:
    first = run()
    exported = first.exported()
    token = exported["VOIPBIN_TOKEN"]
    left = wait_until(lambda: first.live_calls(token) - {"of-a-newcomer"}, "a call that lives")
    for pid in (*first.pids("simulate"), *first.pids("serve")):
        os.kill(pid, signal.SIGKILL)
    assert first.wait_gone() != 0
    assert "ended by itself" in first.said()
    assert "Traceback" not in first.said()

    second = run(SIMULATE="0")
    assert second.exported()["VOIPBIN_PUBLISH_KEY"] == exported["VOIPBIN_PUBLISH_KEY"]
    # Nothing simulates: what is there is of before, and no one is on the telephone any more.
    assert not second.pids("simulate")
    kept = {item["resource_id"] for item in second.get("/v1.0/resources/call?limit=1000", token)["items"]}
    assert left <= kept
    assert second.live_calls(token) <= {"of-a-newcomer"}
    secrets = second.folder / "var" / "demo.json"
    assert secrets.stat().st_mode & 0o077 == 0
    assert exported["VOIPBIN_PUBLISH_KEY"] in secrets.read_text()

    (demo,) = second.pids("demo")
    os.kill(demo, signal.SIGTERM)
    assert second.wait_gone() == 0
    assert "Traceback" not in second.said()


def test_a_port_in_use_is_reported_in_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = make_run(folder, PORT=str(port))
    assert code != 0
    assert len(said) == 1
    assert f"port {port}" in said[0]


@pytest.mark.parametrize(("name", "value"), [("PORT", "eighty"), ("PORT", "70000"), ("SIMULATE", "perhaps")])
def test_a_setting_that_is_none_is_reported_in_one_line(folder: Path, name: str, value: str) -> None:
    code, said = make_run(folder, **{"PORT": str(free_port())} | {name: value})
    assert code != 0
    assert len(said) == 1
    assert name in said[0]
    assert value in said[0]


def test_a_database_with_someone_elses_customers_is_left_alone(
    folder: Path, migrated_sqlite: MigratedSqlite
) -> None:
    database = clean({}) | {"DATABASE_URL": migrated_sqlite.create_database(), "SECRET_KEY": "the tests'"}
    create = "from subscriptions.models import Customer; Customer.objects.create(name='Somebody real')"
    manage(database, "shell", "-c", create)
    code, said = make_run(folder, PORT=str(free_port()), DATABASE_URL=database["DATABASE_URL"])
    assert code != 0
    assert len(said) == 1
    assert "Somebody real" in said[0]
    count = "from subscriptions.models import Customer; print(Customer.objects.count())"
    assert manage(database, "shell", "-v0", "-c", count).strip() == "1"


def test_a_second_one_in_the_folder_says_so_in_one_line(run: Any, folder: Path, tmp_path: Path) -> None:
    run(SIMULATE="0")
    second = Run(folder, tmp_path / "second.log", SIMULATE="0")
    assert second.process.wait(60) != 0
    [said] = [line for line in second.said().splitlines() if line.startswith("CommandError")]
    assert f"Another make run uses {folder}" in said
    assert stat.S_IMODE((folder / "var" / "db.sqlite3").stat().st_mode) & stat.S_IRWXO == 0


def test_a_checkout_without_a_writable_var_works_with_another_database(tmp_path: Path) -> None:
    folder = unpack(tmp_path / "read-only")
    # A file in its place cannot become a folder, even for root.
    (folder / "var").write_text("")
    environment = gateway_environment("postgresql://user@127.0.0.1/voipbin_ws")
    done = subprocess.run(
        [folder / ".venv" / "bin" / "python", "manage.py", "check", "--fail-level", "WARNING"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
