"""How far a connection was sent what it heard."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from events.domain.event import make_entry
from subscriptions.protocol.delivered import delivered

MINE, OTHER, UNHEARD = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"


def frame(epoch: str, seq: int, body: str = "{}") -> str:
    entry = make_entry(
        seq=seq,
        epoch=epoch,
        event_id="e",
        event_type="call.status",
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        topics=["t"],
        body=body,
    )
    return entry.frame("t")


@pytest.mark.parametrize(
    ("cursor", "waiting", "reached"),
    [
        ("", [frame(MINE, 3)], ""),
        (f"{MINE}.7", [], f"{MINE}.7"),
        (f"{MINE}.7", [frame(MINE, 6), frame(MINE, 7)], f"{MINE}.5"),
        (f"{MINE}.7,{OTHER}.4", [frame(OTHER, 4), frame(MINE, 7)], f"{MINE}.6,{OTHER}.3"),
        (f"{MINE}.7", [frame(UNHEARD, 2)], f"{MINE}.7"),
        # What the data says of cursors is its own.
        (f"{MINE}.7", [frame(MINE, 7, '{"cursor": "aaaaaaaaaaaa.1"}')], f"{MINE}.6"),
        (f"{MINE}.7", [frame(MINE, 7, '{"text": "é"}').encode()], f"{MINE}.6"),
    ],
)
def test_what_waits_was_not_delivered(cursor: str, waiting: list[str | bytes], reached: str) -> None:
    assert delivered(cursor, waiting) == reached
