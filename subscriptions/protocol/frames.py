"""WebSocket frames as bytes: an event's frame is built once for all its subscribers.

A server's frames are not masked and, here, never fragmented (RFC 6455, sections 5.1, 5.2 and 5.4), so that several of
them can be joined into a single write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from events.domain.cursor import Position, join_positions, parse_cursor


class Answer(bytes):
    """The frame of an ack, error or pong. Such a frame is never put into a batch with events."""


def text_frame(text: str) -> bytes:
    """The frame of a text message."""
    return framed(text.encode())


def framed(payload: bytes) -> bytes:
    """The frame of a text message with this UTF-8 payload."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 65536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), payload)


def payload_of(frame: bytes) -> bytes:
    """The payload of a frame that was built here."""
    return frame[_HEADER_SIZES.get(frame[1], 2) :]


_HEADER_SIZES = {126: 4, 127: 10}


def payloads_in(frames: bytes) -> Iterator[bytes]:
    """The payloads of joined frames that were built here."""
    start = 0
    while start < len(frames):
        size, payload = frames[start + 1], start + _HEADER_SIZES.get(frames[start + 1], 2)
        if size >= 126:
            size = int.from_bytes(frames[start + 2 : payload], "big")
        start = payload + size
        yield frames[payload:start]


def in_batches(frames: Sequence[bytes]) -> Iterator[bytes]:
    """The same messages, with successive events combined into one: a JSON array of them."""
    together: list[bytes] = []
    for frame in frames:
        if isinstance(frame, Answer):
            yield from _joined(together)
            together = []
            yield frame
        else:
            together.append(frame)
    yield from _joined(together)


def _joined(frames: Sequence[bytes]) -> Iterator[bytes]:
    if len(frames) > 1:
        yield framed(b"[" + b", ".join(map(payload_of, frames)) + b"]")
    else:
        yield from frames


def last_delivered_cursor(cursor: str, waiting: Iterable[bytes]) -> str:
    """The cursor up to which every event was handed to the server.

    `cursor` is how far events were put into the outbox; `waiting` are the frames of events that are still in it.
    """
    if not cursor:
        return ""
    delivered = dict(parse_cursor(cursor))
    for frame in waiting:
        # An event's frame ends with its cursor: "cursor": "<epoch>.<seq>"}
        epoch, seq = frame[frame.rindex(b'"', 0, -2) + 1 : -2].decode().split(".")
        if epoch in delivered:
            delivered[epoch] = min(delivered[epoch], int(seq) - 1)
    return join_positions(Position(epoch, seq) for epoch, seq in delivered.items())
