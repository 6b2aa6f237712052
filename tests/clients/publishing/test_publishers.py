"""The publishers of both clients, each in a program of its own, against scripted answers and a real gateway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy.programs import NODE
from tests.journeys.support.cast import company, new_id, settle
from tests.journeys.support.conversation import get
from tests.support.gateways import Gateways
from tests.support.processes import ROOT
from tests.support.requirement import require

DRIVERS = Path(__file__).parent
Events = list[dict[str, Any]]
Reply = tuple[int, Any, dict[str, str]]
"""A status, a body and headers."""


class Publishing:
    """One of the two clients; `run` publishes and returns the results of the calls, in order."""

    def __init__(self, language: str) -> None:
        self.is_python = language == "python"

    def start(self, url: str, calls: list[Events], **order: Any) -> subprocess.Popen[str]:
        command = (
            [sys.executable, str(DRIVERS / "driver.py")]
            if self.is_python
            else [str(require(NODE)), str(DRIVERS / "driver.mjs")]
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "clients" / "python" / "src")}
        program = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert program.stdin is not None
        order = {"url": url, "calls": calls, "tokens": ["t"], "max_waiting": 10_000, **order}
        program.stdin.write(json.dumps(order) + "\n")
        program.stdin.flush()
        return program

    def results(self, program: subprocess.Popen[str]) -> list[dict[str, Any]]:
        printed, _ = program.communicate(timeout=60)
        lines = [json.loads(line) for line in printed.splitlines()]
        assert lines[-1] == {"waiting": 0}, printed
        self.reasons = [line["reason"] for line in lines if "reason" in line]
        return sorted((line for line in lines if "call" in line), key=lambda line: int(line["call"]))

    def run(self, url: str, calls: list[Events], **order: Any) -> list[dict[str, Any]]:
        return self.results(self.start(url, calls, **order))


class Scripted:
    """A server that answers each request as `replies` say, and then stores everything."""

    def __init__(self) -> None:
        self.replies: list[Callable[[Events], Reply]] = []
        self.bodies: list[Events] = []
        self.tokens: list[str | None] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                script.bodies.append(events)
                script.tokens.append(self.headers["Authorization"])
                reply = script.replies.pop(0) if script.replies else stored
                status, content, headers = reply(events)
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def stored(events: Events) -> Reply:
    receipts = [
        {"id": event["data"]["id"], "cursor": "e.1", "topics": ["t"], "replayed": False} for event in events
    ]
    return 201, receipts, {}


def refused(status: int, *indexes: int, code: str = "CODE", **headers: str) -> Callable[[Events], Reply]:
    errors = [{"index": index, "field": "data", "message": "wrong"} for index in indexes]
    body = {"code": code, "message": "refused", **({"errors": errors} if errors else {})}
    return lambda events: (status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def a_proxy(events: Events) -> Reply:
    return 400, b"<p>Sign in</p>", {"Content-Type": "text/html"}


@pytest.fixture
def server() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.end()


@pytest.fixture(params=["python", "javascript"])
def publishing(request: pytest.FixtureRequest) -> Publishing:
    return Publishing(request.param)


def event(name: str) -> dict[str, Any]:
    return {"event_type": "call.created", "data": {"id": name}}


def ids(events: Events) -> list[str]:
    return [each["data"]["id"] for each in events]


def test_calls_share_a_request_and_each_receives_its_receipts(
    publishing: Publishing, server: Scripted
) -> None:
    results = publishing.run(server.url, [[event("a"), event("b")], [event("c")]])
    assert [each["ids"] for each in results] == [["a", "b"], ["c"]]
    assert [ids(body) for body in server.bodies] == [["a", "b", "c"]]
    assert server.tokens == ["Bearer t"]


@pytest.mark.parametrize(
    "reply",
    [
        refused(503, code="UNAVAILABLE"),
        refused(429, code="RATE_LIMITED", Retry_After="0"),
        refused(507, code="STORAGE_FULL"),
        refused(408, code="TOO_SLOW"),
        a_proxy,
    ],
    ids=["503", "429", "507", "408", "proxy"],
)
def test_a_temporary_refusal_is_repeated_with_the_same_keys(
    publishing: Publishing, server: Scripted, reply: Callable[[Events], Reply]
) -> None:
    server.replies = [reply, reply]
    named = {**event("b"), "idempotency_key": "mine"}
    results = publishing.run(server.url, [[event("a"), named]])
    assert [each["ids"] for each in results] == [["a", "b"]]
    assert len(server.bodies) == 3
    assert server.bodies[0] == server.bodies[1] == server.bodies[2]
    assert server.bodies[0][0]["idempotency_key"] != server.bodies[0][1]["idempotency_key"] == "mine"


def test_only_the_call_with_a_wrong_event_is_refused(publishing: Publishing, server: Scripted) -> None:
    server.replies = [refused(400, 2)]
    results = publishing.run(server.url, [[event("a")], [event("b"), event("bad")], [event("c")]])
    assert results[0]["ids"] == ["a"]
    assert results[1]["error"] == "PublishRefused"
    assert results[1]["errors"] == [{"index": 1, "field": "data", "message": "wrong"}]
    assert results[2]["ids"] == ["c"]
    assert [ids(body) for body in server.bodies] == [["a", "b", "bad", "c"], ["a", "c"]]


def test_a_refusal_of_a_whole_request_is_traced_to_the_call(publishing: Publishing, server: Scripted) -> None:
    def forbids_bad(events: Events) -> Reply:
        return refused(403)(events) if "bad" in ids(events) else stored(events)

    server.replies = [forbids_bad] * 9
    results = publishing.run(server.url, [[event("a")], [event("bad")], [event("c")], [event("d")]])
    assert [each.get("ids", each.get("status")) for each in results] == [["a"], 403, ["c"], ["d"]]


def test_a_full_queue_is_reported_at_once(publishing: Publishing, server: Scripted) -> None:
    calls = [[event("a"), event("b")], [event("c"), event("d")], [event("e")]]
    results = publishing.run(server.url, calls, max_waiting=3)
    assert [each.get("error") for each in results] == [None, "QueueFull", None]
    assert [ids(body) for body in server.bodies] == [["a", "b", "e"]]


def test_a_refused_credential_is_renewed_once(publishing: Publishing, server: Scripted) -> None:
    server.replies = [refused(401, code="UNAUTHORIZED")]
    [result] = publishing.run(server.url, [[event("a")]], tokens=["old", "new"])
    assert result["ids"] == ["a"]
    assert publishing.reasons == ["connect", "refused"]
    assert server.tokens == ["Bearer old", "Bearer new"]
    server.replies = [refused(401, code="UNAUTHORIZED")] * 2
    results = publishing.run(server.url, [[event("a")]], tokens=["old", "new"])
    assert [each["error"].upper() for each in results] == ["UNAUTHORIZED"]


def test_what_waited_while_the_gateway_was_away_is_stored_once_and_in_order(
    publishing: Publishing, gateway_of_file: Gateways
) -> None:
    gateway, acme = gateway_of_file(), company("Acme")
    settle(gateway, acme)
    calls = [[event(new_id()) for _ in range(5)] for _ in range(60)]
    gateway.kill()
    program = publishing.start(gateway.url, calls, tokens=[acme.key("that publishes")])
    gateway.restart()
    results = publishing.results(program)
    wanted = [each["data"]["id"] for call in calls for each in call]
    page = get(gateway, acme.token("manager"), "/v1.0/events?limit=1000").json()
    assert [each["data"]["id"] for each in page["items"]] == wanted
    assert len([each for result in results for each in result["ids"]]) == len(wanted)
