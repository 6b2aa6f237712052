"""Pending changes: each is written once, and again after a failure."""

from __future__ import annotations

from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import booleans, sampled_from

from subscriptions.presence.pending_changes import Changes, PendingChanges

KEYS = sampled_from("abcde")


def changes(written: str = "", deleted: str = "") -> Changes[str]:
    return Changes(frozenset(written), frozenset(deleted))


def test_a_connection_is_written_once_and_again_when_it_changes() -> None:
    pending: PendingChanges[str] = PendingChanges()
    pending.opened("a")
    first = pending.take(9)
    pending.stored(first)
    assert first == changes("a")
    assert not pending.take(9)
    pending.changed("a")
    assert pending.take(9) == changes("a")


def test_a_connection_that_opened_and_closed_between_two_beats_is_not_written() -> None:
    pending: PendingChanges[str] = PendingChanges()
    pending.opened("a")
    pending.closed("a")
    pending.changed("a")
    assert not pending.take(9)


def test_a_failed_write_is_repeated_unless_the_connection_has_closed() -> None:
    pending: PendingChanges[str] = PendingChanges()
    pending.opened("a")
    pending.opened("b")
    failed = pending.take(9)
    pending.closed("b")
    pending.failed(failed)
    # It may have come through all the same: whether a commit did is not always known.
    assert pending.take(9) == changes("a", "b")


def test_a_failed_deletion_is_repeated() -> None:
    pending: PendingChanges[str] = PendingChanges()
    pending.opened("a")
    pending.stored(pending.take(9))
    pending.closed("a")
    pending.failed(pending.take(9))
    again = pending.take(9)
    assert again == changes(deleted="a")
    pending.stored(again)
    assert not pending.take(9)


def test_after_a_reset_everything_is_written_again() -> None:
    pending: PendingChanges[str] = PendingChanges()
    for key in "ab":
        pending.opened(key)
    pending.stored(pending.take(9))
    pending.closed("b")
    pending.reset()
    assert pending.take(9) == changes("a")


def test_many_are_written_in_batches() -> None:
    pending: PendingChanges[str] = PendingChanges()
    for key in "abcde":
        pending.opened(key)
    first = pending.take(3)
    assert (len(first.written), pending.is_dirty) == (3, True)
    second = pending.take(3)
    assert (first.written | second.written, pending.is_dirty) == (frozenset("abcde"), False)
    for key in "abcde":
        pending.closed(key)
    gone = pending.take(3)
    assert len(gone.deleted) == 3
    pending.stored(gone)
    assert pending.take(9).deleted == frozenset("abcde") - gone.deleted


class PendingChangesMachine(RuleBasedStateMachine):
    """After any failures, one successful write leaves the open connections in the database."""

    def __init__(self) -> None:
        super().__init__()
        self.pending: PendingChanges[str] = PendingChanges()
        self.open: set[str] = set()
        self.stored: set[str] = set()
        self.is_settled = True

    @rule(key=KEYS)
    def comes(self, key: str) -> None:
        self.pending.opened(key)
        self.open.add(key)
        self.is_settled = False

    @rule(key=KEYS)
    def goes(self, key: str) -> None:
        self.pending.closed(key)
        self.open.discard(key)
        self.is_settled = False

    @rule(goes_meanwhile=KEYS, comes_through=booleans(), is_known=booleans())
    def reports(self, goes_meanwhile: str, comes_through: bool, is_known: bool) -> None:
        taken = self.pending.take(9)
        self.goes(goes_meanwhile)
        if comes_through:
            self.stored = (self.stored | taken.written) - taken.deleted
        if is_known and comes_through:
            self.pending.stored(taken)
        else:
            self.pending.failed(taken)

    @rule()
    def loses_all(self) -> None:
        self.stored.clear()
        self.pending.reset()
        self.is_settled = False

    @rule()
    def settles(self) -> None:
        taken = self.pending.take(9)
        self.stored = (self.stored | taken.written) - taken.deleted
        self.pending.stored(taken)
        self.is_settled = True

    @invariant()
    def has_what_is_open(self) -> None:
        assert len(self.pending) == len(self.open)
        assert not self.is_settled or self.stored == self.open


TestPendingChanges = PendingChangesMachine.TestCase
TestPendingChanges.settings = hypothesis_settings(max_examples=50, stateful_step_count=25, deadline=None)
