"""The conformance suite on the packed JavaScript client in Node, with Node's own WebSocket and with `ws`."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.programs import NODE, WSCAT
from tests.browser.support.client_runner import CASES, play
from tests.browser.support.scripted_page import SCRIPTS, ThreadedServer, scripted_server
from tests.support.npm_package import install_client
from tests.support.processes import ROOT
from tests.support.requirement import require

DRIVER = Path(__file__).with_name("node_driver.mjs")


class Node:
    """A Node process that evaluates functions as a page does."""

    def __init__(self, folder: Path, websocket: str) -> None:
        install_client(folder)
        shutil.copy(DRIVER, folder)
        shutil.copy(SCRIPTS["/harness.js"], folder / "harness.js")
        (folder / "event-client.js").write_text('export * from "voipbin-ws-client";')
        self._websocket = websocket
        # Node's own WebSocket repeats the handshake after a 401, as if it could add credentials.
        self.repeats_handshake_after = 401 if websocket == "node" else None
        options = []
        if websocket == "ws":
            require(WSCAT)  # npm brings ws with it.
            (folder / "node_modules" / "ws").symlink_to(ROOT / "examples" / "node_modules" / "ws")
            options.append("--no-experimental-websocket")
        self._process = subprocess.Popen(
            [str(require(NODE)), *options, DRIVER.name],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def open(self) -> None:
        """Load a fresh harness."""
        self._send("open", WebSocket=self._websocket)

    def evaluate(self, expression: str, arg: Any = None) -> Any:
        return self._send("evaluate", expression=expression, arg=arg)

    def wait_for_function(self, expression: str, *, arg: Any = None) -> Any:
        return self._send("wait", expression=expression, arg=arg)

    def _send(self, command: str, **details: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **details}) + "\n")
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module", params=["node", "ws"])
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(tmp_path_factory.mktemp("node"), request.param)
    yield node
    node.end()


@pytest.fixture
def server() -> Iterator[ThreadedServer]:
    with scripted_server() as server:
        yield server


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(node: Node, server: ThreadedServer, case: Mapping[str, Any]) -> None:
    node.open()
    play(node, server, case, repeats_handshake_after=node.repeats_handshake_after)
