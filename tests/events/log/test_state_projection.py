"""The present state that publishing keeps: one row a resource, true at its log's last number."""

# Long because each rule of the states is tested on what publishing stores.

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.domain.event import Draft, parse_timestamp
from events.domain.state import MAX_DATA_SIZE
from events.domain.strict_json import decode
from events.log.publish import publish
from events.log.state_fold import MAX_CONCERNED_AGENTS
from events.models import ResourceState, split_agents
from tests.events.support.people import new_id
from tests.events.support.stored import draft, store

pytestmark = pytest.mark.django_db

TIME = "2024-01-15T10:30:0{}.000000Z"
ACME = new_id()


def event(event_type: str, second: int, *, agents: tuple[str, ...] = (), **data: Any) -> Draft:
    return draft(ACME, event_type, data, timestamp=TIME.format(second), agent_ids=list(agents))


def state(resource_id: str, member_id: str = "") -> ResourceState:
    return ResourceState.objects.get(resource_id=resource_id, member_id=member_id)


def moment(second: int) -> Any:
    return parse_timestamp(TIME.format(second))


@pytest.fixture(params=["one by one", "in one request"])
def publish_all(request: pytest.FixtureRequest) -> Any:
    """Publishes events, which must come to the same however they are grouped."""

    def together(*drafts: Draft) -> None:
        if request.param == "in one request":
            publish(drafts)
        else:
            for each in drafts:
                publish([each])

    return together


def test_a_call_grows_from_event_to_event(publish_all: Any) -> None:
    one, two = new_id(), new_id()
    publish_all(
        event("call.created", 1, agents=(one,), id="c", status="ringing", direction="inbound"),
        event("call.status", 2, agents=(two, one), id="c", status="answered"),
    )
    found = state("c")
    assert decode(found.body) == {"id": "c", "status": "answered", "direction": "inbound"}
    assert (found.live, found.event_type, found.seq) == (True, "call.status", 2)
    assert (found.since, found.updated_at) == (moment(1), moment(2))
    assert split_agents(found.agent_ids) == (one, two)


def test_a_call_that_hung_up_does_not_come_back_to_life(publish_all: Any) -> None:
    publish_all(
        event("call.ended", 1, id="c", status="hangup"),
        event("call.status", 2, id="c", note="billed"),
    )
    assert not state("c").live
    assert state("c").seq == 2


def test_each_call_in_a_queue_waits_for_itself(publish_all: Any) -> None:
    publish_all(
        event("queue.joined", 1, queue_id="q", call_id="a", position=1),
        event("queue.joined", 2, queue_id="q", call_id="b", position=2),
        event("queue.left", 3, queue_id="q", call_id="a", reason="done"),
    )
    assert (state("q", "a").live, state("q", "b").live) == (False, True)
    assert decode(state("q", "a").body)["reason"] == "done"


def test_a_call_that_comes_back_to_a_queue_waits_from_then_on(publish_all: Any) -> None:
    publish_all(
        event("queue.joined", 1, queue_id="q", call_id="a"),
        event("queue.left", 2, queue_id="q", call_id="a"),
        event("queue.joined", 3, queue_id="q", call_id="a"),
        event("queue.connected", 4, queue_id="q", call_id="a"),
    )
    assert (state("q", "a").live, state("q", "a").since) == (True, moment(3))


def test_a_conference_that_ends_ends_every_place_in_it(publish_all: Any) -> None:
    publish_all(
        event("conference.joined", 1, conference_id="f", call_id="a"),
        event("conference.joined", 1, conference_id="f", call_id="b"),
        event("conference.left", 2, conference_id="f", call_id="b"),
        event("conference.joined", 2, conference_id="other", call_id="a"),
        event("conference.ended", 3, conference_id="f"),
        event("conference.joined", 4, conference_id="f", call_id="late"),
    )
    a, b = state("f", "a"), state("f", "b")
    assert (a.live, a.seq, a.updated_at) == (False, 5, moment(3))
    # It had left before.
    assert (b.live, b.seq, b.updated_at) == (False, 3, moment(2))
    assert not state("f").live
    assert state("other", "a").live
    assert state("f", "late").live


def test_the_end_of_a_call_ends_its_places(publish_all: Any) -> None:
    publish_all(
        event("call.created", 1, id="a"),
        event("queue.joined", 1, queue_id="q", call_id="a"),
        event("conference.joined", 2, conference_id="f", call_id="a"),
        event("queue.joined", 2, queue_id="q", call_id="b"),
        event("queue.joined", 3, queue_id="left", call_id="a"),
        event("queue.left", 4, queue_id="left", call_id="a"),
        event("call.ended", 5, id="a", status="hangup"),
    )
    for place in (state("q", "a"), state("f", "a")):
        assert (place.live, place.seq, place.updated_at) == (False, 7, moment(5))
        assert place.event_type.endswith(".joined")
    assert decode(state("q", "a").body) == {"queue_id": "q", "call_id": "a"}
    # It had left before.
    assert (state("left", "a").live, state("left", "a").seq) == (False, 6)
    assert state("q", "b").live


def test_a_call_that_hangs_up_without_an_event_of_its_end_leaves_its_places(publish_all: Any) -> None:
    publish_all(
        event("queue.joined", 1, queue_id="q", call_id="a"),
        event("call.status", 2, id="a", status="hangup"),
    )
    assert not state("q", "a").live


def test_the_end_of_a_call_ends_no_place_of_another_customer(publish_all: Any) -> None:
    publish_all(
        event("queue.joined", 1, queue_id="q", call_id="a"),
        draft(new_id(), "call.ended", {"id": "a"}),
        event("queue.ended", 2, id="a"),
    )
    assert state("q", "a").live


def test_events_that_end_no_call_look_for_no_places() -> None:
    def statements(*drafts: Draft) -> int:
        with CaptureQueriesContext(connection) as queries:
            publish(drafts)
        return sum("events_resourcestate" in each["sql"] for each in queries)

    publish([event("queue.joined", 1, queue_id="q", call_id="a")])
    assert statements(event("call.status", 2, id="a", status="answered")) == 2
    assert statements(event("call.ended", 3, id="a"), event("call.ended", 3, id="b")) == 3


def test_places_are_found_by_the_index_of_what_lives() -> None:
    with CaptureQueriesContext(connection) as queries:
        publish([event("call.ended", 1, id="a")])
    [query] = [
        each["sql"]
        for each in queries
        if '"member_id" IN' in each["sql"] and '"id" IN' not in each["sql"] and "ORDER BY" not in each["sql"]
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query}")
        [plan] = [row[-1] for row in cursor.fetchall()]
    assert "USING INDEX state_live_order (customer_id=? AND resource=?)" in plan


def test_customers_states_are_apart() -> None:
    other = new_id()
    store(ACME, "call.created", {"id": "c", "of": "acme"})
    store(other, "call.created", {"id": "c", "of": "other"})
    assert {str(each.customer_id): decode(each.body)["of"] for each in ResourceState.objects.all()} == {
        ACME: "acme",
        other: "other",
    }


def test_what_a_repeated_request_holds_changes_no_state() -> None:
    store(ACME, "call.created", {"id": "c", "status": "ringing"}, idempotency_key="k")
    store(ACME, "call.status", {"id": "c", "status": "answered"})
    assert store(ACME, "call.created", {"id": "c", "status": "ringing"}, idempotency_key="k").replayed
    assert decode(state("c").body)["status"] == "answered"


def test_a_row_keeps_its_place_through_updates() -> None:
    store(ACME, "call.created", {"id": "a"})
    store(ACME, "call.created", {"id": "b"})
    before = state("a").pk
    store(ACME, "call.status", {"id": "a"})
    assert state("a").pk == before


_events = st.lists(
    st.tuples(
        st.sampled_from(["joined", "left", "connected", "ended", "hung up"]),
        st.sampled_from(["q", "r"]),
        st.sampled_from(["", "a", "b"]),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_events, st.lists(st.integers(1, 4), max_size=6))
def test_how_events_are_grouped_into_requests_changes_nothing(
    changes: list[tuple[str, str, str]], sizes: list[int]
) -> None:
    seen = []
    for groups in ([1] * len(changes), [*sizes, len(changes)]):
        customer_id = new_id()
        drafts = [
            draft(customer_id, "call.ended", {"id": call or "a"}, timestamp=TIME.format(number % 10))
            if action == "hung up"
            else draft(
                customer_id,
                f"conference.{action}",
                {
                    "conference_id": conference,
                    **({"call_id": call} if call else {}),
                    f"n{number % 3}": number,
                },
                timestamp=TIME.format(number % 10),
            )
            for number, (action, conference, call) in enumerate(changes)
        ]
        while drafts:
            size = groups.pop(0)
            if drafts[:size]:
                publish(drafts[:size])
            drafts = drafts[size:]
        rows = ResourceState.objects.filter(customer_id=customer_id).order_by("resource_id", "member_id")
        fields = ("resource_id", "member_id", "live", "event_type", "seq", "since", "updated_at")
        seen.append([(*[getattr(row, name) for name in fields], decode(row.body)) for row in rows])
    assert seen[0] == seen[1]


def test_an_integer_that_an_earlier_version_stored_blocks_nothing() -> None:
    publish([event("call.created", 1, id="c")])
    ResourceState.objects.update(body='{"id": "c", "ticket": 9007199254740993}')
    publish([event("call.status", 2, id="c", status="answered")])
    assert '"ticket": 9007199254740993' in state("c").body


def test_events_with_ever_new_fields_make_no_large_state(publish_all: Any) -> None:
    for number in range(8):
        fields = {f"field {number}-{each}": "x" * 50_000 for each in range(4)}
        publish_all(event("call.status", 1, id="c", status="answered", **fields))
    publish_all(event("call.status", 2, id="c", note="small"))
    found = state("c")
    assert MAX_DATA_SIZE / 2 < len(found.body) < 1.1 * MAX_DATA_SIZE
    content = decode(found.body)
    assert (content["id"], content["status"], content["note"]) == ("c", "answered", "small")
    assert decode(found.progress)["truncated"] is True


def test_agents_beyond_the_bound_are_forgotten_but_none_of_the_last_event(publish_all: Any) -> None:
    first, *others = [new_id() for _ in range(MAX_CONCERNED_AGENTS + 30)]
    publish_all(
        event("call.created", 1, agents=(first,), id="c"),
        *(
            event("call.status", 2, agents=tuple(others[start : start + 100]), id="c")
            for start in range(0, len(others), 100)
        ),
    )
    publish_all(event("call.status", 3, agents=(first,), id="c"))
    concerned = split_agents(state("c").agent_ids)
    assert len(concerned) == MAX_CONCERNED_AGENTS
    assert first in concerned
    assert set(others[-100:]) <= set(concerned)


def test_places_are_looked_for_once_for_all_events_of_their_queue() -> None:
    def queries(count: int) -> int:
        queue_id = new_id()
        publish([event("queue.joined", 1, queue_id=queue_id, call_id="c")])
        ends = [event("queue.deleted", 2, id=queue_id) for _ in range(count)]
        with CaptureQueriesContext(connection) as captured:
            publish(ends)
        return len(captured)

    assert queries(10) == queries(1)


def test_calls_and_messages_are_stored_with_their_other_party() -> None:
    source = {"type": "tel", "target": "+1 555 200 4711"}
    publish([event("call.status", 1, id="c", status="ringing")])
    publish([event("queue.joined", 1, queue_id="q", call_id="c")])
    assert state("c").party is None
    # The first event that knows it names it for good.
    publish([event("call.created", 2, id="c", source=source)])
    publish([event("call.status", 3, id="c", source="+1777")])
    publish([event("message.received", 1, id="m", source="anonymous")])
    parties = {row.resource_id: row.party for row in ResourceState.objects.all()}
    assert parties == {"c": "+15552004711", "q": None, "m": None}


def test_the_migration_finds_the_parties_of_what_an_earlier_version_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in ("+15552004711", "+15552004712"):
        publish([event("call.created", 1, id=number[1:], source=number)])
    publish([event("call.created", 1, id="x", source="anonymous")])
    ResourceState.objects.update(party=None)
    migration = importlib.import_module("events.migrations.0011_other_party")
    monkeypatch.setattr(migration, "ROWS_AT_ONCE", 1)
    migration.find_parties(apps, connection)
    found = ResourceState.objects.values_list("resource_id", "party")
    assert dict(found) == {"15552004711": "+15552004711", "15552004712": "+15552004712", "x": None}
