"""Which events end what, and how what is known of a resource grows."""

from __future__ import annotations

from typing import Any

import pytest

from events.domain.resource_state import (
    changes_state,
    ends_call,
    ends_members,
    is_live_after,
    member_of,
    merged,
)


@pytest.mark.parametrize(
    ("event_type", "member_id", "data", "live"),
    [
        ("call.created", "", {"status": "ringing"}, True),
        ("call.status", "", {"status": "answered"}, True),
        ("call.status", "", {"status": "hangup"}, False),
        ("call.ended", "", {}, False),
        ("call.ended", "", {"status": "answered"}, False),
        ("recording.started", "", {"status": "hangup"}, True),
        ("recording.completed", "", {}, False),
        ("activeflow.updated", "", {}, True),
        ("activeflow.completed", "", {}, False),
        ("transcription.completed", "", {}, False),
        ("agent.status", "", {"status": "offline"}, True),
        ("agent.deleted", "", {}, False),
        ("message.received", "", {}, False),
        ("message.sent", "", {}, False),
        ("queue.joined", "c", {}, True),
        ("queue.connected", "c", {}, True),
        ("queue.left", "c", {}, False),
        ("queue.left", "", {}, True),
        ("conference.joined", "c", {}, True),
        ("conference.left", "c", {}, False),
        ("conference.ended", "", {}, False),
        ("conference.ended", "c", {}, False),
    ],
)
def test_an_event_leaves_its_resource_live_or_ends_it(
    event_type: str, member_id: str, data: dict[str, Any], live: bool
) -> None:
    assert is_live_after(event_type, member_id, data) is live


@pytest.mark.parametrize(
    ("event_type", "changes"),
    [("call.created", True), ("agent.status", True), ("message.sent", True), ("call.test", False)],
)
def test_only_a_test_event_says_nothing_of_its_resource(event_type: str, changes: bool) -> None:
    assert changes_state(event_type) is changes


@pytest.mark.parametrize(
    ("resource", "data", "member"),
    [
        ("queue", {"queue_id": "q", "call_id": "c"}, "c"),
        ("conference", {"conference_id": "f", "call_id": "c"}, "c"),
        ("conference", {"conference_id": "f"}, ""),
        ("queue", {"queue_id": "q", "call_id": None}, ""),
        ("queue", {"queue_id": "q", "call_id": 5}, ""),
        ("queue", {"queue_id": "q", "call_id": "x" * 200}, "x" * 128),
        ("recording", {"id": "r", "call_id": "c"}, ""),
        ("call", {"id": "c", "call_id": "c"}, ""),
    ],
)
def test_a_call_has_a_place_of_its_own_in_a_queue_or_conference(
    resource: str, data: dict[str, Any], member: str
) -> None:
    assert member_of(resource, data) == member


@pytest.mark.parametrize(
    ("event_type", "member_id", "ends"),
    [
        ("conference.ended", "", True),
        ("queue.deleted", "", True),
        ("conference.ended", "c", False),
        ("conference.left", "", False),
        ("call.ended", "", False),
    ],
)
def test_the_end_of_a_conference_or_queue_ends_every_place_in_it(
    event_type: str, member_id: str, ends: bool
) -> None:
    assert ends_members(event_type, member_id) is ends


@pytest.mark.parametrize(
    ("event_type", "data", "ends"),
    [
        ("call.ended", {}, True),
        ("call.deleted", {}, True),
        ("call.status", {"status": "hangup"}, True),
        ("call.status", {"status": "answered"}, False),
        ("queue.left", {"call_id": "c"}, False),
        ("conference.ended", {}, False),
    ],
)
def test_an_event_ends_a_call_or_does_not(event_type: str, data: dict[str, Any], ends: bool) -> None:
    assert ends_call(event_type, data) is ends


def test_what_is_named_anew_replaces_what_was_known_and_the_rest_stays() -> None:
    earlier = {"id": "c", "status": "ringing", "source": {"target": "a", "name": "b"}, "note": "x"}
    later = {"status": "answered", "source": {"target": "c"}, "note": None}
    assert merged(earlier, later) == {
        "id": "c",
        "status": "answered",
        "source": {"target": "c"},
        "note": None,
    }
    assert earlier["status"] == "ringing"
