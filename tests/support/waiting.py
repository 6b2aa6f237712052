"""Waiting for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str, *, timeout: float = 30) -> T:
    """Ask `condition` until its answer is true, and return that.

    `timeout` (seconds) only bounds a failure: make it long enough that no slow machine reaches it.
    Raises AssertionError, naming `what` was waited for.
    """
    deadline = time.monotonic() + timeout
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout:g} seconds still waiting for {what}")
        time.sleep(0.02)
