"""A summary takes the entries of the log as they are delivered."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from events.domain.event import Entry, make_entry
from events.summary.customer_summary import Summary
from events.summary.fold import SummaryFold
from events.summary.profile import CustomerProfile
from events.summary.summary_event import SummaryEvent, read_entry

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def entry(seq: int, event_type: str, resource_id: str, data: dict[str, Any], **fields: Any) -> Entry:
    return make_entry(
        seq=seq,
        epoch="0123456789ab",
        event_id=f"e{seq}",
        event_type=event_type,
        timestamp=NOON,
        topics=(f"customer_id:c:{event_type.partition('.')[0]}:{resource_id}",),
        body=json.dumps(data),
        **fields,
    )


@pytest.mark.parametrize(
    ("event_type", "data", "fields", "read"),
    [
        ("message.sent", {"id": "x", "text": "Hi"}, {}, None),
        ("call.status", {"id": "x", "status": "answered"}, {}, (None, "", None, {})),
        (
            "call.ended",
            {"id": "x", "active": False},
            {"ended": True},
            (True, "", None, {"id": "x", "active": False}),
        ),
        ("call.status", {"id": "x"}, {"ended": False}, (False, "", None, {})),
        (
            "queue.connected",
            {"call_id": "y"},
            {"tags": '{"status": "connected"}', "was": '{"status": "waiting", "queue_id": null}'},
            (None, "connected", "waiting", {"call_id": "y"}),
        ),
        (
            "agent.status",
            {"status": "busy"},
            {"tags": '{"status": "away"}', "was": '{"status": null}'},
            (None, "away", None, {"status": "busy"}),
        ),
        ("agent.status", {"status": 7}, {"named_agents": ["a"]}, (None, "", None, {"status": 7})),
    ],
)
def test_an_entry_has_what_the_fold_of_states_made_of_its_event(
    event_type: str, data: dict[str, Any], fields: dict[str, Any], read: tuple[Any, ...] | None
) -> None:
    found = read_entry(entry(7, event_type, "x", data, **fields))
    resource = event_type.partition(".")[0]
    expected = read and SummaryEvent(event_type, resource, "x", NOON.timestamp(), *read)
    assert found == expected


def test_a_summary_holds_at_the_last_entry_that_it_took() -> None:
    summary = Summary("c", "0123456789ab", 4, SummaryFold(CustomerProfile()), 0.0)
    joined = {"tags": '{"status": "waiting"}'}
    summary.take(
        [entry(5, "queue.joined", "q", {"call_id": "y"}, **joined), entry(6, "message.sent", "m", {})]
    )
    assert str(summary.position) == "0123456789ab.6"
    assert list(summary.fold.lines["q"].waiting) == ["y"]
