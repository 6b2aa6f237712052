"""The quick starts, in empty folders with the built packages: through a restart, and where upgrades are dropped."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.programs import CURL, GO, NGINX, NODE, PHP, TYPESCRIPT
from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.npm_package import install_client
from tests.support.ports import free_port
from tests.support.processes import ROOT, ServerProcess
from tests.support.python_package import build_package, install_package
from tests.support.requirement import require
from tests.support.waiting import wait_until

QUICK_STARTS = ROOT / "examples" / "quickstart"

# An nginx as many stand in front of applications: it buffers responses and drops upgrades.
WITHOUT_UPGRADES = """
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_set_header Host $http_host; }}
    }}
}}
"""

Command = Callable[[Path], list[str]]


class Running:
    """A quick start that runs, and the ids of the calls that it has printed."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.ids: list[str] = []
        self._errors = (folder / "errors.txt").open("w")
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "call.created" in line:
                [call_id] = re.findall(
                    r"[0-9a-f]{8}-[0-9a-f-]{27}(?=['\"]?[,}])", line.partition("data")[2] or line
                )[:1]
                self.ids.append(call_id)

    def end(self) -> None:
        os.killpg(self._process.pid, 9)
        self._process.communicate()
        self._errors.close()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = build_package(tmp_path_factory.mktemp("built"))
    return install_package(built, tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("node")
    install_client(folder)
    return folder


@pytest.fixture(scope="module")
def go_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quick start in Go, built as its readers build it, with what Go brings compiled."""
    folder = tmp_path_factory.mktemp("go")
    shutil.copy(QUICK_STARTS / "receive.go", folder)
    environment = {**os.environ, "GOCACHE": str(folder / "cache")}
    command = [str(require(GO)), "build", "-o", str(folder / "receive"), "receive.go"]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return folder / "receive"


@pytest.fixture(params=["py", "mjs", "ts", "sh", "php", "go"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, list[str], Path]:
    """The language, the command, and the folder of a quick start."""
    language = request.param
    file = f"receive.{language}"
    folder = request.getfixturevalue("node_folder") if language in ("mjs", "ts") else tmp_path
    shutil.copy(QUICK_STARTS / file, folder)
    match language:
        case "py":
            command = [str(request.getfixturevalue("python")), "-I", file]
        case "mjs" | "ts":
            command = [str(require(NODE)), file]
        case "sh":
            require(CURL)
            command = ["sh", file]
        case "php":
            command = [str(require(PHP)), file]
        case "go":
            command = [str(request.getfixturevalue("go_program"))]
    return language, command, folder


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways) -> Gateway:
    return gateway_of_file("daphne")


@pytest.fixture(scope="module")
def acme(gateway: Gateway) -> Company:
    acme = company("Acme")
    settle(gateway, acme)
    return acme


@pytest.fixture(scope="module")
def without_upgrades(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an nginx that drops upgrades."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        WITHOUT_UPGRADES.format(folder=folder, user=user, port=port, behind=gateway.port)
    )
    command = [str(require(NGINX)), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    nginx = ServerProcess(command, folder / "nginx.log")
    yield port
    nginx.kill()


def call_events(count: int) -> list[dict[str, object]]:
    return [{"event_type": "call.created", "data": {"id": new_id()}} for _ in range(count)]


def publish_calls(gateway: Gateway, acme: Company, count: int) -> list[str]:
    events = call_events(count)
    publish(gateway, acme.key("that publishes"), *events)
    return [json.loads(json.dumps(event))["data"]["id"] for event in events]


def check(gateway: Gateway, acme: Company, port: int, command: list[str], folder: Path) -> None:
    """Run a quick start through a restart of the gateway: it prints every call once, in order."""
    environment = {
        "VOIPBIN_WS_URL": f"ws://127.0.0.1:{port}/v1.0/ws",
        "VOIPBIN_API_URL": f"http://127.0.0.1:{port}",
        "VOIPBIN_TOKEN": acme.token("manager"),
        "VOIPBIN_CUSTOMER_ID": acme.id,
    }
    running = Running(command, folder, environment)
    try:
        wait_until(
            lambda: publish_calls(gateway, acme, 1) and running.ids, "the program to receive", timeout=60
        )
        first = publish_calls(gateway, acme, 5)
        wait_until(lambda: first[-1] in running.ids, "the events before the restart")
        gateway.terminate()
        gateway.restart()
        second = publish_calls(gateway, acme, 5)
        wait_until(lambda: second[-1] in running.ids, "the events after the restart", timeout=60)
        wanted = [*first, *second]
        assert [each for each in running.ids if each in set(wanted)] == wanted
        assert len(running.ids) == len(set(running.ids))
    finally:
        running.end()


def test_a_quick_start_misses_nothing_through_a_restart(
    gateway: Gateway, acme: Company, program: tuple[str, list[str], Path]
) -> None:
    _, command, folder = program
    check(gateway, acme, gateway.port, command, folder)


def test_it_receives_through_an_nginx_that_drops_upgrades(
    gateway: Gateway, acme: Company, without_upgrades: int, program: tuple[str, list[str], Path]
) -> None:
    _, command, folder = program
    check(gateway, acme, without_upgrades, command, folder)


def test_the_typescript_quick_start_is_strictly_typed(node_folder: Path) -> None:
    shutil.copy(QUICK_STARTS / "receive.ts", node_folder)
    (node_folder / "node_modules" / "@types").mkdir(exist_ok=True)
    shutil.copytree(
        ROOT / "node_modules" / "@types" / "node",
        node_folder / "node_modules" / "@types" / "node",
        dirs_exist_ok=True,
    )
    shutil.copytree(
        ROOT / "node_modules" / "undici-types",
        node_folder / "node_modules" / "undici-types",
        dirs_exist_ok=True,
    )
    options = [
        "--strict",
        "--noEmit",
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--ignoreConfig",
        "--types",
        "node",
    ]
    done = subprocess.run(
        [str(require(NODE)), str(require(TYPESCRIPT)), *options, "receive.ts"],
        cwd=node_folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0, done.stdout
