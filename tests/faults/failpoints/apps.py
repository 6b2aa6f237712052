"""The breaking itself."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.apps import AppConfig

from events.domain.event import Entry

KILL_EVERY = 25


def kill_after_commit() -> None:
    """Die between a commit and its announcement, at every 25th number of a customer."""
    from events.log import publish as publishing

    class DeadlyAnnouncer:
        def announce(self, customer_id: str, epoch: str, entries: Sequence[Entry]) -> None:
            if any(entry.seq % KILL_EVERY == 0 for entry in entries):
                os.kill(os.getpid(), signal.SIGKILL)
            announcer.announce(customer_id, epoch, entries)

    announcer = publishing.announcer
    publishing.announcer = DeadlyAnnouncer()  # type: ignore[assignment]


def lost_commit_answer() -> None:
    """Lose the connection between a commit and its answer, at every second publish."""
    from django.db import OperationalError

    from events.amqp import batch_store

    commits = itertools.count(1)

    def publish_and_lose_the_answer(drafts: Any, **more: Any) -> Any:
        receipts = publish(drafts, **more)
        if next(commits) % 2:
            raise OperationalError("the connection was lost before the answer")
        return receipts

    publish = batch_store.publish
    batch_store.publish = publish_and_lose_the_answer  # type: ignore[assignment]


def silent_announcer() -> None:
    """Never announce anything."""
    from events.log import publish as publishing

    class SilentAnnouncer:
        def announce(self, customer_id: str, epoch: str, entries: Any) -> None:
            pass

    publishing.announcer = SilentAnnouncer()  # type: ignore[assignment]


def lossy_announcer() -> None:
    """Announce two of three, and every fifth a second time when others have come after it."""
    from events.log import publish as publishing

    waiting: dict[str, list[Entry]] = {}

    class LossyAnnouncer:
        def announce(self, customer_id: str, epoch: str, entries: Sequence[Entry]) -> None:
            again = waiting.setdefault(customer_id, [])
            for reported in ([entry for entry in entries if entry.seq % 3], again[:-2]):
                if reported:
                    announcer.announce(customer_id, epoch, reported)
            del again[:-2]
            again += [entry for entry in entries if not entry.seq % 5]

    announcer = publishing.announcer
    publishing.announcer = LossyAnnouncer()  # type: ignore[assignment]


def stall_on_signal() -> None:
    """Stand still for three seconds at each SIGUSR1: the event loop's thread, and no other."""
    signal.signal(signal.SIGUSR1, lambda *_: time.sleep(3))


def no_back_fill() -> None:
    """Take what comes next for what comes after: a gap is skipped."""
    from subscriptions.delivery.feed import Feed

    def offer(self: Any, entries: Iterable[Entry]) -> list[Entry]:
        ready: list[Entry] = []
        for entry in entries:
            if entry.seq > self.position:
                self._advance(entry, ready)
        return ready

    Feed.offer = offer  # type: ignore[method-assign]


def no_number_check() -> None:
    """Never compare numbers with the log's."""
    from subscriptions.delivery.hub import Hub

    async def compare(self: Any) -> None:
        pass

    Hub._compare_numbers = compare  # type: ignore[method-assign]


def no_row_lock() -> None:
    """Number events without locking the log."""
    from events.log import publish as publishing
    from events.log.log_locks import LogsMissing
    from events.models import CustomerLog

    def lock(customer_ids: set[str], wait_seconds: float | None) -> dict[str, CustomerLog]:
        found = {
            str(log.customer_id): log for log in CustomerLog.objects.filter(customer_id__in=customer_ids)
        }
        if missing := customer_ids - found.keys():
            raise LogsMissing(missing)
        time.sleep(0.005)  # What a busy machine does by itself, now and then.
        return found

    publishing.lock_logs = lock  # type: ignore[assignment]


def no_hold_while_replaying() -> None:
    """Deliver live events while the past is still on its way."""
    from subscriptions.delivery.replayer import Replayer

    begin = Replayer.begin

    def begin_and_attach(self: Any, subscriber: Any, topics: Any, starts: Any) -> None:
        begin(self, subscriber, topics, starts)
        for customer_id, receiving in subscriber.subscriptions.items():
            self._hub.feed(customer_id).attach(subscriber, receiving.replay.starts)

    Replayer.begin = begin_and_attach  # type: ignore[method-assign]


def no_tail() -> None:
    """Read every replay from the database, as if it began long ago, and slowly."""
    from events.log import reader as log
    from subscriptions.delivery.feed import Feed

    read = log.read

    def read_slowly(*args: Any, **kwargs: Any) -> list[Entry]:
        time.sleep(0.2)
        return read(*args, **kwargs)

    log.read = read_slowly

    def tail_after(self: Any, seq: int) -> tuple[Entry, ...] | None:
        return () if seq >= self.position else None

    Feed.tail_after = tail_after  # type: ignore[method-assign]


def no_deduplication() -> None:
    """Deliver whatever is announced, also what was delivered before."""
    from subscriptions.delivery.feed import Feed

    offer = Feed.offer

    def offer_again(self: Any, entries: Iterable[Entry]) -> list[Entry]:
        entries = list(entries)
        return [entry for entry in entries if entry.seq <= self.position] + offer(self, entries)

    Feed.offer = offer_again  # type: ignore[method-assign]


FAILPOINTS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        kill_after_commit,
        lost_commit_answer,
        silent_announcer,
        lossy_announcer,
        stall_on_signal,
        no_back_fill,
        no_number_check,
        no_row_lock,
        no_hold_while_replaying,
        no_tail,
        no_deduplication,
    )
}


class FailpointsConfig(AppConfig):
    """Breaks what the environment names."""

    name = "tests.faults.failpoints"

    def ready(self) -> None:
        for name in os.environ.get("FAILPOINTS", "").split():
            FAILPOINTS[name]()
