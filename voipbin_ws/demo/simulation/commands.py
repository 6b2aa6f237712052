"""Commands to the contact centre, submitted by any thread and executed in the runner's."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre

TIMEOUT_SECONDS = 5.0
"""Seconds in which a command must be executed; meanwhile the runner may be publishing."""

MAX_KEYS = 10_000
"""Number of idempotency keys whose results are kept."""

Command = Callable[[ContactCentre], dict[str, Any] | None]


class CommandQueue:
    """Commands from any thread to the runner's. `wake` ends the runner's wait."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._waiting: queue.SimpleQueue[tuple[Command, str | None, Future[dict[str, Any]]]] = (
            queue.SimpleQueue()
        )
        self._answers: dict[str, dict[str, Any]] = {}

    def submit(self, command: Command, key: str | None = None) -> dict[str, Any]:
        """Have the command executed, once for each `key`; return its result, or the earlier one.

        Raises:
            Impossible: the command cannot be executed now.
            TimeoutError: it was not executed within TIMEOUT_SECONDS, and will not be.
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
        """Execute all submitted commands; return whether there were any."""
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
