"""Event streams: the same session, feed and limits as a WebSocket, on every stack."""

# Long because all tests share one client of streams and one cast.

from __future__ import annotations

import json

import httpx
import pytest

from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import Conversation, get, publish
from tests.journeys.support.event_stream import EventStream
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.stacks import Stack
from tests.support.waiting import wait_until


def call_events(count: int) -> list[dict[str, object]]:
    return [{"event_type": "call.created", "data": {"id": new_id()}} for _ in range(count)]


def calls_of(company: Company) -> str:
    return f"customer_id:{company.id}:call:*"


def test_a_stream_has_the_frames_of_a_websocket(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    gateway, key = gateway_on_each_stack, acme.key("of the customer")
    stranger = globex.key("of the customer")
    with (
        EventStream(gateway, key, calls_of(acme)) as stream,
        EventStream(gateway, stranger, calls_of(globex)) as other,
        Conversation(gateway, key) as socket,
    ):
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["x-accel-buffering"] == "no"
        assert stream.response.headers["cache-control"] == "no-store, no-transform"
        socket.subscribe(calls_of(acme))
        ack = stream.receive()
        assert (ack["type"], ack["action"], ack["topics"]) == ("ack", "subscribe", [calls_of(acme)])
        assert other.receive()["type"] == "ack"
        receipts = publish(gateway, acme.key("that publishes"), *call_events(20))
        assert stream.until(receipts[-1]["cursor"]) == socket.until(receipts[-1]["cursor"])
        assert stream.ids == [ack["cursor"], *(receipt["cursor"] for receipt in receipts)]
        [own] = publish(gateway, globex.key("that publishes"), *call_events(1))
        assert other.receive()["cursor"] == own["cursor"]


def test_it_resumes_after_its_last_id_and_misses_nothing(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    gateway, key = gateway_on_each_stack, acme.key("of the customer")
    with EventStream(gateway, key, calls_of(acme)) as stream:
        stream.receive()
        [first] = publish(gateway, acme.key("that publishes"), *call_events(1))
        stream.until(first["cursor"])
        last = stream.ids[-1]
    missed = publish(gateway, acme.key("that publishes"), *call_events(30))
    for how in ({"last": last}, {"lastEventId": last}, {"since": last}, {"last": last, "since": "x"}):
        with EventStream(gateway, key, calls_of(acme), **how) as stream:
            assert stream.receive()["recovered"] is True
            frames = stream.until(missed[-1]["cursor"])
            assert [frame["cursor"] for frame in frames] == [receipt["cursor"] for receipt in missed]
    with EventStream(gateway, key, calls_of(acme), last="0123456789ab.5") as stream:
        ack = stream.receive()
        assert ack["recovered"] is False
        assert ack["reason"]


def test_refused_topics_come_beside_the_granted_ones(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    gateway, key = gateway_on_each_stack, acme.key("of the customer")
    with EventStream(gateway, key, calls_of(acme), calls_of(globex), "nonsense") as stream:
        frames = [stream.receive() for _ in range(3)]
    assert frames[0]["topics"] == [calls_of(acme)]
    refused = {(frame["code"], *frame["topics"]) for frame in frames[1:]}
    assert refused == {("PERMISSION_DENIED", calls_of(globex)), ("INVALID_TOPIC", "nonsense")}


def test_each_filter_is_that_of_the_topics_before_it(gateway_on_each_stack: Gateway, acme: Company) -> None:
    gateway, key = gateway_on_each_stack, acme.key("of the customer")
    answered = json.dumps({"field": "status", "op": "eq", "value": "answered"})
    query = [
        ("topics", f"customer_id:{acme.id}:call:*"),
        ("filter", answered),
        ("topics", f"customer_id:{acme.id}:message:*"),
        ("topics", f"customer_id:{acme.id}:queue:*"),
        ("filter", json.dumps({"field": "queue_id", "op": "eq", "value": "another"})),
    ]
    with EventStream(gateway, key, query=query) as stream:
        ack = stream.receive()
        assert len(ack["topics"]) == 3
        call = new_id()
        receipts = publish(
            gateway,
            acme.key("that publishes"),
            {"event_type": "call.created", "data": {"id": call, "status": "ringing"}},
            {"event_type": "message.received", "data": {"id": new_id()}},
            {"event_type": "queue.joined", "data": {"queue_id": new_id(), "call_id": call}},
            {"event_type": "call.status", "data": {"id": call, "status": "answered"}},
            {"event_type": "call.ended", "data": {"id": call, "status": "hangup"}},
        )
        frames = stream.until(receipts[-1]["cursor"])
        assert [(frame["event_type"], frame.get("left")) for frame in frames] == [
            ("message.received", None),
            ("call.status", None),
            ("call.ended", True),
        ]
        last = ack["cursor"]
    with EventStream(gateway, key, last=last, query=query) as stream:
        assert stream.receive()["recovered"] is True
        assert stream.until(receipts[-1]["cursor"]) == frames
    with EventStream(gateway, key, query=[query[0], ("filter", '{"op": "same"}')]) as stream:
        assert stream.status == 400
        assert stream.content["code"] == "INVALID_FILTER"


def test_a_stream_without_any_granted_topic_is_refused(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    gateway, key = gateway_on_each_stack, acme.key("of the customer")
    with EventStream(gateway, key, calls_of(globex)) as stream:
        assert stream.status == 403
        assert stream.content["code"] == "PERMISSION_DENIED"
        assert stream.content["errors"][0]["topics"] == [calls_of(globex)]
    with EventStream(gateway, key, "nonsense", "more nonsense") as stream:
        assert stream.status == 400
        assert [error["topics"] for error in stream.content["errors"]] == [["nonsense", "more nonsense"]]


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({}, "topics: name at least one"),
        ({"topics": ","}, "topics: name at least one"),
        (
            {"topics": "t", "sinse": "1"},
            "sinse: unknown parameter; known parameters: topics, filter, since, lastEventId, format",
        ),
        ({"topics": "t", "since": "yesterday"}, "cursor"),
        ({"topics": "t", "filter": "{"}, "filter: "),
        ({"filter": "{}", "topics": "t"}, "filter: write it after the topics"),
    ],
)
def test_unreadable_parameters_are_refused_with_what_is_right(
    gateway_on_each_stack: Gateway, acme: Company, parameters: dict[str, str], says: str
) -> None:
    with EventStream(gateway_on_each_stack, acme.key("of the customer"), **parameters) as stream:
        assert stream.status == 400
        assert stream.content["code"] == "INVALID_REQUEST"
        assert says in stream.content["message"]


def test_the_credential_is_checked_as_for_a_websocket(gateway_on_each_stack: Gateway, acme: Company) -> None:
    gateway = gateway_on_each_stack
    for credential in ("", "vb_" + "0" * 36):
        with EventStream(gateway, credential, calls_of(acme)) as stream:
            assert stream.status == 401
            assert stream.content["code"] == "UNAUTHORIZED"
            assert stream.response.headers["www-authenticate"].startswith("Bearer")
    key = acme.key("of the customer")
    for name in ("token", "accesskey"):
        with EventStream(gateway, "", calls_of(acme), **{name: key}) as stream:
            assert stream.receive()["type"] == "ack"
    with EventStream(gateway, acme.key("that publishes"), calls_of(acme)) as stream:
        assert stream.status == 401
    foreign = httpx.get(
        f"{gateway.url}/v1.0/sse?topics=t&token={key}", headers={"Origin": "https://evil.test"}
    )
    assert (foreign.status_code, foreign.json()["code"]) == (403, "FORBIDDEN_ORIGIN")


def test_explain_knows_what_a_stream_received(gateway_on_each_stack: Gateway, acme: Company) -> None:
    gateway, key = gateway_on_each_stack, acme.key("of the customer")
    with EventStream(gateway, key, calls_of(acme)) as stream:
        stream.receive()
        [receipt] = publish(gateway, acme.key("that publishes"), *call_events(1))
        stream.until(receipt["cursor"])
    explain = f"/v1.0/explain?event={receipt['id']}"
    wait_until(lambda: get(gateway, key, explain).json()["delivered"] is True, "the delivery")


# --- With a gateway of their own ---

LIVE = """
import json
from subscriptions.models import LiveConnection
print(json.dumps(list(LiveConnection.objects.values_list("transport", "topics"))))
"""


@pytest.fixture
def own(gateway: Gateways, stack: Stack) -> Gateway:
    return gateway(
        stack.server,
        postgres=stack.shared,
        redis=stack.shared,
        CONNECTIONS_PER_CREDENTIAL="2",
    )


def test_it_ends_as_a_websocket_is_closed(own: Gateway) -> None:
    acme = company("Acme")
    settle(own, acme)
    key = acme.key("of the customer")
    with (
        EventStream(own, key, calls_of(acme)) as first,
        EventStream(own, key, calls_of(acme)) as second,
        EventStream(own, key, calls_of(acme)) as third,
        EventStream(own, acme.token("manager"), calls_of(acme)) as other,
    ):
        assert [frame["code"] for frame in third.until_end()] == ["TOO_MANY"]
        assert [stream.receive()["type"] for stream in (first, second, other)] == ["ack"] * 3
        wait_until(
            lambda: own.manage("shell", "--verbosity", "0", "--command", LIVE).count('"sse"') == 3, "rows"
        )
        own.manage(
            "shell",
            "--verbosity",
            "0",
            "--command",
            "from subscriptions.models import AccessKey\n"
            f"AccessKey.objects.get(label='of the customer', customer_id='{acme.id}').delete()",
        )
        for stream in (first, second):
            [closing] = stream.until_end()
            assert (closing["code"], closing["retry"]) == ("REVOKED", False)
        own.terminate()
        [closing] = other.until_end()
        assert (closing["code"], closing["retry"]) == ("RESTARTING", True)
