"""Filters of drawn events: live, replay and history are what a naive filter says, and no other tenant's.

The naive filter reads events and filters as the protocol document describes them, and shares no code with the gateway.
"""

# Long because the naive filter stands beside the cases.

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from events.database.threads import in_database_thread
from events.domain.event_parser import read_event
from events.domain.topics import known_resources
from events.domain.visibility import Visible
from events.filters.event_filter import NO_FILTER, EventFilter
from events.filters.expression import canonical, parse
from events.log import reader
from events.log.publish import publish
from events.reading.history import read_history
from events.reading.queries import read_history_query, read_state_query
from events.reading.states import read_states
from tests.subscriptions.support.hub_harness import Client, HubHarness, everything, held, new_customer, until

AGENTS = [f"0000000{n}-0000-4000-8000-000000000000" for n in (1, 2, 3)]
FIELDS: dict[str, list[Any]] = {
    "status": ["available", "busy", "away"],
    "direction": ["inbound", "outbound"],
    "queue_id": ["q1", "q2"],
    "team": ["sales", "care"],
    "size": [1, 2, 3],
    "vip": [True, False],
    "resource": ["call", "agent"],
    "event_type": ["call.updated", "agent.status"],
    "agent_id": AGENTS,
    "missing": ["x", 1],
}
Json = dict[str, Any]


def drawn_event(draw: random.Random) -> Json:
    data: Json = {}
    for name in ("direction", "queue_id"):
        if draw.random() < 0.4:
            data[name] = draw.choice([*FIELDS[name], None, 5])
    item: Json = {"data": data}
    if draw.random() < 0.5:
        data["id"], item["event_type"] = draw.choice("abc"), "call.updated"
    else:
        data["id"], item["event_type"] = draw.choice(AGENTS), "agent.status"
        data["status"] = draw.choice(FIELDS["status"])
    if draw.random() < 0.4:
        names = draw.sample(["team", "size", "vip"], draw.randint(0, 3))
        item["tags"] = {name: draw.choice(FIELDS[name]) for name in names}
    return item


def drawn_filter(draw: random.Random, depth: int = 3) -> Json:
    op = draw.choice(["and", "or", "not"]) if depth and draw.random() < 0.5 else ""
    if op == "not":
        return {"op": op, "filter": drawn_filter(draw, depth - 1)}
    if op:
        return {"op": op, "filters": [drawn_filter(draw, depth - 1) for _ in range(draw.randint(1, 3))]}
    field = draw.choice(list(FIELDS))
    value = draw.choice([*FIELDS[field], 1, "1", True])
    op = draw.choice(["eq", "neq", "in", "nin", "ex", "nex", "sw", "ew", "ct", "gt", "gte", "lt", "lte"])
    if op in ("ex", "nex"):
        return {"field": field, "op": op}
    if op in ("in", "nin"):
        return {"field": field, "op": op, "values": [value, draw.choice(FIELDS[field])]}
    if op in ("sw", "ew", "ct"):
        value = draw.choice(["a", "in", "s", ""])
    elif op[0] in "gl":
        value = draw.choice([1, 2, 2.5])
    return {"field": field, "op": op, "value": value}


def naive(chosen: Json, tags: Json) -> bool:
    op = chosen["op"]
    if op in ("and", "or"):
        answers = [naive(each, tags) for each in chosen["filters"]]
        return all(answers) if op == "and" else any(answers)
    if op == "not":
        return not naive(chosen["filter"], tags)
    name = chosen["field"]
    if op in ("ex", "nex"):
        return (name in tags) == (op == "ex")
    if op in ("eq", "neq", "in", "nin"):
        values = chosen.get("values", [chosen.get("value")])
        found = name in tags and json.dumps(tags[name]) in [json.dumps(each) for each in values]
        return found == (op in ("eq", "in"))
    tag, value = tags.get(name), chosen["value"]
    if op in ("sw", "ew", "ct"):
        compared = {"sw": "startswith", "ew": "endswith", "ct": "__contains__"}[op]
        return type(tag) is str and bool(getattr(tag, compared)(value))
    if type(tag) not in (int, float):
        return False
    assert isinstance(tag, int | float)
    return {"gt": tag > value, "gte": tag >= value, "lt": tag < value, "lte": tag <= value}[op]


class Model:
    """The tags of each resource, by the protocol document."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], tuple[Json, Json]] = {}

    def take(self, item: Json) -> tuple[str, Json, Json | None]:
        """Return the event's topic, its tags, and those of its resource before it."""
        resource, resource_id = item["event_type"].split(".")[0], item["data"]["id"]
        before = self._states.get((resource, resource_id))
        data, own = before or ({}, {})
        data = {**data, **item["data"]}
        own = item.get("tags", own)
        self._states[resource, resource_id] = data, own

        def tags(data: Json, own: Json) -> Json:
            named = ("status", "direction", "queue_id")
            found = {name: data[name] for name in named if isinstance(data.get(name), str)}
            if resource == "agent":
                found["agent_id"] = resource_id
            return {
                **own,
                **found,
                "event_type": item["event_type"],
                "resource": resource,
                "resource_id": resource_id,
            }

        return f"{resource}:{resource_id}", tags(data, own), tags(*before) if before else None


def expected(
    events: list[Json], subscriptions: dict[str, Json | None], key: Json | None
) -> list[tuple[int, str]]:
    """The numbers of the events that a client receives, and how."""
    model, found = Model(), []
    for number, item in enumerate(events, 1):
        topic, now, before = model.take(item)
        chosen = [
            own
            for pattern, own in subscriptions.items()
            if pattern in ("*:*", topic, topic.split(":")[0] + ":*")
        ]
        may_read = key is None or naive(key, now)
        could_read = before is not None and (key is None or naive(key, before))
        if may_read and any(own is None or naive(own, now) for own in chosen):
            found.append((number, "whole"))
        elif could_read and any(own is None or naive(own, before or {}) for own in chosen):
            found.append((number, "left" if may_read else "withdrawn"))
    return found


def received(frames: list[Json]) -> list[tuple[int, str]]:
    found = []
    for frame in frames:
        is_bare = set(frame["data"]) == {"id"} and set(frame) == {
            *("event_type", "timestamp", "topic", "data", "left", "id", "cursor")
        }
        form = "whole" if "left" not in frame else "withdrawn" if is_bare else "left"
        found.append((int(frame["cursor"].partition(".")[2]), form))
    return found


def alike(found: list[tuple[int, str]], wanted: list[tuple[int, str]], events: list[Json]) -> bool:
    """An event that has nothing but its id looks the same with and without its content."""
    bare = {number for number, item in enumerate(events, 1) if set(item["data"]) == {"id"}}

    def plain(each: list[tuple[int, str]]) -> list[tuple[int, str]]:
        return [(n, "left" if n in bare and form == "withdrawn" else form) for n, form in each]

    return plain(found) == plain(wanted)


def text_of(chosen: Json | None) -> str | None:
    return None if chosen is None else canonical(parse(chosen))


@pytest.mark.parametrize("seed", range(20))
async def test_live_replay_and_history_are_what_a_naive_filter_says(harness: HubHarness, seed: int) -> None:
    draw = random.Random(seed)
    acme, globex = new_customer(), new_customer()
    events = [drawn_event(draw) for _ in range(30)]
    clients: list[tuple[Client, dict[str, Json | None], Json | None]] = []
    for _ in range(8):
        key = drawn_filter(draw) if draw.random() < 0.5 else None
        patterns = draw.sample(
            ["*:*", "call:*", "agent:*", "call:a", f"agent:{AGENTS[0]}"], draw.randint(1, 3)
        )
        subscriptions = {each: drawn_filter(draw) if draw.random() < 0.8 else None for each in patterns}
        clients.append((await connected(harness, acme, subscriptions, key), subscriptions, key))
    stranger = await connected(harness, globex, {"*:*": drawn_filter(draw)}, None)
    everyone = await connected(harness, acme, {"*:*": None}, None)
    drafts = [
        read_event(
            {**item, "timestamp": datetime(2024, 1, 15, 10, tzinfo=UTC).isoformat()},
            customer_id=acme,
            resources=known_resources(),
            max_bytes=1000,
        )
        for item in events
    ]
    for start in range(0, len(drafts), 7):
        await in_database_thread(publish, drafts[start : start + 7])
        await harness.announce(*await harness.store(acme, 0))
    await until(lambda: len(everyone.events) == len(events), "all events")
    epoch = (await in_database_thread(reader.head_of, acme)).epoch
    for client, subscriptions, key in clients:
        wanted = expected(events, subscriptions, key)
        await until(lambda client=client, wanted=wanted: len(client.events) >= len(wanted), "the events")  # type: ignore[misc]
        assert alike(received(client.events), wanted, events), (subscriptions, key)
        assert alike(
            received(await replayed(harness, acme, subscriptions, key, f"{epoch}.0")), wanted, events
        ), (subscriptions, key)
        for pattern, own in subscriptions.items():
            past = await in_database_thread(history, acme, pattern, own, key)
            assert alike(received(past), expected(events, {pattern: own}, key), events), (pattern, own, key)
    assert stranger.events == []
    for own, key in ((drawn_filter(draw), None), (drawn_filter(draw), drawn_filter(draw))):
        await in_database_thread(compare_states, acme, events, own, key)


async def connected(
    harness: HubHarness, customer_id: str, subscriptions: dict[str, Json | None], key: Json | None
) -> Client:
    client = Client(harness)
    for pattern, own in subscriptions.items():
        # The filter of an earlier message is replaced.
        for chosen in (NO_FILTER, EventFilter(text_of(own), text_of(key))):
            topic = f"customer_id:{customer_id}:{pattern}"
            await client.subscribe(topic, customer_id=customer_id, chosen=chosen)
    return client


async def replayed(
    harness: HubHarness, customer_id: str, subscriptions: dict[str, Json | None], key: Json | None, since: str
) -> list[Json]:
    """Subscribe once with each filter; all that is replayed, in the order of the log."""
    client = Client(harness)
    for pattern, own in subscriptions.items():
        chosen = EventFilter(text_of(own), text_of(key))
        topic = f"customer_id:{customer_id}:{pattern}"
        await client.subscribe(topic, customer_id=customer_id, since=since, chosen=chosen)
        await client.replayed()
    await client.outbox.room()
    best: dict[str, Json] = {}
    for frame in client.events:
        # An event that left one topic's filter is sent again if it matches another topic's.
        assert frame["cursor"] not in best or "left" in best[frame["cursor"]]
        best[frame["cursor"]] = frame
    return sorted(best.values(), key=lambda frame: int(frame["cursor"].partition(".")[2]))


def history(customer_id: str, pattern: str, own: Json | None, key: Json | None) -> list[Json]:
    resource, resource_id = pattern.split(":")
    parameters = {"resource": [resource], "resource_id": [resource_id], "filter": [json.dumps(own)]}
    wanted = {
        name: values
        for name, values in parameters.items()
        if values != ["*"] and not (name == "filter" and own is None)
    }
    query = read_history_query({**wanted, "limit": ["1000"]}, resources=known_resources())
    page = read_history(Visible(customer_id, None, None, filter=text_of(key)), query)
    return [json.loads(frame) for frame in page.frames]


def compare_states(customer_id: str, events: list[Json], own: Json, key: Json | None) -> None:
    model, now = Model(), {}
    for item in events:
        topic, tags, _ = model.take(item)
        now[topic] = tags
    wanted = {topic for topic, tags in now.items() if naive(own, tags) and (key is None or naive(key, tags))}
    found = set()
    for resource in ("call", "agent"):
        place: dict[str, list[str]] = {}
        while True:
            query = read_state_query({"filter": [json.dumps(own)], "limit": ["1"], **place})
            page = read_states(Visible(customer_id, None, None, filter=text_of(key)), resource, query)
            found |= {f"{resource}:{json.loads(item)['resource_id']}" for item in page.items}
            if page.next is None:
                break
            # Nothing that is hidden makes a page.
            assert page.items
            place = {"next": [str(page.next)]}
    assert found == wanted


async def test_an_event_comes_once_with_the_best_of_several_filters(harness: HubHarness) -> None:
    acme = new_customer()
    client = Client(harness)
    for topic, own in (
        (everything(acme), {"field": "team", "op": "eq", "value": "sales"}),
        (f"customer_id:{acme}:call:*", {"field": "vip", "op": "eq", "value": True}),
    ):
        await client.subscribe(topic, customer_id=acme, chosen=EventFilter(text_of(own)))
    for tags in (
        {"team": "sales", "vip": True},
        {"team": "care", "vip": True},
        {"team": "care"},
        {"team": "x"},
    ):
        item = {"event_type": "call.updated", "data": {"id": "a"}, "tags": tags}
        draft = read_event(item, customer_id=acme, resources=known_resources(), max_bytes=1000)
        await in_database_thread(publish, [draft])
        await harness.announce(*await harness.store(acme, 0))
    await until(lambda: len(client.events) == 3)
    assert [(each["cursor"][-1], each.get("left")) for each in client.events] == [
        ("1", None),
        ("2", None),
        ("3", True),
    ]


async def test_a_keys_new_filter_applies_from_the_next_event_also_to_what_is_replayed(
    harness: HubHarness,
) -> None:
    acme, sales = new_customer(), text_of({"field": "team", "op": "eq", "value": "sales"})
    topic, idle = everything(acme), f"customer_id:{acme}:agent:*"

    async def published(*teams: str) -> None:
        for team in teams:
            item = {"event_type": "call.updated", "data": {"id": team}, "tags": {"team": team}}
            draft = read_event(item, customer_id=acme, resources=known_resources(), max_bytes=1000)
            await in_database_thread(publish, [draft])
        await harness.announce(*await harness.store(acme, 0))

    live, replaying = Client(harness), Client(harness)
    await live.subscribe(topic, customer_id=acme)
    await published("sales", "care")
    await until(lambda: len(live.events) == 2)
    epoch = (await in_database_thread(reader.head_of, acme)).epoch
    await replaying.subscribe(topic, customer_id=acme, since=f"{epoch}.0")
    for client in (live, replaying):
        # A topic that is not held yet is not subscribed by it.
        narrowed = [held(each, acme, EventFilter(None, sales)) for each in (topic, idle)]
        harness.hub.refilter(client.subscriber, narrowed)
    await replaying.replayed()
    await published("care", "sales")
    await until(lambda: len(live.events) == 3 and len(replaying.events) == 2)
    assert live.numbers == [1, 2, 4]
    assert replaying.numbers == [1, 4]
    assert set(live.subscriber.subscriptions[acme].topics) == {topic}
