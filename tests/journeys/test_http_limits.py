"""Clients that hold HTTP connections at a process's own port, beside one that is served meanwhile."""

# Long because all attacks on one port share a gateway.

from __future__ import annotations

import json
import resource
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import PATIENCE_SECONDS, Conversation, get, publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until
from voipbin_ws.http.django_handler import THREADS

PATIENCE = 1.0
LARGE_FILE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
EXPORT = "/admin/subscriptions/auditrecord/export/"
MAX_HEAD = 32 * 2**10
MANY_RECORDS = """
import uuid
from django.contrib.auth.models import User
from subscriptions.models import AuditRecord
User.objects.create_superuser("boss", password="a password of the test")
AuditRecord.objects.bulk_create(
    AuditRecord(action="subscribe", verdict="granted", connection_id=uuid.uuid4(), changes="x" * 1000)
    for _ in range(10_000)
)
"""


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def impatient(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> Gateway:
    return gateway_of_file(request.param, HTTP_PATIENCE_SECONDS=str(PATIENCE), PUBLISH_MAX_BYTES="300000")


@pytest.fixture(scope="module")
def acme(impatient: Gateway) -> Company:
    acme = company("Acme")
    settle(impatient, acme)
    return acme


@contextmanager
def connections(
    gateway: Gateway, count: int, sent: bytes, *, receives: int = 0
) -> Iterator[list[socket.socket]]:
    """Open connections that send this, and read nothing; `receives` is the size of their buffers."""
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            each = stack.enter_context(socket.socket())
            if receives:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
            each.settimeout(30)
            each.connect(("127.0.0.1", gateway.port))
            with suppress(ConnectionError):
                each.sendall(sent)
            opened.append(each)
        yield opened


def head(method: str, path: str, *fields: str, gateway: Gateway) -> bytes:
    lines = (f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{gateway.port}", *fields, "", "")
    return "\r\n".join(lines).encode()


def rest_of(connection: socket.socket) -> bytes:
    """Read until the gateway ends the connection."""
    received = b""
    with suppress(ConnectionError):
        while part := connection.recv(2**16):
            received += part
    return received


def answer_to(gateway: Gateway, sent: bytes) -> bytes:
    """Send this on a new connection, and read until its end."""
    with connections(gateway, 1, sent) as (connection,):
        return rest_of(connection)


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def is_served(gateway: Gateway, acme: Company) -> None:
    """Be the second client: probes, REST, static files, publishing and a WebSocket."""
    assert httpx.get(f"{gateway.url}/healthz", timeout=PATIENCE_SECONDS).status_code == 200
    # A busy machine may take longer than the two seconds that a ready database has.
    assert httpx.get(f"{gateway.url}/readyz", timeout=PATIENCE_SECONDS).status_code in (200, 503)
    assert (
        httpx.get(f"{gateway.url}/static/voipbin_ws/shared/icon.svg", timeout=PATIENCE_SECONDS).status_code
        == 200
    )
    assert get(gateway, acme.token("manager"), "/v1.0/me").status_code == 200
    with Conversation(gateway, acme.token("manager")) as client:
        client.subscribe(f"customer_id:{acme.id}")
        event = {"event_type": "call.status", "data": {"id": new_id()}}
        (receipt,) = publish(gateway, acme.key("that publishes"), event)
        assert client.until(receipt["cursor"])


def cuts(gateway: Gateway) -> dict[str, float]:
    """Return how many connections were cut, by what they waited for."""
    name = "voipbin_ws_http_connections_cut_total"
    lines = httpx.get(f"{gateway.url}/metrics").text.splitlines()
    return {line.split('"')[1]: float(line.split()[-1]) for line in lines if line.startswith(f"{name}{{")}


def memory(gateway: Gateway) -> int:
    """Return the resident memory of the process in bytes."""
    return int(Path(f"/proc/{gateway.pid}/statm").read_text().split()[1]) * resource.getpagesize()


# --- Responses that are not read ---


def test_clients_that_read_nothing_hold_no_thread_and_are_cut(impatient: Gateway, acme: Company) -> None:
    before = cuts(impatient).get("reader", 0)
    request = head("GET", LARGE_FILE, gateway=impatient) * 4
    with connections(impatient, 40, request, receives=4096) as opened:
        is_served(impatient, acme)
        wait_until(lambda: cuts(impatient).get("reader", 0) == before + len(opened), "the cuts")
        is_served(impatient, acme)
    assert "HTTP connections were cut, by what they waited for: reader " in impatient.log_text()


def test_a_client_that_reads_slowly_gets_all(impatient: Gateway) -> None:
    expected = httpx.get(impatient.url + LARGE_FILE, headers={"Accept-Encoding": "identity"}).content
    request = head("GET", LARGE_FILE, "Connection: close", gateway=impatient)
    began = time.monotonic()
    with connections(impatient, 1, request, receives=4096) as (connection,):
        received = b""
        while part := connection.recv(2**14):
            received += part
            if time.monotonic() - began < 3 * PATIENCE:
                time.sleep(0.05)
    assert received.endswith(b"\r\n\r\n" + expected)


def test_large_responses_that_are_not_read_take_little_memory(impatient: Gateway, acme: Company) -> None:
    for _ in range(16):
        event = {"event_type": "call.status", "data": {"id": new_id(), "x": "x" * 250_000}}
        publish(impatient, acme.key("that publishes"), event)
    path = "/v1.0/events?limit=16"
    response = get(impatient, acme.token("manager"), path).content
    request = head("GET", path, f"Authorization: Bearer {acme.token('manager')}", gateway=impatient)
    before, count = memory(impatient), cuts(impatient).get("reader", 0)
    with connections(impatient, 1, request * 16, receives=4096):
        wait_until(lambda: cuts(impatient).get("reader", 0) > count, "the cut")
        assert memory(impatient) - before < 8 * len(response)
    is_served(impatient, acme)


def test_an_export_that_is_not_read_takes_little_memory(impatient: Gateway, acme: Company) -> None:
    impatient.manage("shell", "--verbosity", "0", "--command", MANY_RECORDS)
    with httpx.Client(base_url=impatient.url, timeout=30) as browser:
        browser.get("/admin/login/")
        form = {"username": "boss", "password": "a password of the test", "next": "/admin/"}
        browser.post("/admin/login/", data={**form, "csrfmiddlewaretoken": browser.cookies["csrftoken"]})
        cookie = f"Cookie: sessionid={browser.cookies['sessionid']}"
        size = len(browser.get(EXPORT).content)
    assert size > 10_000_000
    before, count = memory(impatient), cuts(impatient).get("reader", 0)
    with connections(impatient, 20, head("GET", EXPORT, cookie, gateway=impatient), receives=4096) as opened:
        is_served(impatient, acme)
        wait_until(lambda: cuts(impatient).get("reader", 0) == count + len(opened), "the cuts")
        assert memory(impatient) - before < 12 * size


def test_probes_and_static_files_are_answered_while_all_threads_wait(
    impatient: Gateway, acme: Company
) -> None:
    key = f"Authorization: Bearer {acme.key('of the manager')}"
    file = impatient.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        # The first use of a key is stored, for which each of these waits.
        other.execute("BEGIN IMMEDIATE")
        with connections(impatient, THREADS + 8, head("GET", "/v1.0/me", key, gateway=impatient)):
            wait_until(lambda: _is_stuck(impatient, acme), "all threads to wait")
            for path in ("/healthz", "/metrics", "/static/voipbin_ws/shared/icon.svg"):
                assert httpx.get(impatient.url + path, timeout=10).status_code == 200
            # The database takes no writes.
            assert httpx.get(f"{impatient.url}/readyz", timeout=10).status_code in (200, 503)
            assert _is_stuck(impatient, acme)
            other.execute("ROLLBACK")
            is_served(impatient, acme)


def _is_stuck(gateway: Gateway, acme: Company) -> bool:
    headers = {"Authorization": f"Bearer {acme.token('manager')}"}
    try:
        httpx.get(f"{gateway.url}/v1.0/me", headers=headers, timeout=0.5)
    except httpx.ReadTimeout:
        return True
    return False


# --- Requests that do not arrive ---


HALF_SENT = (
    b"",
    b"GET /healthz HT",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-",
    b"GET /v1.0/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    b"\r\n",
)


def test_half_a_header_block_ends_after_the_deadline(impatient: Gateway, acme: Company) -> None:
    before = cuts(impatient).get("head", 0)
    with ExitStack() as stack:
        opened = [stack.enter_context(connections(impatient, 60, begun)) for begun in HALF_SENT]
        is_served(impatient, acme)
        for begun, each in zip(HALF_SENT, opened, strict=True):
            assert {status_of(rest_of(connection)) for connection in each} == {408 if begun else 0}
    assert cuts(impatient)["head"] == before + 240


def test_a_header_block_that_drips_ends_after_the_deadline(impatient: Gateway) -> None:
    with connections(impatient, 1, b"GET / HTTP/1.1\r\n") as (connection,):
        began = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - began < 20:
                connection.sendall(b"X: y\r\n")
                connection.settimeout(0.1)
                with suppress(TimeoutError):
                    assert status_of(connection.recv(2**16)) == 408
                    break
        assert time.monotonic() - began < 10


ENDLESS = {
    "lines": (b"GET / HTTP/1.1\r\n", b"X-More: and more\r\n" * 1000),
    "one line": (b"GET / HTTP/1.1\r\nX: ", b"x" * 16_000),
    "the address": (b"GET /", b"x" * 16_000),
    "empty lines": (b"", b"\r\n" * 8000),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_header_block_has_a_most_of_bytes(impatient: Gateway, kind: str) -> None:
    first, more = ENDLESS[kind]
    with connections(impatient, 1, first) as (connection,):
        sent = 0
        with suppress(OSError):
            while sent < 2**26:
                sent += connection.send(more)
        assert sent < 2**24, "the kernel's buffers have less"
        assert status_of(rest_of(connection)) in (431, 400)


def test_a_header_block_of_the_most_bytes_is_served(impatient: Gateway) -> None:
    field = "x" * (MAX_HEAD // 2 - 1000)
    for fields, status in (((field, field), 200), ((field, field, field), 431)):
        named = [f"X-{number}: {value}" for number, value in enumerate(fields)]
        answer = answer_to(impatient, head("GET", "/healthz", *named, "Connection: close", gateway=impatient))
        assert status_of(answer) == status
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "TOO_LARGE"


# --- Bodies ---


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/nothing", 404),
        ("POST", "/v1.0/nothing", 404),
        ("POST", "/", 413),
        ("POST", "/auth/login", 413),
        ("POST", "/admin/login/", 413),
        ("POST", "/healthz", 405),
        ("POST", LARGE_FILE, 405),
        ("GET", "/healthz", 200),
        ("GET", "/v1.0/me", 401),
        ("DELETE", "/v1.0/me", 401),
        ("POST", "/v1.0/events", 401),
        ("POST", "/v1.0/webhooks/voipbin", 401),
        ("POST", "/v1.0/events?token=vb_0123456789abcdefghijABCDEFGHIJ01", 401),
    ],
)
@pytest.mark.parametrize("length", ["Content-Length: 2000000000", "Transfer-Encoding: chunked"])
def test_a_body_that_no_one_wants_is_not_read(
    impatient: Gateway, method: str, path: str, status: int, length: str
) -> None:
    is_chunked = "chunked" in length
    part = b"x" * 2**16
    part = b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part
    with connections(impatient, 1, head(method, path, length, gateway=impatient)) as (connection,):
        if not is_chunked:
            # At once, before any of the body is sent.
            answer = connection.recv(2**16)
            assert status_of(answer) == status
        sent = 0
        connection.settimeout(10)
        with suppress(OSError):
            while sent < 2**28:
                sent += connection.send(part)
        assert sent < 2**26, "the kernel's buffers have less"
        if is_chunked:
            answer = rest_of(connection)
            assert status_of(answer) == status
    assert b"connection: close" in answer.lower()


def test_a_body_that_is_too_large_for_publishing_is_refused(impatient: Gateway, acme: Company) -> None:
    credential = f"Authorization: Bearer {acme.key('that publishes')}"
    for length in ("Content-Length: 300001", "Transfer-Encoding: chunked"):
        body = b"5000000\r\n" + b"[" * 400_000 if "chunked" in length else b""
        answer = answer_to(
            impatient, head("POST", "/v1.0/events", credential, length, gateway=impatient) + body
        )
        assert (status_of(answer), b"TOO_LARGE" in answer) == (413, True)
        assert b"300000 bytes" in answer


def test_a_large_body_in_chunks_is_published(impatient: Gateway, acme: Company) -> None:
    event = json.dumps({"event_type": "call.status", "data": {"id": new_id(), "x": "x" * 200_000}}).encode()
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part)
        for part in (event[start : start + 9999] for start in range(0, len(event), 9999))
    )
    fields = (f"Authorization: Bearer {acme.key('that publishes')}", "Transfer-Encoding: chunked")
    answer = answer_to(
        impatient,
        head("POST", "/v1.0/events", *fields, "Connection: close", gateway=impatient) + chunks + b"0\r\n\r\n",
    )
    assert status_of(answer) == 201


def test_a_body_that_does_not_come_ends_after_the_deadline(impatient: Gateway, acme: Company) -> None:
    key = f"Authorization: Bearer {acme.key('that publishes')}"
    before = cuts(impatient).get("body", 0)
    with ExitStack() as stack:
        opened = []
        for path in ("/v1.0/events", "/auth/login", "/admin/login/"):
            for length in ("Content-Length: 60000", "Transfer-Encoding: chunked"):
                begun = head("POST", path, key, length, gateway=impatient) + b"1\r\n"
                opened += stack.enter_context(connections(impatient, 20, begun))
        is_served(impatient, acme)
        for each in opened:
            answer = rest_of(each)
            assert (status_of(answer), b"TOO_SLOW" in answer) == (408, True)
    assert cuts(impatient)["body"] == before + 120


@pytest.mark.parametrize("more", [b"1;" + b"x" * 15_000, b"0\r\n" + b"X: y\r\n" * 3000])
def test_chunks_have_a_most_of_what_is_around_them(impatient: Gateway, acme: Company, more: bytes) -> None:
    fields = (f"Authorization: Bearer {acme.key('that publishes')}", "Transfer-Encoding: chunked")
    with connections(impatient, 1, head("POST", "/v1.0/events", *fields, gateway=impatient)) as (connection,):
        sent = 0
        with suppress(OSError):
            sent += connection.send(more)
            while sent < 2**26:
                sent += connection.send(b"x" * 15_000 if b";" in more else b"X: y\r\n" * 3000)
        assert sent < 2**24
        assert status_of(rest_of(connection)) in (0, 400, 408, 431)


# --- What other programs would take for another request ---


SMUGGLED = {
    "two lengths": ("Content-Length: 4", "Content-Length: 5"),
    "a length and chunks": ("Content-Length: 4", "Transfer-Encoding: chunked"),
    "chunks and a length": ("Transfer-Encoding: chunked", "Content-Length: 4"),
    "no number": ("Content-Length: four",),
    "a sign": ("Content-Length: +4",),
    "a huge number": ("Content-Length: " + "9" * 30,),
    "another coding": ("Transfer-Encoding: gzip",),
    "a coding twice": ("Transfer-Encoding: chunked, chunked",),
    "a space before the colon": ("Content-Length : 4",),
}


@pytest.mark.parametrize("kind", SMUGGLED)
def test_a_request_of_unclear_length_is_refused(impatient: Gateway, acme: Company, kind: str) -> None:
    fields = (f"Authorization: Bearer {acme.key('that publishes')}", *SMUGGLED[kind])
    answer = answer_to(impatient, head("POST", "/v1.0/events", *fields, gateway=impatient) + b"0\r\n\r\n")
    assert status_of(answer) in (0, 400, 413)
    assert answer.count(b"HTTP/1.1 ") <= 1


CHUNKED = b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
HOST = b"Host: localhost\r\n"
UPGRADE = HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
ODD = {
    "a handshake with a body": b"GET /v1.0/ws HTTP/1.1\r\n"
    + UPGRADE
    + b"Content-Length: 2000000000\r\n\r\nx",
    "a handshake in chunks": b"GET /v1.0/ws HTTP/1.1\r\n"
    + UPGRADE
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
    "a posted handshake": b"POST /v1.0/ws HTTP/1.1\r\n" + UPGRADE + b"\r\n",
    "a handshake elsewhere": b"GET /nothing HTTP/1.1\r\n" + UPGRADE + b"\r\n",
    "another upgrade": b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300),
    "a tunnel": b"CONNECT example.com:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "all of it": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a whole address": b"GET http://localhost/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "no path": b"GET  HTTP/1.1\r\n" + HOST + b"\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "an old version": b"GET /healthz HTTP/1.0\r\n\r\n",
    "an old version with half a body": b"POST /v1.0/events HTTP/1.0\r\nContent-Length: 4\r\n\r\n{}",
    "a method of its own": b"X" * 1000 + b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "no colon": b"GET / HTTP/1.1\r\n" + HOST + b"Nothing\r\n\r\n",
    "a folded line": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
    "a NUL": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: \0\r\n\r\n",
    "bytes above ASCII": b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"X: \xff\r\n\r\n",
    "a bad escape": b"GET /%zz%00%ff HTTP/1.1\r\n" + HOST + b"\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "many lines": b"GET /healthz HTTP/1.1\r\n" + HOST + b"a:b\r\n" * 5000 + b"\r\n",
    "no hexadecimal": CHUNKED + b"zz\r\n",
    "a negative chunk": CHUNKED + b"-1\r\n",
    "a huge chunk": CHUNKED + b"f" * 40 + b"\r\n",
    "a length of many digits": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: "
    + b"1" * 9000
    + b"\r\n\r\n",
    "another root": b"POST / HTTP/1.1\r\n" + HOST + b"Daphne-Root-Path: /x\r\nContent-Length: 2\r\n\r\n{}",
}


def test_odd_requests_are_answered_or_cut(impatient: Gateway, acme: Company) -> None:
    with ExitStack() as stack:
        opened = {kind: stack.enter_context(connections(impatient, 1, ODD[kind]))[0] for kind in ODD}
        statuses = {kind: status_of(rest_of(connection)) for kind, connection in opened.items()}
    assert {kind: status for kind, status in statuses.items() if status >= 500} == {}
    is_served(impatient, acme)
    assert "Traceback" not in impatient.log_text()


def test_clients_that_end_half_way_leave_nothing(impatient: Gateway, acme: Company) -> None:
    posted = head("POST", "/v1.0/events", "Content-Length: 99", gateway=impatient) + b"{"
    for begun in (b"GET", posted, head("GET", LARGE_FILE, gateway=impatient) * 2):
        with connections(impatient, 20, begun) as opened:
            for each in opened:
                each.shutdown(socket.SHUT_WR)
    is_served(impatient, acme)
    assert "Traceback" not in impatient.log_text()


def test_a_client_that_expects_100_gets_it_only_if_its_body_is_wanted(
    impatient: Gateway, acme: Company
) -> None:
    event = json.dumps({"event_type": "call.status", "data": {"id": new_id()}}).encode()
    fields = (
        f"Authorization: Bearer {acme.key('that publishes')}",
        f"Content-Length: {len(event)}",
        "Expect: 100-continue",
        "Connection: close",
    )
    with connections(impatient, 1, head("POST", "/v1.0/events", *fields, gateway=impatient)) as (connection,):
        assert connection.recv(2**16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(event)
        assert status_of(rest_of(connection)) == 201
    unwanted = ("Content-Length: 5000000", "Expect: 100-continue")
    assert status_of(answer_to(impatient, head("POST", "/auth/login", *unwanted, gateway=impatient))) == 413


def test_pipelined_requests_are_answered_in_order(impatient: Gateway, acme: Company) -> None:
    event = json.dumps({"event_type": "call.status", "data": {"id": new_id()}}).encode()
    key = f"Authorization: Bearer {acme.key('that publishes')}"
    posted = head("POST", "/v1.0/events", key, f"Content-Length: {len(event)}", gateway=impatient) + event
    got = head("GET", "/v1.0/me", gateway=impatient)
    last = head("GET", "/healthz", "Connection: close", gateway=impatient)
    answer = answer_to(impatient, posted + got + head("GET", LARGE_FILE, gateway=impatient) + posted + last)
    statuses = [int(each[:3]) for each in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [201, 401, 200, 201, 200]


def test_a_flood_of_pipelined_requests_ends(impatient: Gateway, acme: Company) -> None:
    before = memory(impatient)
    request = head("GET", "/v1.0/me", gateway=impatient) * 20_000
    with connections(impatient, 1, b"") as (connection,):
        connection.settimeout(5)
        with suppress(OSError):
            connection.sendall(request)
        is_served(impatient, acme)
    assert memory(impatient) - before < 50 * 2**20


# --- Connections ---


def test_a_connection_that_sends_no_further_request_ends(impatient: Gateway) -> None:
    with connections(impatient, 1, head("GET", "/healthz", gateway=impatient)) as (connection,):
        answer = rest_of(connection)
    assert (status_of(answer), answer.count(b"HTTP/1.1")) == (200, 1)


def test_files_do_not_run_out(impatient: Gateway, acme: Company) -> None:
    files, most = resource.prlimit(impatient.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(impatient.pid, resource.RLIMIT_NOFILE, (600, most))
    before = cuts(impatient).get("room", 0)
    try:
        with ExitStack() as stack:
            for begun in (b"", b"GET /", head("GET", LARGE_FILE, gateway=impatient) * 4):
                stack.enter_context(connections(impatient, 150, begun, receives=4096))
                is_served(impatient, acme)
            assert cuts(impatient)["room"] > before
    finally:
        resource.prlimit(impatient.pid, resource.RLIMIT_NOFILE, (files, most))
    assert "New connections are refused" not in impatient.log_text()
