"""Ready frames under daphne bypass an empty buffer, queue behind a filled one, and end at the close."""

from __future__ import annotations

from typing import Any

import pytest
from daphne.ws_protocol import WebSocketProtocol

from voipbin_ws.servers.daphne_adapter import DaphneFrames


class TwistedTransport:
    """A transport like Twisted's: one producer at a time, and the HTTP channel's is registered."""

    def __init__(self) -> None:
        self.producer: Any = "the HTTP channel"
        self.aborted = False
        self.reading = True
        self.written = b""
        self.dataBuffer = b""
        self._tempDataBuffer: list[bytes] = []
        self.socket = self
        self.takes = 10**9

    def unregisterProducer(self) -> None:  # noqa: N802
        self.producer = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        assert self.producer is None, "Twisted raises here"
        assert streaming
        self.producer = producer

    def abortConnection(self) -> None:  # noqa: N802
        self.aborted = True

    def pauseProducing(self) -> None:  # noqa: N802
        self.reading = False

    def resumeProducing(self) -> None:  # noqa: N802
        self.reading = True

    def write(self, data: bytes) -> None:
        assert isinstance(data, bytes), "Twisted takes nothing else"
        self._tempDataBuffer.append(data)

    def send(self, data: bytes) -> int:
        """The kernel's end of the socket."""
        if not self.takes:
            raise BlockingIOError
        taken = data[: self.takes]
        self.written += taken
        self.takes -= len(taken)
        return len(taken)


class AutobahnConnection:
    def __init__(self) -> None:
        self.transport = TwistedTransport()
        self.state = WebSocketProtocol.STATE_OPEN


@pytest.fixture
def daphne() -> tuple[TwistedTransport, DaphneFrames, list[str]]:
    connection = AutobahnConnection()
    frames = DaphneFrames(connection)
    assert connection.transport.producer == "the HTTP channel", (
        "a handshake that is refused is the server's own"
    )
    frames.begin()
    notified: list[str] = []
    frames.on_writable = lambda: notified.append("writable")
    return connection.transport, frames, notified


def test_under_daphne_frames_go_straight_to_the_kernel_and_the_rest_by_twisted(
    daphne: tuple[TwistedTransport, DaphneFrames, list[str]],
) -> None:
    transport, frames, _ = daphne
    transport.takes = 7
    frames.write(b"12345")
    frames.write(b"67890")
    assert transport.written == b"1234567"
    frames.write(b"abc")
    assert b"".join(transport._tempDataBuffer) == b"890abc", "what came later overtook what waited"
    transport._tempDataBuffer.clear()
    frames.write(b"full")
    assert transport._tempDataBuffer == [b"full"]


def test_under_daphne_nothing_is_written_after_the_close(
    daphne: tuple[TwistedTransport, DaphneFrames, list[str]],
) -> None:
    transport, frames, _ = daphne
    frames._connection.state = WebSocketProtocol.STATE_CLOSING
    frames.write(b"late")
    assert transport.written == b""
    assert not transport._tempDataBuffer


def test_under_daphne_twisted_says_when_it_wants_no_more(
    daphne: tuple[TwistedTransport, DaphneFrames, list[str]],
) -> None:
    transport, frames, notified = daphne
    transport._tempDataBuffer.append(b"full")
    transport.producer.pauseProducing()
    assert not frames.write(b"1")
    transport.producer.resumeProducing()
    assert (frames.write(b"2"), notified) == (True, ["writable"])
    transport.producer.pauseProducing()
    # A lost connection must not keep a writer waiting.
    transport.producer.stopProducing()
    assert (frames.write(b"3"), notified) == (True, ["writable"] * 2)
    transport.reading = True
    frames.hold_reading(True)
    assert transport.reading, "there is nothing to hold any more"


def test_under_daphne_reading_is_held_and_a_released_connection_never_waits(
    daphne: tuple[TwistedTransport, DaphneFrames, list[str]],
) -> None:
    transport, frames, notified = daphne
    frames.hold_reading(True)
    assert not transport.reading
    frames.hold_reading(False)
    assert transport.reading
    transport.producer.pauseProducing()
    frames.release()
    frames.release()
    assert transport.producer is None, "Twisted would wait for it before it closes"
    transport._tempDataBuffer.append(b"full")
    assert frames.write(b"1")
    assert notified
    frames.abort()
    assert transport.aborted
