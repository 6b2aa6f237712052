"""The locks of the customers' logs."""

from __future__ import annotations

import threading

import pytest

from events.log.log_locks import LogsMissing, Turn, create_logs, lock_logs
from events.models import CustomerLog
from tests.events.support.people import new_id
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db


def test_missing_logs_are_reported_and_created_once() -> None:
    one, two = sorted([new_id(), new_id()])
    create_logs([one])
    with pytest.raises(LogsMissing) as missing:
        lock_logs({two, one}, None)
    assert missing.value.customer_ids == [two]
    create_logs([one, two])
    assert list(lock_logs({two, one}, 1.5)) == [one, two]
    assert CustomerLog.objects.filter(customer_id__in=[one, two]).count() == 2


def test_threads_get_their_turn_in_the_order_in_which_they_came() -> None:
    turn, order = Turn(), []
    threads: list[threading.Thread] = []

    def work(number: int) -> None:
        with turn.held():
            order.append(number)

    with turn.held():
        for number in range(5):
            threads.append(threading.Thread(target=work, args=[number]))
            threads[-1].start()
            wait_until(lambda: len(turn._waiting) == len(threads), "the thread waits")
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_a_turn_that_failed_is_over() -> None:
    turn = Turn()
    with pytest.raises(ZeroDivisionError), turn.held():
        _ = 1 / 0
    with turn.held():
        pass
