"""Who receives what: every kind of credential and topic, own and foreign, judged by an oracle of the contract."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.journeys.support.cast import Company
from tests.journeys.support.conversation import Conversation, Frame, is_presence, publish
from tests.journeys.support.oracle import CALL, Subscriber, events_of, listeners, patterns
from tests.support.gateway import Gateway


@pytest.fixture(scope="module")
def everybody(acme: Company, globex: Company, platform: Company) -> list[Subscriber]:
    staff = platform.person("staff")
    return [
        *listeners(acme),
        *listeners(globex),
        Subscriber("staff", staff.token, platform.id, staff.id, receives_all=True),
        Subscriber("staff's key", platform.key("of the staff"), platform.id, staff.id, receives_all=True),
    ]


@pytest.fixture(scope="module")
def agents(acme: Company, globex: Company, platform: Company) -> dict[str, str]:
    """The customer of each agent."""
    return {person.id: each.id for each in (acme, globex, platform) for person in each.people}


@pytest.fixture(scope="module")
def requested(acme: Company, globex: Company) -> list[str]:
    """Every form of topic of both customers and of agents of both."""
    owners = [("customer_id", company.id) for company in (acme, globex)] + [
        ("agent_id", company.person(name).id)
        for company in (acme, globex)
        for name in ("agent", "granted agent", "manager")
    ]
    return [pattern for owner in owners for pattern in patterns(*owner)]


def test_each_topic_is_granted_or_refused_as_the_contract_says(
    gateway_on_each_stack: Gateway, everybody: list[Subscriber], requested: list[str]
) -> None:
    for listener in everybody:
        with Conversation(gateway_on_each_stack, listener.credential) as conversation:
            granted = [pattern for pattern in requested if listener.is_authorised(pattern)]
            refused = [pattern for pattern in requested if not listener.is_authorised(pattern)]
            conversation.send({"type": "subscribe", "topics": requested})
            answers = conversation.before_pong()
        acks = [frame["topics"] for frame in answers if frame["type"] == "ack"]
        errors = [(frame["code"], frame["topics"]) for frame in answers if frame["type"] == "error"]
        assert acks == ([granted] if granted else []), listener.name
        assert errors == ([("PERMISSION_DENIED", refused)] if refused else []), listener.name


async def test_each_subscription_receives_its_own_events_and_no_other(
    gateway_on_each_stack: Gateway,
    everybody: list[Subscriber],
    requested: list[str],
    agents: dict[str, str],
    acme: Company,
    globex: Company,
    platform: Company,
) -> None:
    """A socket for each credential and topic that it is granted, and one for all that it is refused of each owner, all
    open at once."""
    published = [*events_of(acme, globex), *events_of(globex, acme)]
    witness = await _connect(gateway_on_each_stack, platform.token("staff"))
    await _ask(witness, f"customer_id:{acme.id}", f"customer_id:{globex.id}")
    sockets: list[tuple[Subscriber, str, ClientConnection]] = []
    for listener in everybody:
        sockets += await asyncio.gather(
            *(
                _listening(gateway_on_each_stack, listener, topics)
                for topics in _for_sockets(listener, requested)
            )
        )

    receipts = await asyncio.to_thread(
        publish, gateway_on_each_stack, platform.token("staff"), *(each.item for each in published)
    )
    for each, receipt in zip(published, receipts, strict=True):
        assert tuple(receipt["topics"]) == each.topics
    # The hub hands an event to all who receive it before the next one: what the witness has, the
    # others have before their pong.
    ends = {receipt["cursor"] for receipt in _last_of_each_log(receipts)}
    while ends:
        ends.discard(json.loads(await witness.recv())["cursor"])

    received = await asyncio.gather(*(_received(socket) for _, _, socket in sockets))
    for (listener, pattern, _), frames in zip(sockets, received, strict=True):
        expected = []
        if listener.is_authorised(pattern):
            expected = [
                (receipt["id"], topic, each.item["data"])
                for each, receipt in zip(published, receipts, strict=True)
                if (topic := each.topic_for(pattern, agents))
            ]
        got = [(frame["id"], frame["topic"], frame["data"]) for frame in frames]
        assert got == expected, f"{listener.name} of {listener.customer_id} on {pattern}"
    assert sum(map(len, received)) > len(published)
    await asyncio.gather(witness.close(), *(socket.close() for _, _, socket in sockets))


@pytest.mark.parametrize("overlap", ["own", "with its agent's"])
def test_five_overlapping_topics_bring_each_event_once(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company, overlap: str
) -> None:
    owner = f"customer_id:{acme.id}"
    topics = [owner, f"{owner}:call", f"{owner}:call:*", f"{owner}:*:{CALL}", f"{owner}:call:{CALL}"]
    if overlap != "own":
        manager = acme.person("manager").id
        topics = [f"agent_id:{manager}", f"agent_id:{manager}:call:*", *topics[:3]]
    published = list(events_of(acme, globex))
    with Conversation(gateway_on_each_stack, acme.token("manager")) as conversation:
        conversation.subscribe(*topics)
        items = [{**each.item, "customer_id": acme.id} for each in published]
        receipts = publish(gateway_on_each_stack, acme.key("that publishes"), *items)
        received = conversation.until(receipts[-1]["cursor"])
        assert conversation.before_pong() == []
    assert [(frame["id"], frame["topic"]) for frame in received] == [
        (receipt["id"], each.topics[0]) for each, receipt in zip(published, receipts, strict=True)
    ]


async def _connect(gateway: Gateway, credential: str) -> ClientConnection:
    address = f"{gateway.ws_url}?{urlencode({'token': credential})}"
    return await connect(address, compression=None, ping_interval=None, open_timeout=30, max_queue=None)


def _for_sockets(listener: Subscriber, requested: list[str]) -> list[list[str]]:
    refused: dict[str, list[str]] = {}
    for pattern in requested:
        if not listener.is_authorised(pattern):
            refused.setdefault(":".join(pattern.split(":")[:2]), []).append(pattern)
    return [[pattern] for pattern in requested if listener.is_authorised(pattern)] + list(refused.values())


async def _listening(
    gateway: Gateway, listener: Subscriber, topics: list[str]
) -> tuple[Subscriber, str, ClientConnection]:
    socket = await _connect(gateway, listener.credential)
    answer = await _ask(socket, *topics)
    assert answer["topics"] == topics
    assert (answer["type"] == "ack") == listener.is_authorised(topics[0]), f"{listener.name}: {answer}"
    return listener, topics[0], socket


async def _ask(socket: ClientConnection, *topics: str) -> Frame:
    await socket.send(json.dumps({"type": "subscribe", "topics": topics}))
    return json.loads(await socket.recv())


async def _received(socket: ClientConnection) -> list[Frame]:
    await socket.send('{"type": "ping"}')
    frames = []
    while (frame := json.loads(await socket.recv())).get("type") != "pong":
        if not is_presence(frame):
            frames.append(frame)
    return frames


def _last_of_each_log(receipts: list[Frame]) -> list[Frame]:
    return list({receipt["cursor"].partition(".")[0]: receipt for receipt in receipts}.values())
