"""Platforms' words are replaced by the published API's, and the originals are kept."""

from __future__ import annotations

from typing import Any

import pytest

from events.domain.vocabulary import translated


@pytest.mark.parametrize(
    ("resource", "data", "found"),
    [
        ("call", {"direction": "incoming"}, {"direction": "inbound", "voipbin": {"direction": "incoming"}}),
        (
            "message",
            {"direction": "Outgoing"},
            {"direction": "outbound", "voipbin": {"direction": "Outgoing"}},
        ),
        ("call", {"status": "progressing"}, {"status": "answered", "voipbin": {"status": "progressing"}}),
        ("call", {"status": "ANSWERED"}, {"status": "answered", "voipbin": {"status": "ANSWERED"}}),
        ("call", {"status": "NoAnswer"}, {"status": "no-answer", "voipbin": {"status": "NoAnswer"}}),
        (
            "agent",
            {"status": "ready", "previous_status": "break"},
            {
                "status": "available",
                "previous_status": "away",
                "voipbin": {"status": "ready", "previous_status": "break"},
            },
        ),
        (
            "call",
            {"status": "progressing", "voipbin": 1},
            {"status": "answered", "voipbin": 1, "voipbin_": {"status": "progressing"}},
        ),
    ],
)
def test_a_platforms_word_is_replaced(resource: str, data: dict[str, Any], found: dict[str, Any]) -> None:
    assert translated(resource, data) == found


@pytest.mark.parametrize(
    ("resource", "data"),
    [
        ("call", {"status": "answered", "direction": "inbound"}),
        ("call", {"status": "Parked"}),
        ("call", {"status": ["progressing"], "direction": None}),
        ("message", {"status": "progressing"}),
        ("queue", {"status": "ready"}),
    ],
)
def test_other_words_stay_as_they_are(resource: str, data: dict[str, Any]) -> None:
    assert translated(resource, data) is data
