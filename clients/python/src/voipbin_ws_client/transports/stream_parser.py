"""Parse an event stream (WHATWG HTML, section 9.2.6).

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

COMMENT = "[]"
"""The data of a comment, which is the server's heartbeat: an array without frames."""


class Message(NamedTuple):
    """A message of the stream, or a comment. `id` is `None` if the message has none."""

    data: str
    id: str | None = None


class StreamParser:
    """Splits the bytes of one response into messages.

    The field `event` is not read: the gateway's messages have none. Neither is `retry`: the client has its own pauses.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._id: str | None = None

    def feed(self, content: bytes) -> Iterator[Message]:
        """Yield the messages that these bytes complete."""
        # JSON may contain other line separators of Unicode, so bytes are split, and only where the format ends a line.
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            yield from self._line(line.removesuffix(b"\r").decode(errors="replace"))

    def _line(self, line: str) -> Iterator[Message]:
        if not line:
            if self._data:
                yield Message("\n".join(self._data), self._id)
            self._data, self._id = [], None
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            yield Message(COMMENT)
        elif name == "data":
            self._data.append(value)
        elif name == "id":
            self._id = value
