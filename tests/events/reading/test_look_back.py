"""The states of a past moment are those that were stored then, whatever was published and with any snapshots."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from events.domain.event import format_timestamp
from events.domain.strict_json import decode
from events.log import reader, snapshots
from events.log.publish import publish
from events.models import CustomerLog, Event, ResourceState, StateSnapshot, split_agents
from events.reading import look_back
from events.reading.look_back import NotKnown, PastStates
from tests.events.support.people import new_id
from tests.events.support.stored import draft, store
from tests.voipbin_ws.static.support.sequences import CUSTOMER, Published, published

pytestmark = pytest.mark.django_db

EXAMPLES = 5_000 if os.environ.get("DRILLS") else 60


def content(row: ResourceState) -> tuple[Any, ...]:
    return (
        *(row.resource, row.resource_id, row.member_id, row.event_type, row.seq),
        *(format_timestamp(row.since), format_timestamp(row.updated_at), row.stored_at),
        *(decode(row.progress), decode(row.body)),
    )


def live_now(customer_id: str) -> dict[Any, Any]:
    rows = ResourceState.objects.filter(customer_id=customer_id, live=True)
    return {content(row)[:3]: (content(row), split_agents(row.agent_ids)) for row in rows}


def live_at(moments: PastStates, customer_id: str, seq: int) -> dict[Any, Any]:
    rows = moments.at(customer_id, reader.head_of(customer_id), seq)
    return {content(row)[:3]: (content(row), split_agents(row.agent_ids)) for row in rows}


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sequence=published(), snapshots_after=st.sets(st.integers(1, 25), max_size=3))
def test_every_moment_is_as_it_was_stored(sequence: Published, snapshots_after: set[int]) -> None:
    for model in (Event, ResourceState, CustomerLog, StateSnapshot):
        model.objects.filter(customer_id=CUSTOMER).delete()  # type: ignore[attr-defined]
    stored: dict[int, Any] = {}
    for number, each in enumerate(sequence.drafts, start=1):
        publish([each])
        stored[number] = live_now(CUSTOMER)
        if number in snapshots_after:
            snapshots.take(CUSTOMER)
    kept = PastStates()
    for seq, expected in stored.items():
        for moments in (PastStates(), kept):
            found = live_at(moments, CUSTOMER, seq)
            assert {key: state for key, (state, _) in found.items()} == {
                key: state for key, (state, _) in expected.items()
            }
            # What had ended at the snapshot and began again has the agents of its new life alone.
            for key, (_, agents) in found.items():
                assert set(agents) <= set(expected[key][1])
    StateSnapshot.objects.filter(customer_id=CUSTOMER).delete()
    for seq, expected in stored.items():
        assert live_at(PastStates(), CUSTOMER, seq) == expected


def test_a_snapshot_without_live_states_is_one() -> None:
    acme = new_id()
    store(acme, "call.created", {"id": "c"})
    ended = store(acme, "call.ended", {"id": "c"})
    assert str(snapshots.take(acme)) == ended.cursor
    assert snapshots.take(new_id()) is None
    CustomerLog.objects.filter(pk=acme).update(floor=2)
    assert live_at(PastStates(), acme, 2) == {}


def test_what_began_before_the_kept_events_is_known_from_a_snapshot_on() -> None:
    acme = new_id()
    for name in ("a", "b", "c"):
        store(acme, "call.created", {"id": name})
    Event.objects.filter(customer_id=acme, seq=1).delete()
    CustomerLog.objects.filter(pk=acme).update(floor=1)
    with pytest.raises(NotKnown, match="the first snapshot of the states is still to come"):
        live_at(PastStates(), acme, 3)
    snapshots.take(acme)
    store(acme, "call.created", {"id": "d"})
    with pytest.raises(NotKnown, match=r"the states are known from 2.* on, so choose a later moment"):
        live_at(PastStates(), acme, 2)
    assert [key[1] for key in live_at(PastStates(), acme, 4)] == ["a", "b", "c", "d"]
    CustomerLog.objects.filter(pk=acme).update(floor=4)
    snapshots.prune(acme)
    assert not StateSnapshot.objects.filter(customer_id=acme).exists()


def test_a_request_folds_a_bounded_number_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_back, "MAX_EVENTS", 2)
    acme = new_id()
    publish([draft(acme, "call.created", {"id": name}) for name in ("a", "b", "c")])
    with pytest.raises(NotKnown, match="There are 3 events between this moment and the last snapshot"):
        live_at(PastStates(), acme, 3)
    snapshots.take(acme)
    assert len(live_at(PastStates(), acme, 3)) == 3
