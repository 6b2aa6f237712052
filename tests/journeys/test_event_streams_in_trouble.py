"""Event streams of clients that leave, stall, are of another kind, or are many: on both servers."""

# Long because all of them share a gateway of each server.

from __future__ import annotations

import json
import re
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from subscriptions.auth.tokens import LEEWAY_SECONDS
from tests.journeys.support.cast import Company, company, new_id, settle, token_of
from tests.journeys.support.conversation import Conversation, publish
from tests.journeys.support.event_stream import EventStream
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

CUSTOMER_MAX = 230
"""More connections than the HTTP connections that `MAX_FILES` permits."""

MAX_FILES = 600
HTTP_MAX = MAX_FILES // 4
CALLS = "call:*"
MOMENTS = 20


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def serving(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> Gateway:
    return gateway_of_file(
        request.param,
        CUSTOMER_MAX_CONNECTIONS=str(CUSTOMER_MAX),
        CONNECTIONS_PER_CREDENTIAL=str(CUSTOMER_MAX),
        CHECK_INTERVAL_SECONDS="0.2",
        OUTBOX_MAX_SECONDS="1",
        OUTBOX_MAX_BYTES="2097152",
        HTTP_PATIENCE_SECONDS="1",
        CUSTOMER_BYTES_PER_SECOND="0",
    )


@pytest.fixture(scope="module")
def acme(serving: Gateway) -> Company:
    acme = company("Acme")
    settle(serving, acme)
    return acme


def calls_of(company: Company) -> str:
    return f"customer_id:{company.id}:{CALLS}"


def call_events(count: int, size: int = 0) -> list[dict[str, object]]:
    return [
        {"event_type": "call.created", "data": {"id": new_id(), "text": "x" * size}} for _ in range(count)
    ]


def request(gateway: Gateway, method: str, *fields: str, version: str = "1.1", **parameters: str) -> bytes:
    address = f"/v1.0/sse?{urlencode(parameters)}"
    lines = (f"{method} {address} HTTP/{version}", f"Host: 127.0.0.1:{gateway.port}", *fields, "", "")
    return "\r\n".join(lines).encode()


def stream_request(gateway: Gateway, acme: Company, *fields: str, **more: str) -> bytes:
    return request(gateway, "GET", *fields, topics=calls_of(acme), token=acme.key("of the customer"), **more)


def connect(gateway: Gateway, sent: bytes, *, receives: int = 0) -> socket.socket:
    connection = socket.socket()
    if receives:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", gateway.port))
    connection.sendall(sent)
    return connection


def rest_of(connection: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionError):
        while part := connection.recv(2**16):
            received += part
    return received


def until(connection: socket.socket, wanted: bytes) -> bytes:
    received = b""
    while wanted not in received:
        part = connection.recv(2**16)
        assert part, received
        received += part
    return received


def sockets_of(gateway: Gateway) -> int:
    """Count the open sockets of a process."""
    count = 0
    for each in Path(f"/proc/{gateway.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # Closed meanwhile.
            count += str(each.readlink()).startswith("socket:")
    return count


def live_count(gateway: Gateway) -> int:
    text = httpx.get(f"{gateway.url}/metrics").text
    [count] = re.findall(r"^voipbin_ws_connections(?:{[^}]*})? (\d+)", text, re.MULTILINE)
    return int(count)


def test_clients_that_leave_at_any_moment_leave_nothing_behind(serving: Gateway, acme: Company) -> None:
    [first] = publish(serving, acme.key("that publishes"), *call_events(1))
    publish(serving, acme.key("that publishes"), *call_events(200, size=10_000))
    for moment in range(MOMENTS):
        # Before the answer, before the ack, and during a replay that the client does not read.
        connection = connect(serving, stream_request(serving, acme, since=first["cursor"]), receives=4096)
        if moment % 2:
            until(connection, b"event_type")
        if moment % 4 > 1:  # With a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    wait_until(lambda: live_count(serving) == 0, "the connections to be counted out")
    wait_until(lambda: sockets_of(serving) < MOMENTS, "their connections to be closed")


def test_what_a_replay_had_sent_is_where_the_next_one_continues(serving: Gateway, acme: Company) -> None:
    key, globe = acme.key("of the customer"), calls_of(acme)
    [first] = publish(serving, acme.key("that publishes"), *call_events(1))
    missed = publish(serving, acme.key("that publishes"), *call_events(300, size=3000))
    last, received = first["cursor"], []
    while len(received) < len(missed):
        with EventStream(serving, key, globe, last=last) as stream:
            assert stream.receive()["recovered"] is True
            for _ in range(min(70, len(missed) - len(received))):
                received.append(stream.receive()["cursor"])
            last = stream.ids[-1]
    assert received == [receipt["cursor"] for receipt in missed]


@pytest.mark.parametrize("reads_again", [True, False], ids=["reads again", "never reads"])
def test_a_client_that_stalls_receives_the_reason_if_it_reads_again_and_is_cut_if_not(
    serving: Gateway, acme: Company, reads_again: bool
) -> None:
    publisher, before = acme.key("that publishes"), serving.log_text().count("TOO_SLOW")
    with closing(connect(serving, stream_request(serving, acme), receives=4096)) as slow:
        received = until(slow, b'"ack"')
        sockets = sockets_of(serving)
        for _ in range(4):
            publish(serving, publisher, *call_events(20, size=100_000))
        if reads_again:
            received += rest_of(slow)
            assert received.endswith(b"0\r\n\r\n")
            [closing_frame] = re.findall(rb'data: (\{"type": "error".*\})\n\n', received)
            frame = json.loads(closing_frame)
            assert (frame["code"], frame["retry"]) == ("TOO_SLOW", True)
        else:
            wait_until(lambda: serving.log_text().count("TOO_SLOW") > before, "the cut")
            wait_until(lambda: sockets_of(serving) < sockets, "the end of its connection")
    wait_until(lambda: live_count(serving) == 0, "the connection to be counted out")


def test_the_end_of_a_token_ends_the_stream_and_its_connection(serving: Gateway, acme: Company) -> None:
    # It is accepted for a few seconds more, for clocks that differ.
    token = token_of(acme.person("manager").id, exp=time.time() - LEEWAY_SECONDS + 2)
    asking = request(serving, "GET", topics=calls_of(acme), token=token)
    with closing(connect(serving, asking)) as connection:
        answer = rest_of(connection)
    assert b"connection: close" in answer.lower()
    assert b'"TOKEN_EXPIRED"' in answer
    assert answer.endswith(b"0\r\n\r\n")
    with EventStream(serving, token, calls_of(acme)) as again:
        assert again.status == 401


def test_refused_topics_are_named_also_before_the_granted_ones(serving: Gateway, acme: Company) -> None:
    query = [("topics", "nonsense"), ("topics", calls_of(acme))]
    with EventStream(serving, acme.key("of the customer"), query=query) as stream:
        frames = [stream.receive(), stream.receive()]
    assert {(frame["type"], *frame["topics"]) for frame in frames} == {
        ("error", "nonsense"),
        ("ack", calls_of(acme)),
    }


def test_a_connection_is_used_again_after_a_refusal(serving: Gateway, acme: Company) -> None:
    refused = request(serving, "GET", topics=calls_of(acme))
    unreadable = request(serving, "GET", topics="", token=acme.key("of the customer"))
    with closing(connect(serving, refused)) as connection:
        assert b" 401 " in until(connection, b'"UNAUTHORIZED"')
        connection.sendall(unreadable)
        assert b" 400 " in until(connection, b'"INVALID_REQUEST"')
        connection.sendall(stream_request(serving, acme))
        assert b" 200 " in until(connection, b'"ack"')


def test_a_client_of_http_1_0_receives_no_chunks(serving: Gateway, acme: Company) -> None:
    asking = stream_request(serving, acme).replace(b"HTTP/1.1", b"HTTP/1.0")
    with closing(connect(serving, asking)) as connection:
        answer = until(connection, b"\n\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 200 " in head
        assert b"transfer-encoding" not in head.lower()
        body += until(connection, b"\n\n") if b'"ack"' not in body else b""
        assert re.fullmatch(rb"retry: \d+\nid: \S+\ndata: \{.*\}\n\n", body)


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused_at_once(serving: Gateway, acme: Company, method: str) -> None:
    key = acme.key("of the customer")
    answer = httpx.request(
        method,
        f"{serving.url}/v1.0/sse",
        params={"topics": calls_of(acme)},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_streams_neither_lose_their_place_to_http_connections_nor_take_it(
    serving: Gateway, acme: Company
) -> None:
    key, publisher = acme.key("of the customer"), acme.key("that publishes")
    wait_until(lambda: live_count(serving) == 0, "the others to leave")
    before = resource.prlimit(serving.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(serving.pid, resource.RLIMIT_NOFILE, (MAX_FILES, before[1]))
    try:
        with ExitStack() as stack, Conversation(serving, key) as other:
            other.subscribe(calls_of(acme))
            streams = []
            for _ in range(CUSTOMER_MAX - 1):
                streams.append(stack.enter_context(closing(connect(serving, stream_request(serving, acme)))))
                until(streams[-1], b'"ack"')
            with EventStream(serving, key, calls_of(acme)) as beyond:
                assert (beyond.status, beyond.response.headers["retry-after"]) == (429, "60")
            idle = [stack.enter_context(closing(connect(serving, b"GET /"))) for _ in range(HTTP_MAX + 20)]
            # These have waited too long by now, unlike the streams.
            assert b" 408 " in rest_of(idle[-1])
            [receipt] = publish(serving, publisher, *call_events(1))
            for each in streams:
                until(each, receipt["id"].encode())
            assert other.until(receipt["cursor"])
    finally:
        resource.prlimit(serving.pid, resource.RLIMIT_NOFILE, before)

    def has_room() -> bool:
        with EventStream(serving, key, calls_of(acme)) as stream:
            return stream.status == 200

    wait_until(has_room, "the room that they had")


def test_the_request_log_names_no_credential(serving: Gateway, acme: Company) -> None:
    key = acme.key("of the customer")
    with EventStream(serving, "", calls_of(acme), token=key) as stream:
        stream.receive()
    wait_until(
        lambda: '"/v1.0/sse"' in serving.log_text() or "path=/v1.0/sse" in serving.log_text(), "its line"
    )
    assert key not in serving.log_text()


def test_a_second_request_on_the_connection_of_a_stream_waits_and_harms_nothing(
    serving: Gateway, acme: Company
) -> None:
    with closing(connect(serving, stream_request(serving, acme) * 2)) as connection:
        until(connection, b'"ack"')
        [receipt] = publish(serving, acme.key("that publishes"), *call_events(1))
        until(connection, receipt["id"].encode())
    wait_until(lambda: live_count(serving) == 0, "the connection to be counted out", timeout=60)


@pytest.fixture(autouse=True)
def nothing_failed(serving: Gateway) -> Iterator[None]:
    before = serving.log_text().count("Traceback")
    yield
    assert serving.log_text().count("Traceback") == before, serving.log_text()[-5000:]
