"""The filters and warnings of a session: each topic has its message's filter, and the access key's."""

from __future__ import annotations

import json
from dataclasses import replace

from events.filters.event_filter import NO_FILTER, EventFilter
from subscriptions.protocol.effects import AuditEntry, AuditVerdict, Join, Record, Refilter, Send
from subscriptions.protocol.messages import Action, Subscribe
from subscriptions.protocol.permissions import Rule
from tests.subscriptions.protocol.test_session import CALLS, MANAGER, NOW, session, subscribe

FILTER = {"field": "status", "op": "eq", "value": "answered"}
CANONICAL = '{"field": "status", "op": "eq", "value": "answered"}'


def test_a_filter_belongs_to_the_topics_of_its_message() -> None:
    current = session(MANAGER)
    effects = subscribe(current, CALLS, filter=FILTER)
    (held,) = current.topics.values()
    assert held.filter == EventFilter(CANONICAL)
    assert effects == [
        Record(
            (
                AuditEntry(
                    Action.SUBSCRIBE, CALLS, AuditVerdict.GRANTED, Rule.CUSTOMER_MANAGER, held.filter.text
                ),
            )
        ),
        Join((held,), None, None, FILTER),
    ]


def test_subscribing_again_replaces_the_filter() -> None:
    current = session(MANAGER)
    subscribe(current, CALLS, filter=FILTER)
    subscribe(current, CALLS)
    assert [held.filter for held in current.topics.values()] == [NO_FILTER]


def test_an_invalid_filter_refuses_the_message() -> None:
    current = session(MANAGER)
    record, send = subscribe(current, CALLS, CALLS + ":x", filter={"op": "and"}, x=1)
    assert not current.topics
    assert isinstance(record, Record)
    assert record.entries[0].rule == "invalid-filter"
    assert isinstance(send, Send)
    frame = json.loads(send.frame)
    assert (frame["code"], frame["topics"]) == ("INVALID_FILTER", [CALLS, CALLS + ":x"])
    assert frame["message"] == "filters: missing: the operator and has op, filters"
    assert frame["warnings"] == ['unknown field "x": there are filter, request_id, since, topics, type']
    assert "retry_after" not in frame


def test_the_access_keys_filter_is_added_to_every_topic() -> None:
    current = session(replace(MANAGER, filter="{}"))
    subscribe(current, CALLS, filter=FILTER)
    assert [held.filter for held in current.topics.values()] == [EventFilter(CANONICAL, "{}")]


def test_a_changed_filter_of_the_key_applies_to_the_topics_that_are_held() -> None:
    current = session(MANAGER)
    subscribe(current, CALLS, filter=FILTER)
    assert current.permissions_changed(replace(MANAGER, filter="{}")) == [
        Refilter(tuple(current.topics.values()))
    ]
    assert [held.filter for held in current.topics.values()] == [EventFilter(CANONICAL, "{}")]
    assert current.permissions_changed(replace(MANAGER, filter="{}")) == []
    current.topics.clear()
    assert current.permissions_changed(MANAGER) == []


def test_unknown_fields_are_in_every_answer() -> None:
    current = session(MANAGER)
    warned = {"x": 1}

    def warnings(text: str) -> list[str]:
        effects = current.receive(text, NOW)
        (sent,) = [each for each in effects if isinstance(each, Send)]
        found: list[str] = json.loads(sent.frame).get("warnings", [])
        return found

    assert len(warnings(json.dumps({"type": "unsubscribe", "topics": [CALLS], **warned}))) == 1
    assert len(warnings(json.dumps({"type": "unsubscribe", "topics": ["bad"], **warned}))) == 1
    assert len(warnings(json.dumps({"type": "subscribe", "topics": ["bad"], **warned}))) == 1
    assert len(warnings(json.dumps({"type": "subscribe", "topic": [CALLS]}))) == 1
    (join,) = [each for each in subscribe(current, CALLS, **warned) if isinstance(each, Join)]
    assert len(join.warnings) == 1


def test_the_topics_of_several_messages_become_live_together() -> None:
    current = session(MANAGER)
    queues = CALLS.replace(":call:", ":queue:")
    with_filter, without = (
        Subscribe((CALLS,), "e.1", None, FILTER),
        Subscribe((queues, "no topic"), "e.1", None),
    )
    effects = current.subscribe_together([with_filter, without], {}, NOW)
    assert [type(effect) for effect in effects] == [Record, Record, Join, Send]
    join = effects[2]
    assert isinstance(join, Join)
    assert [held.text for held in join.topics] == [CALLS, queues]
    assert [held.filter for held in join.topics] == [EventFilter(CANONICAL), NO_FILTER]
    assert join.since == "e.1"


def test_a_single_message_is_acknowledged_as_it_is() -> None:
    current = session(MANAGER)
    message = Subscribe((CALLS,), None, None, FILTER)
    assert current.subscribe_together([message], {}, NOW) == session(MANAGER).subscribe(message, {}, NOW)
