"""Frames read as by a client, with the independent library `websockets`."""

from __future__ import annotations

from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol


class FrameReader:
    """The client's end of a stream of frames."""

    def __init__(self) -> None:
        self._protocol = Protocol(CLIENT, state=OPEN)

    def read(self, data: bytes) -> list[str]:
        """Read bytes; returns the text messages that they complete."""
        self._protocol.receive_data(data)
        if self._protocol.parser_exc is not None:
            raise self._protocol.parser_exc
        frames = [event for event in self._protocol.events_received() if isinstance(event, Frame)]
        assert all(frame.opcode is Opcode.TEXT and frame.fin for frame in frames)
        return [bytes(frame.data).decode() for frame in frames]
