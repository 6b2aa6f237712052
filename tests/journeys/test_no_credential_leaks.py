"""Credentials sent in every possible way, and looked for in all that is given out: logs, answers, frames, metrics
and the database."""

# Long because every way to send a credential stands in one list, so that a missing one is easy to find.

from __future__ import annotations

import base64
import json
import re
import secrets
import socket
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import websocket

from tests.journeys.support.cast import Company, Key, Person, company, settle, token_of
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.ports import on_free_port
from tests.support.waiting import wait_until

PATIENCE_SECONDS = 30


@dataclass
class Markers:
    """Credentials, good and bad, each by what must be seen of it nowhere."""

    good_key: str
    good_token: str
    password: str
    wrong_key: str = field(default_factory=lambda: f"vb_{secrets.token_hex(16)}")
    wrong_password: str = field(default_factory=lambda: f"wrong-{secrets.token_hex(12)}")
    metrics_token: str = field(default_factory=lambda: f"metrics{secrets.token_hex(12)}")

    @property
    def wrong_token(self) -> str:
        return token_of(secrets.token_hex(8), key="x" * 32)

    def credentials(self) -> list[str]:
        return [self.good_key, self.good_token, self.wrong_key, self.wrong_token]

    def secrets(self, *used: str) -> set[str]:
        """The part of each that makes it a credential: a key's beginning may be shown, and a token's claims."""
        texts = {self.good_key, self.good_token, self.password, self.wrong_key, self.wrong_password, *used}
        return {text[11:] if text.startswith("vb_") else text.rpartition(".")[2] for text in texts}


class Everything:
    """Whatever the gateway gave out."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.texts: list[tuple[str, str]] = []
        self._client = httpx.Client(base_url=gateway.url, timeout=PATIENCE_SECONDS)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        self._client.cookies.clear()
        answer = self._client.request(method, path, **options)
        # A redirect repeats the address of the request.
        headers = "\n".join(
            f"{name}: {value}" for name, value in answer.headers.items() if name != "location"
        )
        self.texts.append((f"{method} {path[:12]}", f"{headers}\n{answer.text}"))
        return answer

    def log_in(self, username: str, password: str) -> None:
        """The one answer that has a credential, which is for the client that requested it."""
        answer = self._client.post("/auth/login", json={"username": username, "password": password})
        assert answer.status_code in (200, 401)

    def log_in_to_the_admin(self, username: str, password: str, *, is_echoed: bool = False) -> None:
        """With the token of the form, as a browser does; `is_echoed` says that the page repeats the user name."""
        form = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self._client.get("/admin/login/").text)
        assert form is not None
        fields = {"username": username, "password": password, "csrfmiddlewaretoken": form[1]}
        answer = self._client.post("/admin/login/", data=fields)
        if not is_echoed:
            self.texts.append(("the admin's login page", answer.text))

    def raw(self, request: str) -> None:
        """Bytes that no library would send."""
        with socket.create_connection(("127.0.0.1", self.gateway.port), timeout=PATIENCE_SECONDS) as peer:
            peer.sendall(request.encode())
            peer.shutdown(socket.SHUT_WR)
            answer = b""
            with suppress(OSError):
                while received := peer.recv(65536):
                    answer += received
        self.texts.append((f"raw {request[:12]!r}", answer.decode(errors="replace")))

    def converse(
        self, query: str, *frames: str | bytes, header: list[str] | None = None, is_echoed: bool = False
    ) -> None:
        """A WebSocket with these frames, until the gateway has answered the ping at their end or closed.

        `is_echoed` says that the answer has to repeat what was sent.
        """
        url = f"{self.gateway.ws_url}{query}"
        try:
            peer = websocket.create_connection(url, timeout=PATIENCE_SECONDS, header=header or [])
        except websocket.WebSocketBadStatusException as refusal:
            self.texts.append(
                ("a refused handshake", f"{refusal} {refusal.resp_headers} {refusal.resp_body!r}")
            )
            return
        with suppress(websocket.WebSocketConnectionClosedException, OSError):
            for frame in frames:
                peer.send(
                    frame,
                    websocket.ABNF.OPCODE_BINARY if isinstance(frame, bytes) else websocket.ABNF.OPCODE_TEXT,
                )
            peer.send('{"type": "ping", "request_id": "last"}')
            while '"last"' not in (received := str(peer.recv())):
                if not is_echoed:
                    self.texts.append(("a frame", received))
                if not received:
                    break
        peer.close(timeout=1)

    def stored(self) -> str:
        """All of the database."""
        path = self.gateway.database_url.removeprefix("sqlite:///")
        with sqlite3.connect(path) as database:
            tables = [
                name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            return "\n".join(
                f"{table}: {row}"
                for table in tables
                for row in database.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            )


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def reported(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> tuple[Markers, Everything]:
    """A gateway that was sent all of them, and all that it gave out."""
    acme = company(f"Acme of {request.param}")
    acme.people.append(
        Person(f"teller of {request.param}", role="manager", password=f"pass-{secrets.token_hex(12)}")
    )
    acme.keys.append(Key("of everything", may_publish=True))
    markers = Markers("", "", acme.people[-1].password)
    port, gateway = on_free_port(
        lambda port: gateway_of_file(
            request.param,
            LOG_LEVEL="DEBUG",
            LOG_FORMAT="json",
            METRICS_TOKEN=markers.metrics_token,
            METRICS_PORT=str(port),
        )
    )
    settle(gateway, acme)
    markers.good_key, markers.good_token = acme.key("of everything"), acme.people[-1].token
    everything = Everything(gateway)
    _send(markers, everything, acme)
    wait_until(lambda: everything.stored().count("client-left") >= 2, "the audit log to be written")
    metrics = {"Authorization": f"Bearer {markers.metrics_token}"}
    everything.texts += [
        ("the log", gateway.log_text()),
        ("the database", everything.stored()),
        ("the metrics", httpx.get(f"{gateway.url}/metrics", headers=metrics).text),
        ("the port of the metrics", httpx.get(f"http://127.0.0.1:{port}/metrics").text),
    ]
    return markers, everything


def _send(markers: Markers, everything: Everything, acme: Company) -> None:
    ask, raw, converse = everything.ask, everything.raw, everything.converse
    username = acme.people[-1].name
    topic = f"customer_id:{acme.id}:call:*"
    for credential in markers.credentials():
        bearer = {"Authorization": f"Bearer {credential}"}
        # WebSockets.
        subscribe = json.dumps({"type": "subscribe", "topics": [topic]})
        authenticate = json.dumps({"type": "authenticate", "token": credential, "request_id": 1})
        converse(f"?token={credential}", subscribe, authenticate)
        converse(f"?accesskey={credential}&batch=true")
        converse("", header=[f"Authorization: Bearer {credential}"])
        converse(f"?token={credential}&accesskey={credential}")
        # In texts that the audit log and the list of connections repeat.
        in_topic = {"type": "subscribe", "topics": [f"customer_id:{acme.id}:call:{credential}", credential]}
        converse(
            f"?token={markers.good_key}",
            json.dumps(in_topic),
            header=[f"User-Agent: ua {credential}"],
            is_echoed=True,
        )
        converse("", header=[f"User-Agent: ua {credential}"])
        converse(f"?token={credential}", header=["Origin: https://evil.example.com"])
        converse(f"?token={credential}&x={'y' * 9000}")
        for path, rest in (
            ("/v1.0/ws", ""),
            ("/v1.0/ws", "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 99\r\n"),
            ("/nowhere", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"),
        ):
            upgrade = f"Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{rest}\r\n"
            raw(f"GET {path}?token={credential} HTTP/1.1\r\n{upgrade}")
        # HTTP that is none.
        raw(f"GET /v1.0/me?token={credential}\r\n\r\n")
        raw(f"{credential} / HTTP/1.1\r\n\r\n")
        raw(f"GET / HTTP/1.1\r\nHost: {credential}\r\n\r\n")
        raw(f"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n{credential}")
        raw(f"GET /v1.0/me HTTP/1.1\r\nHost: localhost\r\nAuthorization Bearer {credential}\r\n\r\n")
        # REST.
        for path in (
            "/v1.0/me",
            "/v1.0/ws",
            "/v1.0/calls",
            "/nothing-here",
            "/admin/",
            "/",
            "/metrics",
            "/healthz",
        ):
            ask("GET", f"{path}?token={credential}")
            ask(
                "GET",
                path,
                headers={**bearer, "X-Request-ID": credential, "Referer": f"http://x/?token={credential}"},
            )
        ask("GET", f"/v1.0/me?accesskey={credential}")
        ask("GET", f"/v1.0/me?token={credential}", headers={"Host": "evil.example.com"})
        ask("GET", "/v1.0/me", headers={"Authorization": f"Token {credential}"})
        ask("GET", "/v1.0/me", auth=("user", credential))
        ask("GET", "/v1.0/me", headers={"Cookie": f"sessionid={credential}; csrftoken={credential}"})
        ask("DELETE", f"/v1.0/events?token={credential}")
        ask("POST", f"/v1.0/events?token={credential}", content=f'{{"token": "{credential}"')
        ask(
            "POST",
            "/v1.0/events",
            headers=bearer,
            json={"event_type": "call.created", "data": {}, "token": credential},
        )
        ask(
            "POST",
            "/v1.0/webhooks/voipbin",
            headers={**bearer, "X-VoIPBIN-Signature": credential},
            content="{",
        )
    # Frames that no one can act on.
    key = markers.good_key
    for frame in (
        f'{{"type": "authenticate", "token": "{key}"',
        f'{{"type": "authenticate", "token": ["{key}"]}}',
        f'{{"type": "authenticate", "accesskey": "{key}"}}',
        f'["{key}"]',
        key,
        json.dumps({"type": "authenticate", "token": key + "x" * 70_000}),
        key.encode() + b"\xff",
    ):
        converse(f"?token={key}", frame)
    # Logging in.
    for password in (markers.password, markers.wrong_password):
        answer = httpx.post(
            f"{everything.gateway.url}/auth/login", json={"username": username, "password": password}
        )
        assert answer.status_code in (200, 401)
        ask("POST", "/auth/login", json={"username": password, "password": "x"})
        ask("POST", "/auth/login", content=f'{{"username": "{username}", "password": "{password}"')
        ask("POST", "/auth/login", json={"username": username, "password": [password]})
        ask("POST", "/auth/login", json={"username": username, "password": password + "x" * 5000})
        ask("POST", f"/auth/login?password={password}", data={"username": username, "password": password})
        ask("GET", f"/auth/login?password={password}")
        ask("POST", "/admin/login/", data={"username": username, "password": password})
        everything.log_in_to_the_admin(username, password)
    # In the field of the name, which the records of failed logins repeat.
    for credential in (markers.good_key, markers.good_token):
        ask("POST", "/auth/login", json={"username": credential, "password": "x"})
    everything.log_in_to_the_admin(markers.good_key, "x", is_echoed=True)
    everything.ask("GET", "/metrics", headers={"Authorization": f"Bearer {markers.wrong_password}"})


def test_no_credential_is_in_anything_that_the_gateway_gives_out(
    reported: tuple[Markers, Everything],
) -> None:
    markers, everything = reported
    found = {
        (where, secret)
        for where, text in everything.texts
        for secret in markers.secrets()
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("="))
        if form in text
    }
    assert found == set()


def test_it_was_looked_for_where_there_was_something(reported: tuple[Markers, Everything]) -> None:
    """A search of empty logs finds nothing either."""
    markers, everything = reported
    log = everything.gateway.log_text()
    texts = dict(everything.texts)
    for expected in (
        "connection opened",
        "connection closed",
        "connection refused",
        "request",
        "unknown-key",
    ):
        assert expected in log, expected
    assert markers.good_key[:11] in texts["the database"]
    assert "user vb_… (unknown, #" in texts["the database"]
    assert 'rule="unknown-key"' in texts["the metrics"]
    assert "voipbin_ws_connections" in texts["the port of the metrics"]
    assert any("PERMISSION_DENIED" in text or "UNAUTHORIZED" in text for _, text in everything.texts)
    frames = [text for where, text in everything.texts if where == "a frame"]
    assert any('"action": "authenticate"' in text for text in frames)
    assert "Traceback" not in log
    refusals = [text for where, text in everything.texts if where == "a refused handshake"]
    assert len(refusals) >= 12


def test_a_connections_lines_say_what_an_operator_asks(reported: tuple[Markers, Everything]) -> None:
    everything = reported[1]
    lines = [json.loads(line) for line in everything.gateway.log_text().splitlines() if line.startswith("{")]
    closed = [line for line in lines if line["message"] == "connection closed" and line["topics"]]
    assert closed
    opened = {line["connection_id"]: line for line in lines if line["message"] == "connection opened"}
    for line in closed:
        began = opened[line["connection_id"]]
        assert {began[name] for name in ("customer", "credential", "address")} == {
            line[name] for name in ("customer", "credential", "address")
        }
        assert (line["reason"], line["topics"], line["sent"]) == ("client-left", 1, 0)
        assert line["seconds"] >= 0
        assert line["code"] in (1000, 1005, 1006)
    assert len({line["connection_id"] for line in lines if line["message"] == "connection refused"}) > 5
    everything.gateway.terminate()
    assert everything.gateway.log_text()
