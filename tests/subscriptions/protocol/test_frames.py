"""Frames as bytes, read by the independent library that clients use."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.domain.event import make_entry
from subscriptions.protocol.frames import (
    Answer,
    in_batches,
    last_delivered_cursor,
    payload_of,
    payloads_in,
    text_frame,
)
from tests.subscriptions.support.frames import FrameReader

# Around each size at which the header changes.
SIZES = [0, 1, 125, 126, 127, 65535, 65536, 65537, 200_000]


def test_every_size_is_read_as_it_was_written_and_opened_again() -> None:
    reader = FrameReader()
    for size in SIZES:
        text = "x" * size
        frame = text_frame(text)
        assert reader.read(frame) == [text]
        assert payload_of(frame).decode() == text


def test_joined_frames_are_opened_one_by_one() -> None:
    texts = ["x" * size for size in SIZES] * 2
    stream = b"".join(map(text_frame, texts))
    assert [payload.decode() for payload in payloads_in(stream)] == texts
    assert list(payloads_in(b"")) == []


@given(
    st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300), max_size=20), st.data()
)
def test_joined_frames_are_read_one_by_one_however_they_are_cut(
    texts: list[str], data: st.DataObject
) -> None:
    stream = b"".join(map(text_frame, texts))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    reader, read = FrameReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        read += reader.read(stream[start:end])
    assert read == texts


A, B, C = (text_frame(f'{{"event": "{name}"}}') for name in "abc")
ANSWER = Answer(text_frame('{"type": "pong"}'))


@pytest.mark.parametrize(
    ("frames", "batches"),
    [
        ([], []),
        ([A], [A]),
        ([ANSWER], [ANSWER]),
        ([A, B], [text_frame('[{"event": "a"}, {"event": "b"}]')]),
        ([A, ANSWER, B, C], [A, ANSWER, text_frame('[{"event": "b"}, {"event": "c"}]')]),
    ],
)
def test_only_events_that_follow_each_other_are_joined(frames: list[bytes], batches: list[bytes]) -> None:
    assert list(in_batches(frames)) == batches


@given(st.lists(st.tuples(st.booleans(), st.integers()), max_size=30))
def test_a_batch_has_the_same_messages_in_order_with_answers_alone(messages: list[tuple[bool, int]]) -> None:
    frames = [
        (Answer if is_answer else bytes)(text_frame(json.dumps([number, is_answer])))
        for is_answer, number in messages
    ]
    messages_read = [json.loads(payload_of(frame)) for frame in in_batches(frames)]
    read_back = [
        (one[1], one[0]) for each in messages_read for one in (each if isinstance(each[0], list) else [each])
    ]
    assert read_back == messages
    for before, after in itertools.pairwise(messages_read):
        together = all(isinstance(each[0], list) or not each[1] for each in (before, after))
        assert not together, "two events that followed each other were not joined"


# --- The last delivered cursor ---

MINE, OTHER, UNRELATED = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"


def event_frame(epoch: str, seq: int, body: str = "{}") -> bytes:
    entry = make_entry(
        seq=seq,
        epoch=epoch,
        event_id="e",
        event_type="call.status",
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        topics=["t"],
        body=body,
    )
    return text_frame(entry.frame("t"))


@pytest.mark.parametrize(
    ("cursor", "waiting", "reached"),
    [
        ("", [event_frame(MINE, 3)], ""),
        (f"{MINE}.7", [], f"{MINE}.7"),
        (f"{MINE}.7", [event_frame(MINE, 6), event_frame(MINE, 7)], f"{MINE}.5"),
        (f"{MINE}.7,{OTHER}.4", [event_frame(OTHER, 4), event_frame(MINE, 7)], f"{MINE}.6,{OTHER}.3"),
        (f"{MINE}.7", [event_frame(UNRELATED, 2)], f"{MINE}.7"),
        # A cursor within the data is not the frame's.
        (f"{MINE}.7", [event_frame(MINE, 7, '{"cursor": "aaaaaaaaaaaa.1"}')], f"{MINE}.6"),
        (f"{MINE}.7", [event_frame(MINE, 7, '{"text": "é"}')], f"{MINE}.6"),
    ],
)
def test_what_waits_was_not_delivered(cursor: str, waiting: list[bytes], reached: str) -> None:
    assert last_delivered_cursor(cursor, waiting) == reached
