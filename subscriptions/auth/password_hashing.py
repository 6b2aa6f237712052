"""Hashing of passwords: two at once in a process, and without a database connection.

A hash takes half a second of CPU. Without a bound, a flood of log-ins would occupy all request threads, all connections
of the database pool and all processors. `PASSWORD_HASHERS` names the hasher: every hash of the process is bounded.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections
from django.utils.formats import localize
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

AT_ONCE = 2
MAX_WAITING = 4
"""Requests that wait for one of the hashes; each holds a request thread."""

RETRY_AFTER_SECONDS = 2

NICENESS = 10
"""Of the threads that hash: publishing and delivery get the processor first."""


class TooManyLogins(Exception):
    """The password is not checked now; the message says why, and when to try again."""

    def __init__(
        self, reason: str = "Too many logins at the moment", wait: float = RETRY_AFTER_SECONDS
    ) -> None:
        self.wait_seconds = math.ceil(wait)
        super().__init__(f"{reason}: try again in {self.wait_seconds} seconds")

    @property
    def words(self) -> str:
        """What a page says, in its language."""
        text = gettext("Too many logins failed or arrived at once: try again in {seconds} seconds")
        return text.format(seconds=localize(self.wait_seconds))


def _lower_priority() -> None:
    # On Linux a thread has a priority of its own; elsewhere this call is refused or has no effect on a thread.
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class HashingThreads:
    """The threads that hash, and the places of the requests that use or await them."""

    def __init__(self, at_once: int = AT_ONCE, max_waiting: int = MAX_WAITING) -> None:
        self._threads = ThreadPoolExecutor(at_once, "password-hashing", initializer=_lower_priority)
        self._places = threading.BoundedSemaphore(at_once + max_waiting)
        self._of_thread = threading.local()

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for this thread: hashes in the block are not refused.

        Raises:
            TooManyLogins: All places are taken.
        """
        if getattr(self._of_thread, "has_place", False):
            yield
            return
        if not self._places.acquire(blocking=False):
            raise TooManyLogins
        self._of_thread.has_place = True
        try:
            yield
        finally:
            self._of_thread.has_place = False
            self._places.release()

    @sensitive_variables()
    def run(self, work: Callable[[], str]) -> str:
        """Run the work in one of the threads, while this thread holds no database connection.

        Raises:
            TooManyLogins: All places are taken.
        """
        with self.place():
            for connection in connections.all(initialized_only=True):
                # Inside a transaction the connection cannot be returned.
                if not connection.in_atomic_block:
                    connection.close()
            return self._threads.submit(work).result()


hashing = HashingThreads()


class BoundedPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's PBKDF2 with the same stored form, in the threads of `hashing`."""

    @sensitive_variables()
    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the stored form of the password.

        Raises:
            TooManyLogins: Too many hashes are in progress.
        """
        encode: Callable[..., Any] = super().encode
        return hashing.run(lambda: str(encode(password, salt, iterations)))
