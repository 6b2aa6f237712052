"""The aggregation of repeats in the audit log."""

from __future__ import annotations

from subscriptions.audit.repeats import WINDOW_SECONDS, Repeats

MAX_KINDS = 3


def repeats() -> Repeats[str, int]:
    """Kinds such as "a.b.c", for which "a.b" and then "a" stand."""
    return Repeats(lambda kind: kind.rpartition(".")[0] or None, max_kinds=MAX_KINDS)


def taken(found: Repeats[str, int]) -> list[tuple[str, int, int]]:
    return [(each.kind, each.count, each.sample) for each in found.take()]


def test_the_first_is_recorded_at_once_and_its_repeats_with_their_number() -> None:
    found = repeats()
    assert found.add("a.mary", 0, 100.0)
    assert [found.add("a.mary", number, 101.0) for number in range(7)] == [False] * 7
    assert not found.due(100.0 + WINDOW_SECONDS - 1)
    assert found.due(100.0 + WINDOW_SECONDS)
    assert taken(found) == [("a.mary", 7, 6)]
    assert taken(found) == []
    assert not found.due(1e9)
    assert found.add("a.mary", 0, 200.0)


def test_of_very_many_kinds_none_is_lost_and_few_records_are_made() -> None:
    found = repeats()
    total = 20 * MAX_KINDS
    at_once = [found.add(f"a.{number}", number, 100.0) for number in range(total)]
    assert sum(at_once) == MAX_KINDS
    assert taken(found) == [("a", total - MAX_KINDS, total - 1)]


def test_kinds_are_bounded_on_each_level_and_another_is_not_affected() -> None:
    found = repeats()
    for middle in range(10):
        for number in range(10):
            found.add(f"a.{middle}.{number}", number, 100.0)
    assert found.add("b.0.0", 0, 100.0)
    assert taken(found) == [
        *((f"a.{middle}", 10 - MAX_KINDS, 9) for middle in range(MAX_KINDS)),
        ("a", 10 * (10 - MAX_KINDS), 9),
    ]


def test_several_at_once_count_as_several() -> None:
    found = repeats()
    found.add("a.b", 1, 100.0, 100)
    found.add("a.b", 2, 100.0, 100)
    assert taken(found) == [("a.b", 100, 2)]


def test_what_could_not_be_recorded_is_counted_again() -> None:
    found = repeats()
    found.add("a.mary", 0, 100.0)
    found.add("a.mary", 1, 100.0)
    found.put_back(found.take(), 170.0)
    found.add("a.mary", 2, 171.0)
    assert found.due(170.0 + WINDOW_SECONDS)
    assert taken(found) == [("a.mary", 2, 2)]
    found.put_back([], 300.0)
    assert not found.due(1e9)
