"""Announcements as messages of the channel layer: written and read alike, split where they are large."""

from __future__ import annotations

import time
from typing import Any

import msgpack
import pytest
from channels.layers import InMemoryChannelLayer

from events.announcements.announcement import (
    MAX_MESSAGE_CHARACTERS,
    announcements,
    group_of,
    read_announcement,
)
from events.domain.event import Entry
from tests.events.support.people import new_id

CUSTOMER = new_id()
EPOCH = "0123456789ab"


def entry(seq: int, size: int = 10) -> Entry:
    return Entry(
        seq,
        '{"head": "' + "h" * size,
        f'é\\ud83d\\ude00", "n": {seq}}}',
        (f"customer_id:{CUSTOMER}:call:c",),
        f'{{"n": {seq}}}',
        None if seq % 2 else f'{{"n": {seq - 1}}}',
    )


def entries_of(messages: list[dict[str, Any]]) -> list[Entry]:
    return [each for message in messages for each in read_announcement(message).entries]


def test_a_group_has_a_name_that_every_layer_takes() -> None:
    InMemoryChannelLayer().require_valid_group_name(group_of(CUSTOMER))
    assert group_of(CUSTOMER) != group_of(new_id())


def test_an_announcement_is_read_as_it_was_made() -> None:
    entries = [entry(1), entry(2)]
    [message] = announcements(CUSTOMER, EPOCH, entries)
    announcement = read_announcement(message)
    assert announcement[:3] == (CUSTOMER, EPOCH, entries)
    assert announcement.at == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("size", [10, MAX_MESSAGE_CHARACTERS // 3, MAX_MESSAGE_CHARACTERS * 2])
def test_much_is_split_into_messages_and_nothing_is_left_out(size: int) -> None:
    entries = [entry(seq, size) for seq in range(1, 8)]
    messages = announcements(CUSTOMER, EPOCH, entries)
    assert entries_of(messages) == entries
    for message in messages:
        part = read_announcement(message).entries
        assert len(part) == 1 or sum(each.size for each in part) <= MAX_MESSAGE_CHARACTERS
    assert len(messages) == {10: 1, MAX_MESSAGE_CHARACTERS // 3: 4, MAX_MESSAGE_CHARACTERS * 2: 7}[size]


def test_an_announcement_of_an_older_version_has_no_time() -> None:
    [message] = announcements(CUSTOMER, EPOCH, [])
    del message["announcement"]["at"]
    assert read_announcement(message).at is None


def test_an_announcement_of_an_older_version_has_no_tags() -> None:
    [message] = announcements(CUSTOMER, EPOCH, [entry(1), entry(2)])
    del message["announcement"]["tags"]
    assert [(each.seq, each.tags, each.was) for each in entries_of([message])] == [
        (1, None, None),
        (2, None, None),
    ]


def test_an_older_version_reads_the_entries_of_an_announcement() -> None:
    [message] = announcements(CUSTOMER, EPOCH, [entry(1)])
    [row] = msgpack.unpackb(message["announcement"]["entries"])
    assert len(row) == 4, "its loop unpacks four values"
