"""The announcement of committed entries: its channel-layer messages and group.

Sans-I/O.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgpack

from events.domain.event import Entry

MESSAGE_TYPE = "log.announced"
MAX_MESSAGE_CHARACTERS = 256 * 1024
"""The size above which entries are split: a huge PUBLISH would delay the layer's other users."""


class Announcement(NamedTuple):
    """Entries of one customer's log.

    `at` is the time right after the commit, in seconds since 1970; `None` if an older version of the gateway sent it.
    """

    customer_id: str
    epoch: str
    entries: list[Entry]
    at: float | None


def group_of(customer_id: str) -> str:
    """Return the channel-layer group of the processes with subscribers of this customer."""
    return f"customer.{customer_id.replace('-', '')}"


def announcements(customer_id: str, epoch: str, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Build the layer messages that carry these entries."""
    messages: list[dict[str, Any]] = []
    rows: list[list[Any]] = []
    tags: list[list[Any]] = []
    size = 0
    for entry in entries:
        if rows and size + entry.size > MAX_MESSAGE_CHARACTERS:
            messages.append(_message(customer_id, epoch, rows, tags))
            rows, tags, size = [], [], 0
        rows.append([entry.seq, entry.head, entry.tail, list(entry.topics)])
        tags.append([entry.tags, entry.was])
        size += entry.size
    messages.append(_message(customer_id, epoch, rows, tags))
    return messages


def _message(customer_id: str, epoch: str, rows: list[list[Any]], tags: list[list[Any]]) -> dict[str, Any]:
    return {
        "type": MESSAGE_TYPE,
        # As one value: the in-memory layer copies a message value by value.
        "announcement": {
            "customer_id": customer_id,
            "epoch": epoch,
            "entries": msgpack.packb(rows),
            # Beside the entries: processes of an older version read those.
            "tags": msgpack.packb(tags),
            "at": time.time(),
        },
    }


def read_announcement(message: dict[str, Any]) -> Announcement:
    """Read the announcement from a layer message."""
    announcement = message["announcement"]
    rows = msgpack.unpackb(announcement["entries"])
    packed = announcement.get("tags")
    tags = msgpack.unpackb(packed) if packed else [(None, None)] * len(rows)
    return Announcement(
        announcement["customer_id"],
        announcement["epoch"],
        [
            Entry(seq, head, tail, tuple(topics), *of_entry)
            for (seq, head, tail, topics), of_entry in zip(rows, tags, strict=True)
        ],
        announcement.get("at"),
    )
