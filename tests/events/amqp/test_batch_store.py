"""Storing a batch from the broker: in order, once, and no message held up by another that is no event."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from django.db import DataError, InternalError, OperationalError, ProgrammingError

from events.amqp import batch_store as storing
from events.amqp.batch_store import BatchStore, Outcome, rules_of_settings
from events.amqp.messages import Message, Rules
from events.log.publish_rates import publish_rates
from events.models import Event
from events.quotas.limits import Quotas, Rates
from tests.events.support.people import new_id

pytestmark = pytest.mark.django_db

RULES = rules_of_settings("")
tags = itertools.count(1)


def store(messages: list[Message], rules: Rules) -> Outcome:
    return BatchStore(messages, rules).store()


def call(customer_id: str, status: str, *, call_id: str = "c", **fields: Any) -> Message:
    content = {
        "event_type": "call.status",
        "customer_id": customer_id,
        "data": {"id": call_id, "status": status},
    }
    return Message(next(tags), json.dumps(content).encode(), **fields)


def statuses(customer_id: str) -> list[str]:
    events = Event.objects.filter(customer_id=customer_id).order_by("seq")
    return [json.loads(event.body)["status"] for event in events]


def test_a_batch_of_several_customers_is_stored_in_order_in_one_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acme, globex = new_id(), new_id()
    commits: list[int] = []
    publish = storing.publish
    monkeypatch.setattr(
        storing, "publish", lambda drafts, **more: commits.append(len(drafts)) or publish(drafts, **more)
    )
    outcome = store([call(acme, "ringing"), call(globex, "ringing"), call(acme, "answered")], RULES)
    assert (outcome.stored, outcome.known, outcome.refused) == (3, 0, [])
    assert (statuses(acme), statuses(globex)) == (["ringing", "answered"], ["ringing"])
    assert commits == [3]


def test_what_is_no_event_is_refused_and_the_others_are_stored() -> None:
    acme = new_id()
    poison = Message(next(tags), b"no JSON")
    outcome = store([call(acme, "ringing"), poison, call(acme, "answered")], RULES)
    ((refused, reason),) = outcome.refused
    assert refused is poison
    assert "not JSON" in reason
    assert statuses(acme) == ["ringing", "answered"]


@pytest.mark.parametrize("message_id", [None, "m-1"])
def test_a_message_that_is_delivered_again_is_known(message_id: str | None) -> None:
    acme = new_id()
    store([call(acme, "ringing", message_id=message_id)], RULES)
    outcome = store([call(acme, "ringing", message_id=message_id, redelivered=True)], RULES)
    assert (outcome.stored, outcome.known) == (0, 1)
    assert statuses(acme) == ["ringing"]


def test_an_id_that_comes_again_is_known_even_where_the_broker_does_not_say_so() -> None:
    acme = new_id()
    again = [call(acme, "ringing", message_id="m") for _ in range(2)]
    assert store(again, RULES).known == 1
    assert store([call(acme, "ringing", message_id="m")], RULES).known == 1


def test_the_same_bytes_without_an_id_are_another_event_unless_they_are_delivered_again() -> None:
    acme = new_id()
    rings, answers = call(acme, "ringing"), call(acme, "answered")
    store([rings, answers, rings], RULES)
    assert statuses(acme) == ["ringing", "answered", "ringing"]
    store([answers, call(acme, "ringing", redelivered=True), rings], RULES)
    assert statuses(acme) == ["ringing", "answered", "ringing", "answered", "ringing"]


def test_a_message_handed_out_before_and_never_stored_is_stored() -> None:
    acme = new_id()
    assert store([call(acme, "ringing", redelivered=True)], RULES).stored == 1


def test_one_id_for_two_events_is_refused_and_the_first_stays() -> None:
    acme = new_id()
    first, other = call(acme, "ringing", message_id="m"), call(acme, "answered", message_id="m")
    outcome = store([first, other, call(acme, "hangup", message_id="n")], RULES)
    assert [message for message, _ in outcome.refused] == [other]
    assert statuses(acme) == ["ringing", "hangup"]


def test_one_that_can_never_be_stored_is_refused_and_the_others_are_stored_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acme = new_id()
    publish = storing.publish

    def publish_or_fail(drafts: list[Any], **more: Any) -> Any:
        if any(draft.data["status"] == "impossible" for draft in drafts):
            raise DataError("out of range")
        return publish(drafts, **more)

    monkeypatch.setattr(storing, "publish", publish_or_fail)
    poison = call(acme, "impossible")
    outcome = store([call(acme, "ringing"), poison, call(acme, "answered")], RULES)
    assert outcome.refused == [(poison, "the database refuses it (DataError)")]
    assert statuses(acme) == ["ringing", "answered"]


@pytest.mark.parametrize("error", [OperationalError, InternalError, ProgrammingError])
def test_a_database_that_stores_nothing_refuses_nothing(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away, read-only (25006 is an InternalError), or with an older schema (42703 is a ProgrammingError)."""

    def away(drafts: object, **more: Any) -> None:
        raise error("away")

    acme = new_id()
    batch = BatchStore([call(acme, "ringing"), call(acme, "answered")], RULES)
    with monkeypatch.context() as patch:
        patch.setattr(storing, "publish", away)
        with pytest.raises(error):
            batch.store()
    assert (batch.store().stored, batch.store().refused) == (2, [])
    assert statuses(acme) == ["ringing", "answered"]


@pytest.mark.parametrize("given", [["ringing", "answered"], ["ringing", "impossible", "answered"]])
def test_a_commit_whose_answer_is_lost_is_stored_once(
    given: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = new_id()
    publish, lost = storing.publish, [OperationalError("the connection is lost")] * 2

    def publish_and_lose_the_answer(drafts: list[Any], **more: Any) -> Any:
        if any(draft.data["status"] == "impossible" for draft in drafts):
            raise DataError("out of range")
        receipts = publish(drafts, **more)
        if lost:
            raise lost.pop()
        return receipts

    monkeypatch.setattr(storing, "publish", publish_and_lose_the_answer)
    batch = BatchStore([call(acme, status) for status in given], RULES)
    for _ in range(2):
        with pytest.raises(OperationalError):
            batch.store()
    assert len(batch.store().refused) == len(given) - 2
    assert statuses(acme) == ["ringing", "answered"]


# --- Quotas ---


@pytest.fixture
def quotas(monkeypatch: pytest.MonkeyPatch) -> dict[str, Quotas]:
    """The quotas by customer, without those of the settings."""
    known: dict[str, Quotas] = {}
    monkeypatch.setattr(publish_rates, "_clock", lambda: 1000.0)
    monkeypatch.setattr(
        storing, "quotas_of", lambda customers: {each: known.get(each, Quotas()) for each in customers}
    )
    return known


def test_events_of_a_customer_that_is_too_fast_are_held_in_order_and_those_of_others_are_stored(
    quotas: dict[str, Quotas], settings: Any
) -> None:
    settings.EVENTS_BURST_SECONDS = 2000
    acme, globex = new_id(), new_id()
    quotas[acme] = Quotas(Rates(events_per_second=1))
    assert store([call(acme, "dialing", call_id=str(number)) for number in range(1999)], RULES).held == []
    messages = [call(acme, "ringing"), call(globex, "ringing"), call(acme, "answered")]
    outcome = store(messages, RULES)
    assert [(held.message, held.customer_id) for held in outcome.held] == [
        (messages[0], acme),
        (messages[2], acme),
    ]
    assert outcome.held[0].reason == "more than 1 events a second"
    assert (outcome.stored, outcome.refused, statuses(globex)) == (1, [], ["ringing"])
    quotas[acme] = Quotas(Rates(events_per_second=1000))
    assert store([held.message for held in outcome.held], RULES).stored == 2
    assert statuses(acme)[-2:] == ["ringing", "answered"]


def test_too_many_bytes_are_held_as_well(quotas: dict[str, Quotas]) -> None:
    acme = new_id()
    message = call(acme, "ringing")
    quotas[acme] = Quotas(Rates(bytes_per_second=len(message.body) // 10))
    assert store([message, call(acme, "answered")], RULES).held == []
    assert len(store([call(acme, "hangup")], RULES).held) == 1


def test_events_of_a_customer_without_room_are_held_and_those_of_others_are_stored(
    quotas: dict[str, Quotas],
) -> None:
    acme, globex = new_id(), new_id()
    quotas[acme] = Quotas(stored_bytes=2500)
    messages = [call(acme, "ringing"), call(globex, "ringing"), call(acme, "answered"), call(acme, "hangup")]
    outcome = store(messages, RULES)
    assert [held.message for held in outcome.held] == [messages[0], messages[2], messages[3]]
    assert "2500 bytes" in outcome.held[0].reason
    assert (outcome.stored, outcome.refused, statuses(globex)) == (1, [], ["ringing"])
    quotas[acme] = Quotas(stored_bytes=5000)
    assert store([held.message for held in outcome.held], RULES).stored == 3
    assert statuses(acme) == ["ringing", "answered", "hangup"]
