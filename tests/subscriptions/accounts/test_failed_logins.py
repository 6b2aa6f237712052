"""The aggregation of failed log-ins."""

from __future__ import annotations

from subscriptions.accounts.failed_logins import MAX_KINDS, OTHERS, WINDOW_SECONDS, FailedLogins, Failure


def failure(name: str) -> Failure:
    return Failure(name, "203.0.113.7", "curl", "wrong-password")


def test_the_first_failure_is_recorded_at_once_and_its_repeats_with_their_number() -> None:
    failures = FailedLogins()
    assert failures.add(failure("mary"), 100.0) == failure("mary")
    assert [failures.add(failure("mary"), 101.0) for _ in range(7)] == [None] * 7
    assert not failures.due(100.0 + WINDOW_SECONDS - 1)
    assert failures.due(100.0 + WINDOW_SECONDS)
    assert failures.take() == [(failure("mary"), 7)]
    assert failures.take() == []
    assert failures.add(failure("mary"), 200.0) == failure("mary")


def test_of_very_many_names_and_addresses_none_is_lost_and_few_records_are_made() -> None:
    failures = FailedLogins()
    total = 20 * MAX_KINDS
    at_once = [failures.add(failure(f"name {number}"), 100.0) for number in range(total)]
    recorded = len([each for each in at_once if each is not None])
    later = failures.take()
    assert recorded == MAX_KINDS
    assert later == [(OTHERS, total - MAX_KINDS)]


def test_what_could_not_be_recorded_is_counted_again() -> None:
    failures = FailedLogins()
    failures.add(failure("mary"), 100.0)
    failures.add(failure("mary"), 100.0)
    failures.put_back(failures.take(), 170.0)
    assert failures.take() == [(failure("mary"), 1)]
