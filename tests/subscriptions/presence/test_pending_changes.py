"""What the database is told of a process's connections: each change once, and again where it did not come through."""

from __future__ import annotations

from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import booleans, sampled_from

from subscriptions.presence.pending_changes import Changes, PendingChanges

KEYS = sampled_from("abcde")


def changes(written: str = "", deleted: str = "") -> Changes[str]:
    return Changes(frozenset(written), frozenset(deleted))


def test_a_connection_is_told_once_and_again_when_it_changes() -> None:
    roster: PendingChanges[str] = PendingChanges()
    roster.opened("a")
    first = roster.take(9)
    roster.told(first)
    assert first == changes("a")
    assert not roster.take(9)
    roster.changed("a")
    assert roster.take(9) == changes("a")


def test_one_that_came_and_went_unseen_is_not_told_at_all() -> None:
    roster: PendingChanges[str] = PendingChanges()
    roster.opened("a")
    roster.closed("a")
    roster.changed("a")
    assert not roster.take(9)


def test_what_did_not_come_through_is_told_again_unless_it_went_meanwhile() -> None:
    roster: PendingChanges[str] = PendingChanges()
    roster.opened("a")
    roster.opened("b")
    failed = roster.take(9)
    roster.closed("b")
    roster.not_told(failed)
    # It may have come through all the same: whether a commit did is not always known.
    assert roster.take(9) == changes("a", "b")


def test_a_deletion_that_did_not_come_through_is_told_again() -> None:
    roster: PendingChanges[str] = PendingChanges()
    roster.opened("a")
    roster.told(roster.take(9))
    roster.closed("a")
    roster.not_told(roster.take(9))
    again = roster.take(9)
    assert again == changes(deleted="a")
    roster.told(again)
    assert not roster.take(9)


def test_a_database_that_lost_everything_is_told_everything() -> None:
    roster: PendingChanges[str] = PendingChanges()
    for key in "ab":
        roster.opened(key)
    roster.told(roster.take(9))
    roster.closed("b")
    roster.lost()
    assert roster.take(9) == changes("a")


def test_many_are_told_some_at_a_time() -> None:
    roster: PendingChanges[str] = PendingChanges()
    for key in "abcde":
        roster.opened(key)
    first = roster.take(3)
    assert (len(first.written), roster.has_untold) == (3, True)
    second = roster.take(3)
    assert (first.written | second.written, roster.has_untold) == (frozenset("abcde"), False)
    for key in "abcde":
        roster.closed(key)
    gone = roster.take(3)
    assert len(gone.deleted) == 3
    roster.told(gone)
    assert roster.take(9).deleted == frozenset("abcde") - gone.deleted


class Told(RuleBasedStateMachine):
    """Whatever happens and fails: after a telling that came through, the database has what is open."""

    def __init__(self) -> None:
        super().__init__()
        self.roster: PendingChanges[str] = PendingChanges()
        self.open: set[str] = set()
        self.stored: set[str] = set()
        self.is_settled = True

    @rule(key=KEYS)
    def comes(self, key: str) -> None:
        self.roster.opened(key)
        self.open.add(key)
        self.is_settled = False

    @rule(key=KEYS)
    def goes(self, key: str) -> None:
        self.roster.closed(key)
        self.open.discard(key)
        self.is_settled = False

    @rule(goes_meanwhile=KEYS, comes_through=booleans(), is_known=booleans())
    def is_told(self, goes_meanwhile: str, comes_through: bool, is_known: bool) -> None:
        taken = self.roster.take(9)
        self.goes(goes_meanwhile)
        if comes_through:
            self.stored = (self.stored | taken.written) - taken.deleted
        if is_known and comes_through:
            self.roster.told(taken)
        else:
            self.roster.not_told(taken)

    @rule()
    def loses_all(self) -> None:
        self.stored.clear()
        self.roster.lost()
        self.is_settled = False

    @rule()
    def settles(self) -> None:
        taken = self.roster.take(9)
        self.stored = (self.stored | taken.written) - taken.deleted
        self.roster.told(taken)
        self.is_settled = True

    @invariant()
    def has_what_is_open(self) -> None:
        assert len(self.roster) == len(self.open)
        assert not self.is_settled or self.stored == self.open


TestTold = Told.TestCase
TestTold.settings = hypothesis_settings(max_examples=50, stateful_step_count=25, deadline=None)
