"""Summaries on both servers: over REST, on sockets and on streams, each as far as the queues' events are visible."""

# Long because one cast has each kind of permission.

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.journeys.support.cast import Company, Key, company, new_id, settle
from tests.journeys.support.conversation import Conversation, get, publish
from tests.journeys.support.event_stream import EventStream
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.stacks import Stack

Figures = dict[str, Any]


@pytest.fixture(scope="module")
def acme(gateway_on_each_stack: Gateway) -> Company:
    acme = company("Acme")
    scope, served = f"customer_id:{acme.id}", acme.queues[0]
    acme.keys += [
        Key("of the served queue", allowed_topics=[f"{scope}:queue:{served}"]),
        Key("of a wallboard", allowed_topics=[f"{scope}:summary:all"]),
        Key("of calls", allowed_topics=[f"{scope}:call:*"]),
        Key("with a filter", filter='{"field": "status", "op": "eq", "value": "waiting"}'),
    ]
    settle(gateway_on_each_stack, acme)
    return acme


def queue_event(action: str, queue: str, call: str, **data: Any) -> dict[str, Any]:
    return {"event_type": f"queue.{action}", "data": {"queue_id": queue, "call_id": call, **data}}


def read(gateway: Gateway, credential: str, query: str = "") -> Figures:
    answer = get(gateway, credential, f"/v1.0/summary{query}")
    assert answer.status_code == 200, answer.text
    found: Figures = answer.json()
    return found


def summary(frames: Any) -> Figures:
    """The next frame of a summary."""
    while True:
        frame: Figures = frames.receive()
        if frame.get("event_type") == "summary.changed":
            assert frame["ephemeral"] is True
            return frame


def until_waiting(frames: Any, count: int) -> list[Figures]:
    """The frames of summaries up to the one in which so many callers wait."""
    found = [summary(frames)]
    while found[-1]["data"]["waiting"] != count:
        found.append(summary(frames))
    return found


def test_a_summary_is_sent_on_subscribing_and_with_each_change_at_most_once_a_second(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    gateway, publisher, queue = gateway_on_each_stack, acme.key("that publishes"), acme.queues[0]
    topic = f"customer_id:{acme.id}:summary:{queue}"
    calls = [new_id() for _ in range(30)]
    before = read(gateway, acme.token("manager"))
    waiting = next(each for each in before["queues"] if each["queue_id"] == queue)["waiting"]
    with (
        Conversation(gateway, acme.token("manager")) as client,
        EventStream(gateway, acme.token("manager"), topic) as stream,
        Conversation(gateway, globex.token("manager")) as stranger,
    ):
        stranger.subscribe(f"customer_id:{globex.id}:summary:*")
        ack = client.subscribe(topic)
        first = summary(client)
        assert (first["topic"], first["data"]["waiting"], first["cursor"]) == (topic, waiting, ack["cursor"])
        assert stream.receive()["type"] == "ack"
        assert summary(stream)["data"] == first["data"]
        began = time.monotonic()
        for call in calls:
            [receipt] = publish(gateway, publisher, queue_event("joined", queue, call))
        frames = until_waiting(client, waiting + len(calls))
        assert len(frames) <= time.monotonic() - began + 2
        assert frames[-1]["cursor"] == receipt["cursor"]
        over_sse = until_waiting(stream, waiting + len(calls))
        assert over_sse[-1]["data"]["waiting"] == waiting + len(calls)
        assert stream.ids[-1] == receipt["cursor"]
        publish(gateway, publisher, *(queue_event("connected", queue, each, wait_time=3) for each in calls))
        last = until_waiting(client, waiting)[-1]["data"]
        found = read(gateway, acme.token("manager"))
        [now] = [each for each in found["queues"] if each["queue_id"] == queue]
        for name in ("answered", "service_level", "asa_seconds", "talking", "today"):
            assert last[name] == now[name], name
        assert last["asa_seconds"] == 3.0
        assert {frame["data"].get("queue_id") for frame in stranger.before_pong()} <= {None, *globex.queues}


def test_a_burst_is_counted_completely_and_a_queue_that_is_made_up_has_no_summary(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    gateway, queue = gateway_on_each_stack, new_id()
    topics = [f"customer_id:{acme.id}:summary:{each}" for each in (queue, new_id())]
    with Conversation(gateway, acme.token("manager")) as client:
        client.subscribe(*topics)
        assert client.before_pong() == []
        events = [queue_event("joined", queue, new_id()) for _ in range(2500)]
        for start in (0, 900, 1800):
            publish(gateway, acme.key("that publishes"), *events[start : start + 900])
        assert {frame["topic"] for frame in until_waiting(client, len(events))} == {topics[0]}


def test_a_summary_can_be_a_cloud_event(gateway_on_each_stack: Gateway, acme: Company) -> None:
    topic = f"customer_id:{acme.id}:summary:all"
    with Conversation(
        gateway_on_each_stack, acme.token("manager"), query="&format=cloudevents&batch=true"
    ) as client:
        cursor = client.subscribe(topic)["cursor"]
        frame = client.receive()
        assert (frame["type"], frame["subject"]) == ("com.voipbin.summary.changed", topic)
        assert (frame["ephemeral"], frame["cursor"]) == (True, cursor)


def test_summaries_are_neither_stored_nor_replayed(gateway_on_each_stack: Gateway, acme: Company) -> None:
    gateway, queue = gateway_on_each_stack, acme.queues[1]
    token, topic = acme.token("manager"), f"customer_id:{acme.id}:summary:{queue}"
    with Conversation(gateway, token) as client:
        cursor = client.subscribe(f"customer_id:{acme.id}:queue:{queue}", topic)["cursor"]
        summary(client)
    calls = [new_id() for _ in range(3)]
    receipts = [
        receipt
        for call in calls
        for receipt in publish(gateway, acme.key("that publishes"), queue_event("joined", queue, call))
    ]
    with Conversation(gateway, token) as client:
        client.subscribe(f"customer_id:{acme.id}:queue:{queue}", topic, since=cursor)
        replayed = [client.receive() for _ in receipts]
        assert [each["cursor"] for each in replayed] == [each["cursor"] for each in receipts]
        assert summary(client)["data"]["waiting"] == len(calls)
    assert get(gateway, token, "/v1.0/events?resource=summary").json()["items"] == []


def test_only_those_who_receive_a_queues_events_receive_its_summary(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    gateway, (served, other) = gateway_on_each_stack, acme.queues
    scope = f"customer_id:{acme.id}:summary"
    grants = {
        "of the customer": [f"{scope}:all", f"{scope}:{other}", f"{scope}:*"],
        "of the granted agent": [f"{scope}:all", f"{scope}:{other}"],
        "of the manager": [f"{scope}:*"],
        "of the served queue": [f"{scope}:{served}"],
        "of a wallboard": [f"{scope}:all"],
        "of the agent": [],
        "of calls": [],
    }
    for label, granted in grants.items():
        for topic in (f"{scope}:all", f"{scope}:{served}", f"{scope}:{other}", f"{scope}:*"):
            with Conversation(gateway, acme.key(label)) as client:
                answer = client.ask({"type": "subscribe", "topics": [topic]})
                may = topic in granted or (
                    label in ("of the customer", "of the manager", "of the granted agent")
                    and topic != f"{scope}:*"
                )
                assert (answer["type"] == "ack") == may, (label, topic, answer)
                if may:
                    assert summary(client)["topic"].startswith(f"customer_id:{acme.id}:summary:")
    with Conversation(gateway, globex.token("manager")) as stranger:
        answer = stranger.ask({"type": "subscribe", "topics": [f"{scope}:all"]})
        assert (answer["type"], answer["code"]) == ("error", "PERMISSION_DENIED")
    with EventStream(gateway, acme.key("of calls"), f"{scope}:all") as stream:
        assert stream.status == 403


def test_an_agent_receives_the_summaries_of_its_own_queues(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    gateway, served = gateway_on_each_stack, acme.queues[0]
    person = acme.person("agent")
    with Conversation(gateway, person.token) as client:
        client.subscribe(f"agent_id:{person.id}:summary:all")
        frame = summary(client)
        assert frame["topic"] == f"agent_id:{person.id}:summary:{served}"
        assert frame["data"]["queue_id"] == served
        assert client.before_pong() == []


def test_a_summary_over_rest_has_what_the_credential_may_see(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company, platform: Company
) -> None:
    gateway, (served, other) = gateway_on_each_stack, acme.queues

    def seen(credential: str, query: str = "") -> tuple[bool, set[str], bool]:
        found = read(gateway, credential, query)
        return (
            found["total"] is not None,
            {each["queue_id"] for each in found["queues"]} & {*acme.queues, *globex.queues},
            found["agents"] is not None,
        )

    everything = (True, {served, other}, True)
    assert seen(acme.token("manager")) == everything
    assert seen(acme.key("of the customer")) == everything
    assert seen(platform.token("staff"), f"?customer_id={acme.id}") == everything
    assert seen(acme.token("granted agent")) == (True, {served, other}, False)
    assert seen(acme.token("agent")) == (False, {served}, False)
    assert seen(acme.key("of the served queue")) == (False, {served}, False)
    assert seen(acme.key("of a wallboard")) == (True, set(), False)
    assert seen(acme.key("of calls")) == (False, set(), False)
    assert seen(globex.token("manager")) == (True, set(globex.queues), True)
    assert get(gateway, acme.key("with a filter"), "/v1.0/summary").status_code == 403
    assert get(gateway, globex.token("manager"), f"/v1.0/summary?customer_id={acme.id}").status_code == 403
    assert get(gateway, acme.token("manager"), "/v1.0/summary?queue=1").status_code == 400


def test_a_connection_ends_without_its_summaries(gateway_on_each_stack: Gateway, acme: Company) -> None:
    gateway, queue = gateway_on_each_stack, acme.queues[0]
    topic = f"customer_id:{acme.id}:summary:{queue}"
    with Conversation(gateway, acme.token("manager")) as client:
        client.subscribe(topic)
        summary(client)
        client.ask({"type": "unsubscribe", "topics": [topic]})
        publish(gateway, acme.key("that publishes"), queue_event("joined", queue, new_id()))
        client.subscribe(f"customer_id:{acme.id}:summary:all")
        assert summary(client)["topic"].endswith(":all")
        assert [each["topic"] for each in client.before_pong() if each["topic"] == topic] == []


def test_a_replaced_log_ends_the_connection_and_its_summary_begins_anew(
    gateway: Gateways, stack: Stack
) -> None:
    own = gateway(stack.server, postgres=stack.shared, redis=stack.shared, CHECK_INTERVAL_SECONDS="0.2")
    acme = company("Acme")
    settle(own, acme)
    topic = f"customer_id:{acme.id}:summary:all"
    publish(own, acme.key("that publishes"), queue_event("joined", acme.queues[0], new_id()))
    with Conversation(own, acme.token("manager")) as client:
        before = client.subscribe(topic)["cursor"]
        assert summary(client)["data"]["waiting"] == 1
        own.manage("renew_epochs")
        assert client.until_closed()[1] == 4012
    with Conversation(own, acme.token("manager")) as client:
        client.subscribe(topic)
        frame = summary(client)
        assert frame["data"]["waiting"] == 1
        assert frame["cursor"].split(".")[0] != before.split(".")[0]
        publish(own, acme.key("that publishes"), queue_event("joined", acme.queues[0], new_id()))
        assert summary(client)["data"]["waiting"] == 2


def test_a_missed_target_is_published_once_by_all_processes_and_known_to_each(gateway: Gateways) -> None:
    one = gateway("daphne", postgres=True, redis=True, CHECK_INTERVAL_SECONDS="0.2")
    other = gateway("uvicorn", database_url=one.database_url, redis=True, CHECK_INTERVAL_SECONDS="0.2")
    acme = company("Acme")
    settle(one, acme)
    queue, breaches = acme.queues[0], f"customer_id:{acme.id}:sla:*"
    person = acme.person("agent")

    def callers(count: int, wait_seconds: int) -> None:
        for _ in range(count):
            call = new_id()
            event = queue_event("connected", queue, call, wait_time=wait_seconds)
            publish(one, acme.key("that publishes"), queue_event("joined", queue, call), event)

    with (
        Conversation(one, acme.token("manager")) as client,
        EventStream(other, acme.key("of the customer"), breaches) as stream,
        Conversation(other, person.token) as agent,
    ):
        client.subscribe(breaches)
        agent.subscribe(f"agent_id:{person.id}:sla:*")
        assert stream.receive()["type"] == "ack"
        callers(5, 60)
        breach = client.receive()
        assert (breach["event_type"], breach["data"]["service_level"]) == ("sla.breached", 0.0)
        assert stream.receive() == breach
        assert agent.receive()["id"] == breach["id"]
        for each in (one, other):
            [found] = [row for row in read(each, acme.token("manager"))["queues"] if row["queue_id"] == queue]
            assert (found["is_breached"], found["breached_since"]) == (True, breach["timestamp"])
        callers(25, 1)
        cleared = client.receive()
        assert (cleared["event_type"], cleared["data"]["since"]) == ("sla.cleared", breach["timestamp"])
        assert not read(other, acme.token("manager"))["total"]["is_breached"]
    stored = get(one, acme.token("manager"), "/v1.0/events?resource=sla").json()["items"]
    assert [each["id"] for each in stored] == [breach["id"], cleared["id"]]
