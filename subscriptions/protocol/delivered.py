"""How far a connection was sent what it heard: where all was put into its outbox, less what still waits there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from events.domain.cursor import Position, join_positions, parse_cursor

_FRAMES_END = re.compile(r'"cursor": "([0-9a-f]{12})\.([0-9]{1,18})"\}\Z', re.ASCII)
_LONGEST_END = 64
"""Characters at the end of a frame in which its cursor is."""


def delivered(cursor: str, waiting: Iterable[str | bytes]) -> str:
    """The cursor up to which every event was handed to the server.

    `cursor` is up to where they were put into the outbox, `waiting` are the frames of those that are still there.
    """
    if not cursor:
        return ""
    reached = dict(parse_cursor(cursor))
    for frame in waiting:
        end = frame[-_LONGEST_END:]
        text = end.decode(errors="replace") if isinstance(end, bytes) else end
        if (found := _FRAMES_END.search(text)) is not None and found[1] in reached:
            reached[found[1]] = min(reached[found[1]], int(found[2]) - 1)
    return join_positions(Position(epoch, seq) for epoch, seq in reached.items())
