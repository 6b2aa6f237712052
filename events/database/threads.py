"""The threads for the database work of an event loop, separate from the request threads.

Django's `sync_to_async` runs all thread-sensitive work of a process in one thread: one slow query would delay every
connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django import db
from django.db import DataError, IntegrityError, close_old_connections

from events.counters import database_errors

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

P = ParamSpec("P")
T = TypeVar("T")

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="database")


def is_outage(error: BaseException) -> bool:
    """Return whether an error is the database's and says nothing against the data.

    Later the same statement may succeed. Besides a server that does not answer, this is one that is read-only after
    a failover or on a full disk, and one with an older schema. Only values that do not fit, or contradict others,
    never will.
    """
    return isinstance(error, db.Error) and not isinstance(error, DataError | IntegrityError)


@contextlib.contextmanager
def good_connections() -> Iterator[None]:
    """Close dead database connections of this thread, before and after its work."""
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


async def in_database_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work`, which may use the database, without blocking the event loop."""

    def run() -> T:
        with good_connections():
            try:
                return work(*args, **kwargs)
            except db.Error as error:
                database_errors.add(type(error).__name__)
                raise

    # With the request or connection id, for the log.
    in_context = contextvars.copy_context().run
    return await asyncio.get_running_loop().run_in_executor(_threads, in_context, run)


async def until_database_answers(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work` as `in_database_thread` does, until the outage of the database ends.

    Closing the connection instead would not help its client.
    """
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return await in_database_thread(work, *args, **kwargs)
        except db.Error as error:
            if not is_outage(error):
                raise
            logger.warning("The database does not answer, trying again in %.1f s: %s", pause, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
