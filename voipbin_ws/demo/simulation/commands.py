"""What somebody outside has the simulated world do: handed over from any thread, each order once."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from threading import Lock
from typing import Any

from voipbin_ws.demo.simulation.model.contact_centre import World

PATIENCE = 5.0
"""Seconds in which an order must be carried out: the world may be busy publishing."""

KEYS_KEPT = 10_000
"""Idempotency keys that are remembered."""

Order = Callable[[World], dict[str, Any]]


class Orders:
    """Orders from any thread, carried out where the world lives; `wake` tells that thread that there is one."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._waiting: queue.SimpleQueue[tuple[Order, Future[dict[str, Any]]]] = queue.SimpleQueue()
        self._by_key: dict[str, Future[dict[str, Any]]] = {}
        self._lock = Lock()

    def give(self, order: Order, key: str | None = None) -> dict[str, Any]:
        """Have the order carried out, once for each `key`; returns what it answers, or answered then.

        Raises:
            Impossible: it cannot be carried out now.
            TimeoutError, CancelledError: it was not carried out in time, and will not be.
        """
        answer, is_new = self._answer_under(key)
        if is_new:
            self._waiting.put((order, answer))
            self._wake()
        try:
            try:
                return answer.result(PATIENCE)
            except TookTooLong:
                if answer.cancel():
                    raise
                return answer.result()
        except Exception:
            self._forget(key, answer)
            raise

    def _answer_under(self, key: str | None) -> tuple[Future[dict[str, Any]], bool]:
        """The answer of the order with this key, and whether it has yet to be given."""
        answer: Future[dict[str, Any]] = Future()
        if key is None:
            return answer, True
        with self._lock:
            known = self._by_key.setdefault(key, answer)
            while len(self._by_key) > KEYS_KEPT:
                del self._by_key[next(iter(self._by_key))]
        return known, known is answer

    def _forget(self, key: str | None, answer: Future[dict[str, Any]]) -> None:
        """Nothing was done under this key."""
        with self._lock:
            if key is not None and self._by_key.get(key) is answer:
                del self._by_key[key]

    def carry_out(self, world: World) -> bool:
        """Carry out what was given; whether there was anything."""
        done = False
        while not self._waiting.empty():
            order, answer = self._waiting.get()
            if not answer.set_running_or_notify_cancel():
                continue
            done = True
            try:
                answer.set_result(order(world))
            except Exception as error:
                answer.set_exception(error)
        return done
