"""Every limit of clients and publishers: enforced, answered with its error, and without effect on others."""

from __future__ import annotations

import contextlib
import resource
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import Closed, Conversation, post, publish
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.stacks import Stack
from tests.support.waiting import wait_until

LIMITS = {
    "MESSAGE_MAX_BYTES": "1024",
    "MESSAGE_MAX_TOPICS": "5",
    "CONNECTION_MAX_TOPICS": "8",
    "SUBSCRIBE_BURST": "20",
    "SUBSCRIBE_PER_SECOND": "1",
    "CONNECTIONS_PER_CREDENTIAL": "3",
    "UNREADABLE_MESSAGES_MAX": "3",
    "PUBLISH_MAX_EVENTS": "5",
    "PUBLISH_MAX_BYTES": "4000",
    "EVENT_MAX_BYTES": "1000",
}


@pytest.fixture(scope="module")
def limited(gateway_of_file: Gateways, stack: Stack) -> Gateway:
    """A gateway with small limits, on each of the four stacks in turn."""
    return gateway_of_file(stack.server, postgres=stack.shared, redis=stack.shared, **LIMITS)


@pytest.fixture(scope="module")
def acme(limited: Gateway) -> Company:
    acme = company("Acme")
    settle(limited, acme)
    return acme


def topics(acme: Company, count: int, start: int = 0) -> list[str]:
    return [f"customer_id:{acme.id}:call:{number}" for number in range(start, start + count)]


def test_a_message_that_is_too_large_is_reported_and_the_socket_goes_on(
    limited: Gateway, acme: Company
) -> None:
    with Conversation(limited, acme.token("manager")) as client:
        fits = '{"type": "ping"}'.ljust(1024)
        assert client.ask(fits)["type"] == "pong"
        answer = client.ask(fits + " ")
        assert (answer["code"], answer["message"]) == (
            "INVALID_MESSAGE",
            "The message is larger than 1024 bytes: subscribe in several messages",
        )
        # Bytes, not characters.
        assert client.ask('{"type": "ping", "x": "' + "é" * 510 + '"}')["code"] == "INVALID_MESSAGE"
        assert client.ask(fits)["type"] == "pong"


def test_a_frame_beyond_every_limit_ends_its_connection_and_no_other(limited: Gateway, acme: Company) -> None:
    with (
        Conversation(limited, acme.token("manager")) as good,
        Conversation(limited, acme.token("admin")) as bad,
    ):
        with pytest.raises((Closed, OSError)):
            bad.ask("x" * (2**20 + 1))
        assert good.before_pong() == []


def test_a_binary_frame_is_unreadable(limited: Gateway, acme: Company) -> None:
    with Conversation(limited, acme.token("manager")) as client:
        assert client.ask(b'{"type": "ping"}') == {
            "type": "error",
            "action": None,
            "topics": [],
            "code": "INVALID_MESSAGE",
            "message": "Messages are text frames; this one was binary",
        }
        assert client.before_pong() == []


def test_a_message_has_a_most_of_topics(limited: Gateway, acme: Company) -> None:
    with Conversation(limited, acme.token("manager")) as client:
        answer = client.ask({"type": "subscribe", "topics": topics(acme, 6), "request_id": "six"})
        assert (answer["code"], answer["action"], answer["request_id"]) == (
            "INVALID_MESSAGE",
            "subscribe",
            "six",
        )
        assert "6 topics in one message, 5 are the most" in answer["message"]
        # The same topic again is no further topic.
        assert client.subscribe(*topics(acme, 5), *topics(acme, 5))["topics"] == topics(acme, 5)


def test_a_connection_has_a_most_of_topics(limited: Gateway, acme: Company) -> None:
    with Conversation(limited, acme.token("manager")) as client:
        client.subscribe(*topics(acme, 5))
        client.send({"type": "subscribe", "topics": topics(acme, 5, start=5)})
        ack, error = client.before_pong()
        assert ack["topics"] == topics(acme, 3, start=5)
        assert (error["code"], error["topics"]) == ("RATE_LIMITED", topics(acme, 2, start=8))
        assert "8 topics" in error["message"]
        # What it holds it may ask for again, and what it gives up makes room.
        client.subscribe(topics(acme, 1)[0])
        client.ask({"type": "unsubscribe", "topics": topics(acme, 2)})
        client.subscribe(*topics(acme, 2, start=8))


def test_subscribing_has_a_pace(limited: Gateway, acme: Company) -> None:
    with Conversation(limited, acme.token("manager")) as client:
        answers = [_subscribe_and_leave(client, acme) for _ in range(4)]
        assert [answer["type"] for answer in answers] == ["ack"] * 4
        # A second brings one topic back, and asking again takes far less.
        refused = next(
            answer
            for answer in (_subscribe_and_leave(client, acme) for _ in range(100))
            if answer["type"] == "error"
        )
        assert (refused["code"], refused["topics"]) == ("RATE_LIMITED", topics(acme, 5))
        assert "20 topics at once, or 1 a second" in refused["message"]
        # One at a time it goes on.
        wait_until(
            lambda: client.ask({"type": "subscribe", "topics": topics(acme, 1)})["type"] == "ack",
            "the pace to allow one topic",
        )


def _subscribe_and_leave(client: Conversation, acme: Company) -> dict[str, Any]:
    answer = client.ask({"type": "subscribe", "topics": topics(acme, 5)})
    client.ask({"type": "unsubscribe", "topics": topics(acme, 5)})
    return answer


def test_who_keeps_sending_what_cannot_be_read_is_closed(limited: Gateway, acme: Company) -> None:
    with Conversation(limited, acme.token("manager")) as client:
        for _ in range(3):
            # What can be read in between makes up for what came before.
            client.ask("not json")
            client.ask("nor this")
            assert client.ask({"type": "ping"})["type"] == "pong"
        for message in ("one", b"two", "[]", "four"):
            client.send(message)
        frames, code = client.until_closed()
    assert code == 4400
    assert [frame["code"] for frame in frames] == ["INVALID_MESSAGE"] * 3 + ["PROTOCOL_ERROR"]
    assert frames[-1]["retry"] is False


def test_a_credential_has_a_most_of_connections(limited: Gateway, acme: Company, stack: Stack) -> None:
    credential = acme.key("of the customer")
    first, second, third = (Conversation(limited, credential) for _ in range(3))
    try:
        with Conversation(limited, credential) as one_too_many:
            frames, code = one_too_many.until_closed()
        assert code == 4429
        assert [(frame["code"], frame["retry"]) for frame in frames] == [("TOO_MANY", True)]
        assert "3 connections" in frames[0]["message"]
        for client in (first, second, third):
            assert client.before_pong() == []
        with Conversation(limited, acme.token("agent")) as other:
            assert other.before_pong() == []
        with first:
            pass

        def there_is_room() -> bool:
            with Conversation(limited, credential) as again:
                try:
                    return again.before_pong() == []
                except Closed:
                    return False

        wait_until(there_is_room, "the one that left to make room")
    finally:
        for client in (second, third):
            with client:
                pass


def test_a_request_has_a_most_of_events_and_bytes(limited: Gateway, acme: Company) -> None:
    def event(size: int = 0) -> dict[str, Any]:
        return {"event_type": "call.status", "data": {"id": new_id(), "x": "x" * size}}

    key = acme.key("that publishes")
    with Conversation(limited, acme.token("manager")) as client:
        client.subscribe(f"customer_id:{acme.id}")
        too_many = post(limited, key, [event() for _ in range(6)])
        assert (too_many.status_code, too_many.json()["code"]) == (413, "TOO_LARGE")
        assert too_many.json()["message"] == "6 events in one request, 5 are the most"
        too_large = post(limited, key, [event(900) for _ in range(5)])
        assert (too_large.status_code, too_large.json()["code"]) == (413, "TOO_LARGE")
        assert "4000 bytes" in too_large.json()["message"]
        large_data = post(limited, key, [event(), event(1000)])
        assert (large_data.status_code, large_data.json()["code"]) == (400, "INVALID_EVENT")
        assert [(each["index"], each["field"]) for each in large_data.json()["errors"]] == [(1, "data")]
        assert "1000 bytes" in large_data.json()["message"]
        receipts = publish(limited, key, *(event(500) for _ in range(5)))
        assert [frame["id"] for frame in client.until(receipts[-1]["cursor"])] == [
            receipt["id"] for receipt in receipts
        ]


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_when_no_more_files_may_be_open_the_log_says_so_once(gateway: Gateways, server: str) -> None:
    serving = gateway(server, CHECK_INTERVAL_SECONDS="0.1")
    acme = company("Acme")
    settle(serving, acme)
    assert httpx.get(f"{serving.url}/readyz").status_code == 200
    before = resource.prlimit(serving.pid, resource.RLIMIT_NOFILE)
    used = max(int(each.name) for each in Path(f"/proc/{serving.pid}/fd").iterdir())
    resource.prlimit(serving.pid, resource.RLIMIT_NOFILE, (used + 20, before[1]))
    line = "New connections are refused: all"
    # WebSockets: of connections that send no request, the oldest would make room.
    handshake = f"""GET /v1.0/ws?token={acme.token("manager")} HTTP/1.1
Host: localhost
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Version: 13

""".replace("\n", "\r\n").encode()
    sockets: list[socket.socket] = []

    def is_logged() -> bool:
        sockets.append(socket.create_connection(("127.0.0.1", serving.port)))
        with contextlib.suppress(ConnectionError):
            sockets[-1].sendall(handshake)
        return line in serving.log_text()

    wait_until(is_logged, "the line")
    for each in sockets:
        each.close()
    wait_until(lambda: _answers(serving.url), "it to answer again")
    assert serving.log_text().count(line) == 1


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False
