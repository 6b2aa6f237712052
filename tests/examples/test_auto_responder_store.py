"""The auto-responder's decisions: each message once, no reply after STOP, none to itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from examples.answering.errors import FatalError
from examples.answering.messages import Message, read_message
from examples.answering.rules import Rule, Rules
from examples.answering.store import REMEMBERED, Store

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CUSTOMER = "12345678-1234-1234-1234-123456789012"
DANA, LINE = "+15552004711", "+15550100100"
RULES = Rules(
    stop=Rule((("stop",),), "Stopped."),
    start=Rule((("start",),), "Started."),
    rules=(Rule((("hours",),), "9 to 5."),),
    most_an_hour=3,
    answer_within=timedelta(hours=24),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "kept.sqlite3", CUSTOMER, NOW)
    yield store
    store.close()


_ids = iter(range(1_000_000))


def message(text: str, **more: Any) -> Message:
    facts = {"id": f"message-{next(_ids)}", "at": NOW, "received": True, "automatic": False}
    return Message(**(facts | {"phone": DANA, "line": LINE, "text": text} | more))


def take(store: Store, *messages: Message, **more: Any) -> None:
    store.record(messages, RULES, more.pop("cursor", "e.1"), **more)


def waiting(store: Store) -> list[str]:
    texts, number = [], 0
    while reply := store.next_waiting(number):
        texts.append(reply.text)
        number = reply.number
    return texts


def test_a_message_that_is_received_again_is_answered_once(store: Store) -> None:
    question = message("Your hours?")
    take(store, question, question)
    take(store, question)
    assert waiting(store) == ["9 to 5."]
    reply = store.next_waiting(0)
    assert reply is not None
    assert (reply.phone, reply.line, reply.message_id) == (DANA, LINE, question.id)
    store.set_state(reply, "sent")
    take(store, question)
    assert waiting(store) == []


def test_a_message_that_matches_no_rule_is_not_answered(store: Store) -> None:
    take(store, message("Thanks!"))
    assert waiting(store) == []


def test_stop_is_confirmed_once_and_nothing_follows_until_start(store: Store) -> None:
    take(store, message("stop"), message("hours"), message("STOP"))
    assert waiting(store) == ["Stopped."]
    take(store, message("hours", phone="+15552009999"))
    assert waiting(store) == ["Stopped.", "9 to 5."]
    take(store, message("start"), message("hours"))
    assert waiting(store) == ["Stopped.", "9 to 5.", "Started.", "9 to 5."]


@pytest.mark.parametrize(
    "spelling", ["+1 555-200-4711", "tel:+15552004711", "(555) 200-4711", "0015552004711", "+١٥٥٥٢٠٠٤٧١١"]
)
def test_all_spellings_of_a_number_are_one(tmp_path: Path, spelling: str) -> None:
    path = tmp_path / "kept.sqlite3"
    store = Store(path, CUSTOMER, NOW, "US")
    take(store, message("stop", phone=spelling), message("hours"), message("hours", phone=LINE))
    reply = store.next_waiting(0)
    assert reply is not None
    assert (reply.phone, waiting(store)) == (DANA, ["Stopped."])
    take(store, message("start"), message("hours", phone=spelling), message("hours", phone="555-010-0100"))
    assert waiting(store) == ["Stopped.", "Started.", "9 to 5."]
    store.close()
    # An opt-out that was stored as it was spelled holds.
    with sqlite3.connect(path) as earlier:
        earlier.execute("INSERT INTO opt_outs VALUES (?, ?)", (spelling, NOW.isoformat()))
    earlier.close()
    store = Store(path, CUSTOMER, NOW, "US")
    take(store, message("hours"))
    assert len(waiting(store)) == 3
    store.close()


def test_start_without_an_earlier_stop_is_not_answered(store: Store) -> None:
    take(store, message("start"))
    assert waiting(store) == []


def test_stop_drops_the_replies_that_are_not_sent_yet(store: Store) -> None:
    take(store, message("hours"))
    take(store, message("stop"))
    assert waiting(store) == ["Stopped."]


def test_the_responder_does_not_answer_itself(store: Store) -> None:
    ours = "+15550100101"
    take(store, message("hours", received=False, line=ours))  # One of our lines writes to a customer,
    take(store, message("hours", phone=ours))  # and to another one of ours,
    take(store, message("hours", phone=LINE))  # or to itself.
    take(store, message("hours", automatic=True))  # And there are other machines.
    take(store, message("hours", phone=""))
    assert waiting(store) == []


def test_stop_of_a_machine_counts(store: Store) -> None:
    take(store, message("stop", automatic=True), message("hours"))
    assert waiting(store) == ["Stopped."]


def test_a_number_gets_a_limited_number_of_replies_an_hour(store: Store) -> None:
    take(store, *(message("hours") for _ in range(5)))
    assert waiting(store) == ["9 to 5."] * 3
    take(store, message("hours", phone="+15552009999"))
    assert len(waiting(store)) == 4
    take(store, message("hours", at=NOW + timedelta(minutes=61)))
    assert len(waiting(store)) == 5


def test_old_messages_of_the_history_change_opt_outs_and_are_not_answered(store: Store) -> None:
    early = {"at": NOW - timedelta(minutes=1)}
    take(store, message("stop", **early), message("hours", phone="+15552009999", **early), since=NOW)
    take(store, message("hours"))
    assert waiting(store) == []


def test_reading_the_history_again_changes_nothing(store: Store) -> None:
    messages = [message(text) for text in ("stop", "stop", "start", "hours", "stop", "start")]
    take(store, *messages)
    before = waiting(store)
    take(store, *messages)
    assert waiting(store) == before
    take(store, message("hours", at=NOW + timedelta(hours=2)))
    assert waiting(store)[-1] == "9 to 5."


def test_cursor_and_replies_are_stored_together_or_not_at_all(store: Store, tmp_path: Path) -> None:
    take(store, message("hours"), cursor="e.5")
    with pytest.raises(AttributeError):
        take(store, message("hours"), None, cursor="e.6")  # type: ignore[arg-type]
    store.close()
    again = Store(tmp_path / "kept.sqlite3", CUSTOMER, NOW + timedelta(hours=1))
    assert (again.cursor, waiting(again), again.begun_at) == ("e.5", ["9 to 5."], NOW)
    again.close()


def test_old_replies_are_deleted_unless_they_wait(store: Store, tmp_path: Path) -> None:
    sent, left = message("hours"), message("hours", phone="+15552009999")
    take(store, sent, left)
    reply = store.next_waiting(0)
    assert reply is not None
    store.set_state(reply, "sent")
    store.close()
    later = Store(tmp_path / "kept.sqlite3", CUSTOMER, NOW + REMEMBERED + timedelta(days=1))
    assert waiting(later) == ["9 to 5."]
    later.record([sent, left], RULES, None)
    assert len(waiting(later)) == 2
    later.close()


def test_another_customers_file_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=f"is of another customer, {CUSTOMER}"):
        Store(tmp_path / "kept.sqlite3", CUSTOMER.replace("1", "2"), NOW)


def frame(event_type: str, **data: Any) -> dict[str, Any]:
    return {
        "event_type": event_type,
        "timestamp": "2026-01-05T09:00:00.000000Z",
        "topic": f"customer_id:{CUSTOMER}:message:the:id",
        "data": data,
    }


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            frame("message.received", source={"target": DANA}, destination={"target": LINE}, text="hours"),
            message("hours", id="the:id"),
        ),
        (
            frame("message.received", source=DANA, destination=LINE, text="hours", automatic=True),
            message("hours", id="the:id", automatic=True),
        ),
        (
            frame(
                "message.sent", source={"target": LINE}, targets=[{"destination": {"target": DANA}}], text=7
            ),
            message("", id="the:id", received=False),
        ),
        (
            frame("message.received", source=["x"], targets=[None]),
            message("", id="the:id", phone="", line=""),
        ),
        (frame("message.delivery", status="delivered"), None),
        (frame("message.received", source=DANA) | {"timestamp": "yesterday"}, None),
    ],
)
def test_messages_are_read_in_all_forms_of_platforms(event: dict[str, Any], expected: Message | None) -> None:
    assert read_message(event) == expected
