"""A simulated day in real time: the world goes on by the clock, and what happens is published until it is stopped."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

from voipbin_ws.demo.simulation.commands import CommandQueue
from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre
from voipbin_ws.demo.simulation.publisher import GaveUp, Publisher

STEP_SECONDS = 0.02
"""Seconds between two looks at the world at the least, so that under load many events share a request."""

CATCH_UP_SECONDS = 10.0
"""Seconds of the story told at once at the most, after the gateway was away."""

GRACE_SECONDS = 3.0
"""Seconds to go on trying to end what was begun, once told to stop."""


class StopSignal:
    """Told by SIGTERM, SIGINT or SIGHUP to stop; use as a context.

    A signal interrupts no request that is under way, so that what is published stays in order.
    """

    def __init__(self) -> None:
        self.requested_at: float | None = None
        # Its `put` may interrupt its `get`, as a signal's handler does.
        self._woken: SimpleQueue[None] = SimpleQueue()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._record)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def is_requested(self) -> bool:
        return self.requested_at is not None

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until told to stop or woken; says whether to go on, which ends FAREWELL after being told."""
        if self.requested_at is None:
            with contextlib.suppress(Empty):
                self._woken.get(timeout=max(seconds, 0.0))
            return True
        left = self.requested_at + GRACE_SECONDS - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(seconds, left))
        return True

    def wake(self) -> None:
        """End a wait before its time; from any thread."""
        self._woken.put(None)

    def _record(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested_at is None:
            self.requested_at = time.monotonic()
            self.wake()


def run(
    centre: ContactCentre,
    publisher: Publisher,
    commands: CommandQueue,
    stop: StopSignal,
    *,
    seconds: float | None,
    report: Callable[[str], object],
) -> None:
    """Let the world go on, publishing what happens, for `seconds` or until it is over or told to stop; then close it.

    What is ordered meanwhile is carried out in between.

    Raises:
        Refused: the gateway takes nothing.
    """
    began = time.monotonic()
    simulated_until = 0.0
    try:
        while not stop.is_requested and not centre.is_over:
            simulated_until = min(
                time.monotonic() - began, simulated_until + CATCH_UP_SECONDS, seconds or float("inf")
            )
            events = centre.advance(simulated_until)
            if commands.execute(centre):
                events += centre.advance(simulated_until)
            publisher.publish(events)
            if seconds is not None and simulated_until >= seconds:
                break
            due = centre.next_at()
            pause = (due if due is not None else simulated_until + 1) - (time.monotonic() - began)
            stop.wait(max(pause, STEP_SECONDS))
        publisher.publish(centre.close())
    except GaveUp as end:
        report(f"{end}: calls that were open there are left open")
