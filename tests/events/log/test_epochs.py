"""renew_epochs: no cursor from before is one of the logs' any more, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from events.domain.cursor import Mark
from events.log import reader
from events.log.epochs import renew_epochs
from events.models import CustomerLog
from tests.events.support.people import new_id
from tests.events.support.stored import store

UNKNOWN = "5e4a0680-804e-41ec-8477-2fea5968d85b"

pytestmark = pytest.mark.django_db


def log_of(customer_id: str) -> tuple[str, int, int]:
    log = CustomerLog.objects.get(customer_id=customer_id)
    return log.epoch, log.last_seq, log.floor


def test_each_log_gets_an_epoch_of_its_own_and_keeps_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.log.epochs.LOGS_A_TRANSACTION", 2)
    customers = [new_id() for _ in range(5)]
    for customer_id in customers:
        store(customer_id, "call.status", {"id": "c"})
    before = {each: log_of(each) for each in customers}
    assert renew_epochs() >= 5
    after = {each: log_of(each) for each in customers}
    assert len({epoch for epoch, *_ in [*before.values(), *after.values()]}) == 10
    assert [numbers for _, *numbers in after.values()] == [[1, 0]] * 5


def test_a_log_that_went_on_is_compared_in_two_queries(
    django_assert_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    """However many events: their ids are one text for each customer, and are read one by one only if that differs."""
    acme, globex = new_id(), new_id()
    marks = {}
    for customer_id in (acme, globex):
        ids = {seq: store(customer_id, "call.status", {"id": "c"}).id for seq in range(1, 6)}
        marks[customer_id] = Mark(log_of(customer_id)[0], 5, ids)
    with django_assert_num_queries(2):
        found, rewound = reader.compare(marks)
    assert (set(found), rewound) == ({acme, globex}, [])
    other = {**marks[acme].ids, 3: new_id()}
    marks[acme] = replace(marks[acme], ids=other)
    assert reader.compare(marks)[1] == [acme]
    partly = {seq: event_id for seq, event_id in marks[globex].ids.items() if seq != 3}
    assert reader.compare({globex: replace(marks[globex], ids=partly)})[1] == []


def test_one_customers_log_alone(capsys: pytest.CaptureFixture[str]) -> None:
    acme, globex = new_id(), new_id()
    for customer_id in (acme, globex):
        store(customer_id, "call.status", {"id": "c"})
    before = log_of(acme), log_of(globex)
    call_command("renew_epochs", "--customer", acme)
    assert capsys.readouterr().out.startswith("1 logs have new epochs")
    assert log_of(acme) != before[0]
    assert log_of(globex) == before[1]


@pytest.mark.parametrize(
    ("customer_id", "said"),
    [(new_id(), "There are no events of customer"), ("ACME", "no UUID")],
    ids=["unknown", "a name"],
)
def test_an_unknown_customer_is_refused(customer_id: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("renew_epochs", "--customer", customer_id)
