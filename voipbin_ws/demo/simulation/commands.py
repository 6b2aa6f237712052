"""What somebody outside has the simulated world do: handed over from any thread, each order once."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre

TIMEOUT_SECONDS = 5.0
"""Seconds in which an order must be carried out: the world may be busy publishing."""

MAX_KEYS = 10_000
"""Idempotency keys that are remembered."""

Command = Callable[[ContactCentre], dict[str, Any] | None]


class CommandQueue:
    """Orders from any thread, carried out where the world lives; `wake` tells that thread that there is one."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._waiting: queue.SimpleQueue[tuple[Command, str | None, Future[dict[str, Any]]]] = (
            queue.SimpleQueue()
        )
        self._answers: dict[str, dict[str, Any]] = {}

    def submit(self, command: Command, key: str | None = None) -> dict[str, Any]:
        """Have the order carried out, once for each `key`; returns what it answers, or answered then.

        Raises:
            Impossible: it cannot be carried out now.
            TimeoutError: it was not carried out in time, and will not be.
        """
        answer: Future[dict[str, Any]] = Future()
        self._waiting.put((command, key, answer))
        self._wake()
        try:
            return answer.result(TIMEOUT_SECONDS)
        except TimeoutError:
            if answer.cancel():
                raise
            return answer.result()

    def execute(self, centre: ContactCentre) -> bool:
        """Carry out what was given; whether there was anything."""
        done = False
        while not self._waiting.empty():
            command, key, answer = self._waiting.get()
            if not answer.set_running_or_notify_cancel():
                continue
            done = True
            try:
                answer.set_result(self._once(command, key, centre))
            except Exception as error:
                answer.set_exception(error)
        return done

    def _once(self, command: Command, key: str | None, centre: ContactCentre) -> dict[str, Any]:
        if key is not None and key in self._answers:
            return self._answers[key]
        answer = command(centre) or {}
        if key is not None:
            self._answers[key] = answer
            if len(self._answers) > MAX_KEYS:
                del self._answers[next(iter(self._answers))]
        return answer
