"""What a client sends and receives on an open socket: topics ended, cursors, batches, new credentials, the end."""

from __future__ import annotations

import time
from typing import Any

import pytest
import websocket

from subscriptions.auth.tokens import LEEWAY_SECONDS
from tests.journeys.support.cast import Company, new_id, token_of
from tests.journeys.support.conversation import Closed, Conversation, cursors, get, publish
from tests.support.gateway import Gateway


def call(**data: Any) -> dict[str, Any]:
    return {"event_type": "call.status", "data": {"id": new_id(), **data}}


def test_unsubscribing_ends_what_was_written_and_no_more(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    owner = f"customer_id:{acme.id}"
    key = acme.key("that publishes")
    with Conversation(gateway_on_each_stack, acme.token("manager")) as manager:
        manager.subscribe(f"{owner}:call", f"{owner}:call:*", f"{owner}:message")
        first = manager.ask({"type": "unsubscribe", "topics": [f"{owner}:call"], "request_id": 7})
        assert first == {
            "type": "ack",
            "action": "unsubscribe",
            "topics": [f"{owner}:call"],
            "status": "success",
            "request_id": 7,
        }
        # The other spelling holds on.
        [still] = publish(gateway_on_each_stack, key, call())
        assert cursors(manager.until(still["cursor"])) == [still["cursor"]]

        manager.ask({"type": "unsubscribe", "topics": [f"{owner}:call:*"]})
        _, message = publish(
            gateway_on_each_stack, key, call(), {"event_type": "message.sent", "data": {"id": "x"}}
        )
        assert cursors(manager.until(message["cursor"])) == [message["cursor"]]


def test_a_stranger_cannot_use_our_cursor(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    [receipt] = publish(gateway_on_each_stack, acme.key("that publishes"), call())
    with Conversation(gateway_on_each_stack, globex.token("manager")) as stranger:
        ack = stranger.subscribe(f"customer_id:{globex.id}", since=receipt["cursor"])
        assert ack["recovered"] is False
        assert "another" in ack["reason"]
        assert stranger.before_pong() == []


def test_after_a_break_everything_missed_comes_in_order_before_what_is_new(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    key, topic = acme.key("that publishes"), f"customer_id:{acme.id}:call"
    with Conversation(gateway_on_each_stack, acme.token("manager")) as manager:
        last = manager.subscribe(topic)["cursor"]
    missed = publish(gateway_on_each_stack, key, *(call() for _ in range(100)))
    with Conversation(gateway_on_each_stack, acme.token("manager")) as manager:
        ack = manager.subscribe(topic, since=last)
        assert ack["recovered"] is True
        [new] = publish(gateway_on_each_stack, key, call())
        assert cursors(manager.until(new["cursor"])) == cursors([*missed, new])
        assert manager.before_pong() == []


def test_who_receives_several_customers_has_a_cursor_for_each(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company, platform: Company
) -> None:
    of_acme, of_globex = (f"customer_id:{each.id}:call" for each in (acme, globex))
    staff = platform.token("staff")
    with Conversation(gateway_on_each_stack, staff) as conversation:
        both = conversation.subscribe(of_acme, of_globex)["cursor"]
        assert conversation.ask({"type": "ping"})["cursor"] == both
    missed = [
        publish(gateway_on_each_stack, each.key("that publishes"), call())[0]["cursor"]
        for each in (acme, globex, acme, globex)
    ]
    with Conversation(gateway_on_each_stack, staff) as conversation:
        # The cursor of an event speaks of one log alone.
        assert conversation.subscribe(of_acme, of_globex, since=missed[0])["recovered"] is False
    with Conversation(gateway_on_each_stack, staff) as conversation:
        assert conversation.subscribe(of_acme, of_globex, since=both)["recovered"] is True
        assert sorted(cursors(conversation.receive() for _ in missed)) == sorted(missed)
    with Conversation(gateway_on_each_stack, staff) as conversation:
        for topic, before, last in ((of_acme, missed[0], missed[2]), (of_globex, missed[1], missed[3])):
            assert conversation.subscribe(topic, since=before)["recovered"] is True
            assert conversation.receive()["cursor"] == last
        assert conversation.before_pong() == []


def test_batches_hold_events_alone_and_keep_their_order(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    key = acme.key("that publishes")
    with Conversation(gateway_on_each_stack, acme.token("manager"), query="&batch=true") as manager:
        start = manager.subscribe(f"customer_id:{acme.id}:message")["cursor"]
        receipts = publish(gateway_on_each_stack, key, *(call() for _ in range(300)))
        manager.send(
            {"type": "subscribe", "topics": [f"customer_id:{acme.id}:call"], "since": start, "request_id": 1}
        )
        manager.send({"type": "ping", "request_id": "the end"})
        frames: list[Any] = [manager.receive()]
        while not (isinstance(frames[-1], dict) and frames[-1].get("type") == "pong"):
            frames.append(manager.receive())
    batches = [frame for frame in frames if isinstance(frame, list)]
    assert batches
    assert all(len(batch) > 1 for batch in batches)
    events = [
        event
        for frame in frames
        for event in (frame if isinstance(frame, list) else [frame])
        if "event_type" in event
    ]
    assert cursors(events) == cursors(receipts)
    answers = [frame["type"] for frame in frames if isinstance(frame, dict) and "type" in frame]
    assert answers == ["ack", "pong"]


def test_a_new_credential_in_flight_drops_what_it_is_not_authorised_for(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    owner = f"customer_id:{acme.id}"
    gil = acme.person("granted agent")
    with Conversation(gateway_on_each_stack, gil.token) as agent:
        agent.subscribe(f"{owner}:message", f"agent_id:{gil.id}")
        for foreign in (
            globex.token("manager"),
            acme.token("manager"),
            acme.key("that publishes"),
            "nonsense",
        ):
            answer = agent.ask({"type": "authenticate", "token": foreign, "request_id": 1})
            assert (answer["type"], answer["code"]) == ("error", "PERMISSION_DENIED")
            assert (answer["action"], answer["request_id"]) == ("authenticate", 1)
        answer = agent.ask({"type": "authenticate", "token": acme.key("of the granted agent")})
        assert answer == {"type": "ack", "action": "authenticate", "topics": [], "status": "success"}
        [receipt] = publish(
            gateway_on_each_stack,
            acme.key("that publishes"),
            {"event_type": "message.sent", "data": {"id": new_id()}},
        )
        assert cursors(agent.until(receipt["cursor"])) == [receipt["cursor"]]


def test_a_connection_ends_with_its_credential_unless_it_was_given_a_new_one(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    for lifetime in (2, 4, 8, 16, 30):
        credential = token_of(acme.person("manager").id, exp=time.time() + lifetime - LEEWAY_SECONDS)
        try:
            renewing = Conversation(gateway_on_each_stack, credential)
            renewed = renewing.ask({"type": "authenticate", "token": acme.token("manager")})
            ending = Conversation(gateway_on_each_stack, credential)
        except (websocket.WebSocketBadStatusException, Closed):
            continue  # This machine took longer than the token lasted.
        assert renewed["type"] == "ack"
        with renewing, ending:
            frames, code = ending.until_closed()
            assert code == 4401
            assert [(frame["code"], frame["retry"]) for frame in frames] == [("TOKEN_EXPIRED", True)]
            assert renewing.before_pong() == []
        break
    else:
        pytest.fail("no token lasted long enough to connect")
    with pytest.raises(websocket.WebSocketBadStatusException):
        Conversation(gateway_on_each_stack, credential)


@pytest.mark.parametrize(
    "claims", [{"iat": 3}, {"nbf": 3}, {"exp": -2}, {"aud": ["a page", "an app"]}], ids=str
)
def test_a_clock_that_differs_by_seconds_and_an_audience_are_no_reason_to_refuse(
    gateway_on_each_stack: Gateway, acme: Company, claims: dict[str, Any]
) -> None:
    # Seconds from now; the issuer's clock may be ahead, or this machine's.
    times = {name: time.time() + value if name != "aud" else value for name, value in claims.items()}
    token = token_of(acme.person("manager").id, **times)
    assert get(gateway_on_each_stack, token, "/v1.0/me").status_code == 200
    with Conversation(gateway_on_each_stack, token) as manager:
        manager.subscribe(f"customer_id:{acme.id}")
