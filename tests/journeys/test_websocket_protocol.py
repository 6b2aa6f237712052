"""The WebSocket protocol on both servers: handshakes and frames that no library would send."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from random import Random
from urllib.parse import urlsplit

import pytest

from tests.journeys.support.cast import Company
from tests.journeys.support.conversation import get
from tests.support.gateway import Gateway
from tests.support.stacks import Stack

ADDRESS = "/v1.0/ws"


def raw_handshake(gateway: Gateway, credential: str, **changed: str) -> tuple[socket.socket, bytes]:
    """Send a handshake with these header fields; return the connection and the head of the response."""
    parts = urlsplit(gateway.url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=30)
    fields = {
        "Host": parts.netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    connection.sendall(f"GET {ADDRESS}?token={credential} HTTP/1.1\r\n{head}\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(1)
    return connection, answer.lower()


@pytest.mark.parametrize(
    "extension", ["permessage-deflate; server_max_window_bits=8", "permessage-deflate; unknown=1"]
)
def test_compression_is_declined_whatever_its_parameters(
    gateway_on_each_stack: Gateway, acme: Company, extension: str
) -> None:
    credential = acme.token("manager")
    connection, head = raw_handshake(gateway_on_each_stack, credential, Sec_WebSocket_Extensions=extension)
    with connection:
        assert head.startswith(b"http/1.1 101 ")
        assert b"sec-websocket-extensions" not in head


@pytest.mark.parametrize("version", ["8", "12", "99", "x"])
def test_another_version_is_refused_with_the_one_that_is_spoken(
    gateway_on_each_stack: Gateway, acme: Company, version: str
) -> None:
    credential = acme.token("manager")
    connection, head = raw_handshake(gateway_on_each_stack, credential, Sec_WebSocket_Version=version)
    with connection:
        assert head.startswith(b"http/1.1 400 ")
        assert b"\r\nsec-websocket-version: 13\r\n" in head
        assert head.count(b"\r\ndate: ") == 1
        assert json.loads(connection.makefile("rb").read())["code"] == "INVALID_REQUEST"


def test_an_empty_origin_is_that_of_a_program(gateway_on_each_stack: Gateway, acme: Company) -> None:
    connection, head = raw_handshake(gateway_on_each_stack, acme.token("manager"), Origin="")
    with connection:
        assert head.startswith(b"http/1.1 101 ")


VIOLATIONS = {
    "a ping of 126 bytes": (b"\x89\xfe\x00\x7e" + bytes(4 + 126), 1002),
    "an unmasked frame": (b"\x81\x02hi", 1002),
    "a reserved bit": (b"\xf1\x82" + bytes(4) + b"hi", 1002),
    "bad UTF-8": (b"\x81\x82" + bytes(4) + b"\xff\xff", 1007),
    "bad UTF-8, twice": (2 * (b"\x81\x82" + bytes(4) + b"\xff\xff"), 1007),
    "a bad close code": (b"\x88\x82" + bytes(4) + b"\x00\x01", 1002),
    "a frame that is too large": (b"\x81\xff" + (2**21).to_bytes(8, "big") + bytes(4 + 2**21), 1009),
}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_violation_of_the_protocol_is_answered_with_its_close_code_and_logs_no_traceback(
    gateway_on_each_stack: Gateway, stack: Stack, acme: Company, violation: str
) -> None:
    if stack.server == "daphne" and violation == "a bad close code":
        pytest.skip("autobahn drops the connection")
    frames, code = VIOLATIONS[violation]
    connection, head = raw_handshake(gateway_on_each_stack, acme.token("manager"))
    with connection:
        assert head.startswith(b"http/1.1 101 ")
        with suppress(ConnectionError):  # Of a frame that is too large, the rest is not read.
            connection.sendall(frames)
        close = connection.recv(4)
        assert close[0] == 0x88
        assert int.from_bytes(close[2:4], "big") == code
    assert get(gateway_on_each_stack, "", "/healthz").status_code == 200
    assert "Traceback" not in gateway_on_each_stack.log.read_text()


def test_random_frames_log_no_traceback(gateway_on_each_stack: Gateway, acme: Company) -> None:
    random = Random(1)
    for _ in range(30):
        connection, head = raw_handshake(gateway_on_each_stack, acme.token("manager"))
        assert head.startswith(b"http/1.1 101 ")
        with connection, suppress(ConnectionError):
            for _ in range(8):
                length = random.choice((0, 1, 2, 7, 125))
                head_byte = random.choice((random.randrange(256), 0x01, 0x80, 0x81, 0x82, 0x88, 0x89))
                connection.sendall(bytes((head_byte, 0x80 | length)) + bytes(4) + random.randbytes(length))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    assert "Traceback" not in gateway_on_each_stack.log.read_text()
