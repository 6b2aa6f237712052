"""Diagnoses for many histories of connections."""

# Long because there are many ways not to get an event.

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from events.domain.cursor import Position
from events.domain.topics import known_resources
from events.filters.tags import EventTags
from subscriptions.explain.connection_history import HistoryRecord, read_history
from subscriptions.explain.diagnosis import explain, permitted
from subscriptions.explain.report import (
    CredentialProblem,
    Evidence,
    Explanation,
    NoEvent,
    Outcome,
    Receiver,
    StoredEvent,
)
from subscriptions.protocol.manager_limit import Limit
from subscriptions.protocol.permissions import Identity, Role

ACME, GLOBEX = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
ANN, BOB = "aaaaaaaa-0000-4000-8000-00000000000a", "aaaaaaaa-0000-4000-8000-00000000000b"
EPOCH = "7d0c7b1e52aa"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CALLS = f"customer_id:{ACME}:call:*"

KEY = Identity(ACME, None, None, "key vb_12345678", "key:1", may_subscribe=True, may_publish=False)
AGENT = Identity(ACME, ANN, Role.AGENT, "token of ann", "agent:1", may_subscribe=True, may_publish=False)
EVENT = StoredEvent(
    id="0c4f3c9e-2f5f-4f0f-9a51-4b0c6b6a7a10",
    event_type="call.status",
    customer_id=ACME,
    position=Position(EPOCH, 10),
    stored_at=NOON,
    topics=(f"customer_id:{ACME}:call:c1", f"agent_id:{BOB}:call:c1"),
)


def record(action: str, verdict: str = "granted", minutes: float = -10, **fields: str) -> HistoryRecord:
    """A record from so many minutes after the event was stored."""
    return HistoryRecord(
        NOON + timedelta(minutes=minutes), action, verdict, **{"connection_id": "c-1", **fields}
    )


def subscribed(
    topic: str = CALLS, start: int | None = 5, minutes: float = -9, **fields: str
) -> list[HistoryRecord]:
    """The records of a subscription, live after the number `start` or never if `None`."""
    of = {key: value for key, value in fields.items() if key == "connection_id"}
    requested = [record("subscribe", topic=topic, rule="customer-key", minutes=minutes, **of)]
    if start is None:
        return requested
    live = {"rule": "from-now", "cursor": f"{EPOCH}.{start}", **fields}
    return [*requested, record("live", minutes=minutes, **live)]


def left(cursor: int, minutes: float, rule: str = "client-left", **fields: str) -> HistoryRecord:
    return record("disconnect", "ended", minutes, rule=rule, cursor=f"{EPOCH}.{cursor}", **fields)


def why(
    *records: HistoryRecord,
    identity: Identity = KEY,
    problem: CredentialProblem | None = None,
    event: StoredEvent | NoEvent = EVENT,
    open_now: dict[str, int] | None = None,
) -> Explanation:
    evidence = Evidence(read_history(records), open_now or {}, None, NOON + timedelta(hours=1))
    return explain(Receiver("the key", identity, problem), event, evidence, known_resources())


CONNECTED = record("connect", detail="host, process 7")

HISTORIES = {
    "delivered as it happened": ([CONNECTED, *subscribed(), left(12, 5)], "delivered"),
    "still connected": ([CONNECTED, *subscribed()], "delivered"),
    "delivered up to the very last": ([CONNECTED, *subscribed(), left(10, 5)], "delivered"),
    "came back and was sent what it missed": (
        [CONNECTED, *subscribed(start=5, minutes=3, rule="recovered"), left(12, 5)],
        "delivered",
    ),
    "left before, and came back": (
        [
            *[CONNECTED, *subscribed(), left(8, -5)],
            record("connect", minutes=4, connection_id="c-2"),
            *subscribed(start=8, minutes=4, rule="recovered", connection_id="c-2"),
            left(20, 6, connection_id="c-2"),
        ],
        "delivered",
    ),
    "never connected": ([], "never-connected"),
    "refused at the door": (
        [record("refuse", "refused", -1, rule="expired-key", detail="This access key has expired")],
        "refused-handshake",
    ),
    "connected, and subscribed to nothing": ([CONNECTED], "nothing-subscribed"),
    "subscribed after the event": ([CONNECTED, *subscribed(start=10, minutes=2)], "subscribed-later"),
    "connected after the event": (
        [record("connect", minutes=1), *subscribed(start=11, minutes=2)],
        "connected-later",
    ),
    "disconnected before": ([CONNECTED, *subscribed(), left(9, -1)], "disconnected-before"),
    "the process went down before": (
        [CONNECTED, *subscribed(), left(9, -1, rule="RESTARTING")],
        "disconnected-before",
    ),
    "left while the event was on its way": ([CONNECTED, *subscribed(), left(9, 1)], "left-before"),
    "closed while the event was on its way": (
        [CONNECTED, *subscribed(), left(9, 1, rule="REVOKED")],
        "closed-before",
    ),
    "too slow": ([CONNECTED, *subscribed(), left(9, 1, rule="TOO_SLOW")], "too-slow"),
    "too slow, long before": ([CONNECTED, *subscribed(), left(7, -3, rule="TOO_SLOW")], "too-slow"),
    "unsubscribed before": (
        [
            *[CONNECTED, *subscribed()],
            record("unsubscribe", "ended", -1, topic=CALLS, rule="asked", cursor=f"{EPOCH}.9"),
            left(12, 5),
        ],
        "unsubscribed-before",
    ),
    "unsubscribed after": (
        [
            *[CONNECTED, *subscribed()],
            record("unsubscribe", "ended", 1, topic=CALLS, rule="asked", cursor=f"{EPOCH}.10"),
            left(12, 5),
        ],
        "delivered",
    ),
    "one of two spellings unsubscribed": (
        [
            *[CONNECTED, *subscribed(), *subscribed(f"customer_id:{ACME}:call")],
            record("unsubscribe", "ended", -1, topic=CALLS, rule="asked", cursor=f"{EPOCH}.9"),
            left(12, 5),
        ],
        "delivered",
    ),
    "the permission was taken": (
        [
            *[CONNECTED, *subscribed()],
            record("subscribe", "ended", -1, topic=CALLS, rule="topic-not-allowed", cursor=f"{EPOCH}.9"),
            left(12, 5),
        ],
        "permission-ended",
    ),
    "never acknowledged": ([CONNECTED, *subscribed(start=None), left(12, 5)], "not-acknowledged"),
    "the process crashed": ([CONNECTED, *subscribed()], "process-lost"),
    "the process crashed long before": (
        [
            *[CONNECTED, *subscribed()],
            record("connect", minutes=-5, connection_id="c-2"),
            *subscribed(start=7, minutes=-5, connection_id="c-2"),
            left(9, -1, connection_id="c-2"),
        ],
        "process-lost",
    ),
    "an operator closed another's": (
        [record("close", rule="closed-by-operator", connection_id="c-9")],
        "never-connected",
    ),
    "came back too late": (
        [
            *[CONNECTED, *subscribed(), left(4, -8)],
            record("connect", minutes=4, connection_id="c-2"),
            *subscribed(start=20, minutes=4, rule="not-recovered", connection_id="c-2"),
            left(21, 6, connection_id="c-2"),
        ],
        "not-recovered",
    ),
    "the log was replaced": (
        [
            CONNECTED,
            record("subscribe", topic=CALLS),
            record("live", cursor=f"{'f' * 12}.3", rule="from-now"),
        ],
        "other-log",
    ),
    "the log was replaced, and the client came back": (
        [
            CONNECTED,
            record("subscribe", topic=CALLS),
            record("live", cursor=f"{'f' * 12}.3", rule="from-now"),
            record("disconnect", "ended", 1, rule="RESTARTING", cursor=f"{'f' * 12}.10"),
            record("connect", minutes=2, connection_id="c-2"),
            *subscribed(start=10, minutes=2, rule="not-recovered", connection_id="c-2"),
        ],
        "other-log",
    ),
    "other resources": (
        [CONNECTED, *subscribed(f"customer_id:{ACME}:message:*"), left(12, 5)],
        "other-resource",
    ),
    "another call": (
        [CONNECTED, *subscribed(f"customer_id:{ACME}:call:c2"), left(12, 5)],
        "other-resource-id",
    ),
    "another customer": (
        [CONNECTED, *subscribed(f"customer_id:{GLOBEX}:call:*"), left(12, 5)],
        "other-customer",
    ),
    "an agent whom it does not concern": (
        [CONNECTED, *subscribed(f"agent_id:{ANN}:*:*"), left(12, 5)],
        "not-concerned",
    ),
    "a typing error": (
        [
            CONNECTED,
            record(
                "subscribe",
                "refused",
                topic=f"customer_id:{ACME}:cal:*",
                rule="invalid-topic",
                detail="no such",
            ),
        ],
        "invalid-topic",
    ),
    "refused": (
        [CONNECTED, record("subscribe", "refused", topic=CALLS, rule="subscribe-rate", detail="later")],
        "subscribe-rate",
    ),
}


@pytest.mark.parametrize("history", HISTORIES)
def test_the_reason_is_found(history: str) -> None:
    records, rule = HISTORIES[history]
    open_now = {"c-1": 0} if history in ("still connected", "connected, and subscribed to nothing") else {}
    explanation = why(*records, open_now=open_now)
    assert explanation.reason.rule == rule, explanation.steps
    assert (explanation.outcome is Outcome.YES) == (rule == "delivered")
    assert (explanation.outcome is Outcome.UNKNOWN) == (rule in ("process-lost", "other-log"))
    assert explanation.conclusion.lower() in explanation.reason.message.lower()
    assert not explanation.conclusion.startswith(("Yes", "No."))


def test_the_steps_are_always_the_same_ones_in_the_same_order() -> None:
    names = ["event", "credential", "permission", "subscription", "connection", "delivery"]
    for records, _ in HISTORIES.values():
        assert [step.name for step in why(*records).steps] == names
    absent = why(event=NoEvent("unknown-event", "There is none."))
    assert [step.name for step in absent.steps] == names
    assert [step.outcome for step in absent.steps] == ["no", "yes", "skipped", "skipped", "no", "skipped"]
    assert absent.reason.rule == "unknown-event"


@pytest.mark.parametrize(
    ("since", "reason"),
    [
        (NOON - timedelta(minutes=1), "revoked-key"),
        (None, "revoked-key"),
        (NOON + timedelta(minutes=1), "left-before"),
    ],
)
def test_a_credential_matters_from_when_it_was_bad(since: datetime | None, reason: str) -> None:
    problem = CredentialProblem("revoked-key", "This access key was revoked", since)
    explanation = why(CONNECTED, *subscribed(), left(9, 1), problem=problem)
    assert explanation.reason.rule == reason
    came = why(CONNECTED, *subscribed(), left(12, 1), problem=problem)
    assert came.outcome is Outcome.YES


def test_a_missing_permission_is_explained_by_its_rule() -> None:
    assert why(identity=AGENT).reason.rule == "resource-not-granted"
    concerned = replace(EVENT, topics=(EVENT.topics[0], f"agent_id:{ANN}:call:c1"))
    assert why(identity=AGENT, event=concerned).steps[2].rule == "own-agent"
    foreign = replace(EVENT, topics=(f"customer_id:{GLOBEX}:call:c1",))
    assert why(CONNECTED, *subscribed(), left(12, 5), event=foreign).reason.rule == "foreign-customer"
    narrowed = replace(KEY, allowed_topics=frozenset({f"customer_id:{ACME}:message:*"}))
    assert why(identity=narrowed).reason.rule == "topic-not-allowed"
    assert why(identity=replace(KEY, may_subscribe=False)).reason.rule == "key-may-not-subscribe"


def test_a_refusal_names_the_receiver_and_the_owners() -> None:
    foreign = replace(EVENT, topics=(f"customer_id:{GLOBEX}:call:c1",))
    answer = permitted(Receiver("Anna", AGENT, None, (("of", "Acme"),)), foreign)
    assert answer.message == "Anna may not receive this event: it belongs to another customer, not to Acme."
    assert (
        "error for the client",
        f"Your credential receives the events of its own customer only: {ACME}",
    ) in answer.facts
    answer = permitted(Receiver("Anna", AGENT, None), EVENT)
    assert answer.message.startswith("Anna may not receive this event: events of call were not granted")


def test_a_topic_without_an_event_is_explained_as_of_now() -> None:
    event = NoEvent("no-event-of-topic", "No event of it is kept.", (CALLS,))
    explanation = why(CONNECTED, *subscribed(), event=event, open_now={"c-1": 0})
    assert [step.outcome for step in explanation.steps] == ["no", "yes", "yes", "yes", "yes", "skipped"]
    assert explanation.reason.rule == "no-event-of-topic"
    assert why(identity=AGENT, event=event).steps[2].rule == "resource-not-granted"


def test_the_answer_names_times_cursors_and_connections() -> None:
    missed = why(CONNECTED, *subscribed(), left(9, 1, rule="TOO_SLOW")).conclusion
    for fact in ("connection c-1", f"{EPOCH}.9", "2026-03-01 12:01:00.000 UTC"):
        assert fact in missed
    came = why(CONNECTED, *subscribed(), open_now={"c-1": 512})
    assert "512 bytes yet to read" in came.conclusion
    assert "host, process 7" in dict(came.steps[4].facts)["connection"]


def test_however_much_there_is_a_step_lists_some() -> None:
    records = [
        each
        for number in range(100)
        for each in (
            record("connect", connection_id=f"c-{number}"),
            *subscribed(f"customer_id:{ACME}:call:{number}", connection_id=f"c-{number}"),
            left(20, 5, connection_id=f"c-{number}"),
        )
    ]
    assert all(len(step.facts) <= 21 for step in why(*records).steps)


@pytest.mark.parametrize(("since", "outcome"), [(1, Outcome.YES), (-1, Outcome.UNKNOWN)])
def test_an_open_connection_counts_as_far_as_its_process_has_reported(since: float, outcome: Outcome) -> None:
    history = read_history([CONNECTED, *subscribed()])
    unconfirmed = {"c-1": NOON + timedelta(minutes=since)}
    evidence = Evidence(history, {"c-1": 0}, None, NOON + timedelta(hours=1), unconfirmed)
    explanation = explain(Receiver("key", KEY, None), EVENT, evidence, known_resources())
    assert explanation.outcome is outcome
    assert explanation.reason.rule == ("delivered" if outcome is Outcome.YES else "not-confirmed")


def test_an_event_in_a_replay_counts_when_its_process_has_reported_since_the_subscription() -> None:
    history = read_history([CONNECTED, *subscribed(minutes=5, rule="recovered")])
    for since, outcome in ((4, Outcome.UNKNOWN), (6, Outcome.YES)):
        unconfirmed = {"c-1": NOON + timedelta(minutes=since)}
        evidence = Evidence(history, {"c-1": 0}, None, NOON + timedelta(hours=1), unconfirmed)
        assert explain(Receiver("key", KEY, None), EVENT, evidence, known_resources()).outcome is outcome


def test_the_answer_says_how_the_event_was_sent() -> None:
    live = why(CONNECTED, *subscribed(), left(12, 5)).conclusion
    assert "on 2026-03-01 12:00:00.000 UTC or moments later, as it happened" in live
    recovered = subscribed(start=5, minutes=3, rule="recovered")
    assert "on 2026-03-01 12:03:00.000 UTC or moments later, among what it had missed" in (
        why(CONNECTED, *recovered, left(12, 5)).conclusion
    )
    before = subscribed(minutes=-9, rule="recovered")
    assert "as it happened" in why(CONNECTED, *before, left(12, 5)).conclusion
    behind = subscribed(minutes=3)
    assert "as it happened" in why(CONNECTED, *behind, left(12, 5)).conclusion


def test_the_answer_says_with_which_cursor_a_subscription_began() -> None:
    fresh = why(CONNECTED, *subscribed(start=10, minutes=2)).conclusion
    assert f"after the event: it receives what comes after {EPOCH}.10" in fresh
    resumed = why(CONNECTED, *subscribed(start=10, minutes=2, rule="recovered")).conclusion
    assert f"with the cursor {EPOCH}.10, by which it had seen the event already" in resumed
    lost = subscribed(start=20, minutes=2, rule="not-recovered", detail="the cursor is too old")
    assert f"what came before {EPOCH}.20 could not be recovered: the cursor is too old" in (
        why(CONNECTED, *lost).conclusion
    )


@pytest.mark.parametrize("latest_first", [False, True])
def test_of_several_subscriptions_the_latest_is_explained(latest_first: bool) -> None:
    """By when it became live, or was requested if it never did, whatever the order of the connections."""
    for early, late in (
        (subscribed(start=11, minutes=1), subscribed(start=12, minutes=2, connection_id="c-2")),
        (
            subscribed(start=None, minutes=1),
            subscribed(start=None, minutes=2, connection_id="c-2"),
        ),
    ):
        records = [*late, *early] if latest_first else [*early, *late]
        assert "12:02:00.000" in why(*records).conclusion, records
    requested_first = [
        record("subscribe", topic=CALLS, minutes=1),
        record("subscribe", topic=CALLS, minutes=2, connection_id="c-2"),
        record("live", minutes=3, rule="from-now", cursor=f"{EPOCH}.12", connection_id="c-2"),
        record("live", minutes=4, rule="from-now", cursor=f"{EPOCH}.13"),
    ]
    assert f"{EPOCH}.13" in why(*requested_first).conclusion


def test_a_connection_is_not_open_any_more_at_the_instant_of_its_end() -> None:
    [connection] = read_history([CONNECTED, left(12, 5)]).connections
    assert connection.was_open_at(NOON + timedelta(minutes=5, microseconds=-1))
    assert not connection.was_open_at(NOON + timedelta(minutes=5))
    assert connection.was_open_at(CONNECTED.at)
    assert not connection.was_open_at(CONNECTED.at - timedelta(microseconds=1))


def test_a_refused_subscription_never_becomes_live_and_does_not_end() -> None:
    refused = record("subscribe", "refused", topic=CALLS, rule="subscribe-rate")
    history = read_history([CONNECTED, refused, *subscribed("customer_id:x:message:*"), left(12, 5)])
    [connection] = history.connections
    assert next((each.live, each.ended) for each in connection.subscriptions) == (None, None)
    assert all(each.live and each.ended for each in connection.granted)


def test_what_was_sent_before_the_records_begin_is_not_known() -> None:
    def explained(minutes: float, *records: HistoryRecord) -> Explanation:
        looked_from = NOON + timedelta(minutes=minutes)
        evidence = Evidence(read_history(records), {}, looked_from, NOON + timedelta(hours=1))
        return explain(Receiver("key", KEY, None), EVENT, evidence, known_resources())

    later = [record("connect", minutes=2), *subscribed(start=10, minutes=2), left(12, 5)]
    for records in ([], later):
        unknown = explained(1, *records)
        assert (unknown.outcome, unknown.reason.rule) == (Outcome.UNKNOWN, "records-missing")
        assert "begin on 2026-03-01 12:01:00.000 UTC" in unknown.conclusion
        assert explained(-1, *records).outcome is Outcome.NO
    back = [record("connect", minutes=2), *subscribed(minutes=2, rule="recovered"), left(12, 5)]
    assert explained(1, *back).outcome is Outcome.YES


def test_a_topic_that_was_refused_with_others_in_one_record_is_a_reason() -> None:
    together = record("subscribe", "refused", topic=f"customer_id:{ACME}:call:other", rule="subscribe-rate")
    together = together._replace(detail="More than 10 topics at once", times=100)
    explanation = why(CONNECTED, together)
    assert explanation.reason.rule == "subscribe-rate"
    assert "100 topics that are not recorded one by one were refused" in explanation.conclusion
    assert ("refused: subscribe-rate", f"100 topics, such as customer_id:{ACME}:call:other") in [
        fact for step in explanation.steps for fact in step.facts
    ]


def test_further_refusals_without_a_topic_are_a_reason_too() -> None:
    rest = record("subscribe", "refused", rule="foreign-customer", detail="The last one: x")
    explanation = why(CONNECTED, rest._replace(times=7))
    assert explanation.reason.rule == "foreign-customer"
    assert ("refused: foreign-customer", "7 topics") in [
        fact for step in explanation.steps for fact in step.facts
    ]


# --- Filters ---

ANSWERED = '{"field": "status", "op": "eq", "value": "answered"}'


def with_tags(now: dict[str, str], before: dict[str, str] | None = None) -> StoredEvent:
    return replace(EVENT, tags=EventTags(now, before))


def filtered(detail: str) -> list[HistoryRecord]:
    requested, live = subscribed()
    return [CONNECTED, requested._replace(detail=detail), live, left(12, 5)]


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (with_tags({"status": "answered"}), "delivered"),
        (with_tags({"status": "hangup"}, {"status": "answered"}), "delivered"),
        (with_tags({"status": "ringing"}), "filter"),
        (EVENT, "delivered"),
    ],
)
def test_the_filter_of_a_subscription_is_a_reason(event: StoredEvent, rule: str) -> None:
    explanation = why(*filtered(f"filter {ANSWERED}"), event=event)
    assert explanation.reason.rule == rule
    if rule == "filter":
        assert f"{CALLS} with the filter {ANSWERED}" in explanation.reason.message
        assert '{"status": "ringing"}' in explanation.reason.message


def test_a_filter_that_is_recorded_in_part_leaves_the_delivery_open() -> None:
    explanation = why(*filtered("filter " + ANSWERED[:20]), event=with_tags({"status": "ringing"}))
    assert (explanation.steps[-1].outcome, explanation.steps[-1].rule) == (Outcome.UNKNOWN, "filter")


def test_the_filter_of_an_access_key_is_a_reason() -> None:
    key = replace(KEY, filter=ANSWERED)
    explanation = why(CONNECTED, *subscribed(), identity=key, event=with_tags({"status": "ringing"}))
    assert explanation.steps[2].rule == "filter"
    assert ANSWERED in explanation.steps[2].message
    explanation = why(*filtered(""), identity=key, event=with_tags({"status": "answered"}))
    assert explanation.reason.rule == "delivered"


def test_the_limit_of_a_manager_is_a_reason() -> None:
    limit = Limit(frozenset(), frozenset(), ANSWERED)
    manager = replace(KEY, role=Role.MANAGER, filter=ANSWERED, limit=limit)
    explanation = why(CONNECTED, *subscribed(), identity=manager, event=with_tags({"status": "ringing"}))
    assert explanation.steps[2].rule == "beyond-limit"
    assert "limited to other queues and teams" in explanation.steps[2].message
    explanation = why(*filtered(""), identity=manager, event=with_tags({"status": "answered"}))
    assert explanation.reason.rule == "delivered"
