"""Running a contact centre in real time, and publishing its events until it is stopped."""

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
"""Minimum seconds between two advances, so that under load many events share a request."""

CATCH_UP_SECONDS = 10.0
"""Maximum seconds of simulated time in one advance, after the gateway was down."""

GRACE_SECONDS = 3.0
"""Seconds for which publishing is retried after a stop was requested."""


class StopSignal:
    """A request to stop by SIGTERM, SIGINT or SIGHUP. A context manager.

    A signal interrupts no HTTP request, so that events stay in order.
    """

    def __init__(self) -> None:
        self.requested_at: float | None = None
        # A signal handler may call its `put` while `get` waits.
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
        """Wait for `seconds`, a stop or `wake`; return false GRACE_SECONDS after a stop."""
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
        """End a wait early; from any thread."""
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
    """Advance the contact centre, execute commands and publish events; then close it.

    Ends after `seconds`, when the contact centre is over, or when a stop is requested.

    Raises:
        Refused: the gateway refuses the events.
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
