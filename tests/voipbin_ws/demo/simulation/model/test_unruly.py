"""The unruly platform: every kind of disorder occurs, and the same seed yields the same."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voipbin_ws.demo.simulation.support.simulated_days import centre, day, few
from voipbin_ws.demo.simulation.model.event_recorder import SimulatedEvent
from voipbin_ws.demo.simulation.model.load_profiles import PROFILES
from voipbin_ws.demo.simulation.model.unruly import CLOCKS, ENDS, LATEST_SECONDS, UnrulyPlatform

UNRULY = PROFILES["unruly"]


@pytest.fixture(scope="module")
def orderly() -> list[SimulatedEvent]:
    return day(1, 120)


@pytest.fixture(scope="module")
def unruly(orderly: list[SimulatedEvent]) -> list[SimulatedEvent]:
    return UnrulyPlatform("1").close(orderly)


def resource_of(event: SimulatedEvent) -> str:
    return event.event_type.partition(".")[0]


@few
@given(seed=st.integers(), cuts=st.lists(st.floats(0, 600), max_size=20))
def test_the_same_seed_yields_the_same_disorder_however_time_is_cut(seed: int, cuts: list[float]) -> None:
    at_once = centre(seed, UNRULY)
    in_parts = centre(seed, UNRULY)
    recorded = [each for cut in sorted(cuts) for each in in_parts.advance(cut)]
    assert [*recorded, *in_parts.advance(600), *in_parts.close()] == [*at_once.advance(600), *at_once.close()]


def test_events_come_twice_with_the_same_key_and_with_another(unruly: list[SimulatedEvent]) -> None:
    keys = Counter(each.key for each in unruly)
    assert max(keys.values()) == 2
    assert any(key.endswith("-again") for key in keys)


def test_events_are_shuffled_within_seconds(
    orderly: list[SimulatedEvent], unruly: list[SimulatedEvent]
) -> None:
    at = {each.key: each.at for each in orderly}
    times = [at[each.key.removesuffix("-again")] for each in unruly]
    latest = times[0]
    inversions = 0
    for each in times:
        latest = max(latest, each)
        inversions += each < latest
        assert latest - each <= timedelta(seconds=LATEST_SECONDS)
    assert inversions > len(times) / 4


def test_some_ends_never_come(orderly: list[SimulatedEvent], unruly: list[SimulatedEvent]) -> None:
    came = {each.key for each in unruly}
    lost = [each for each in orderly if each.key not in came]
    # Conferences are few.
    assert {each.event_type for each in lost} | {"conference.ended"} == ENDS | {"call.status"}
    assert {each.data["status"] for each in lost if each.event_type == "call.status"} == {"hangup"}
    ended = {each.data["id"] for each in unruly if each.event_type == "call.ended"}
    unended = {each.data["id"] for each in orderly if each.event_type == "call.ended"} - ended
    assert unended
    final = {each.data["id"] for each in unruly if each.data.get("status") == "hangup"}
    assert unended.isdisjoint(final)


def test_half_of_the_ends_name_no_agent(orderly: list[SimulatedEvent], unruly: list[SimulatedEvent]) -> None:
    naming = {each.key for each in orderly if each.event_type == "call.ended" and each.data["agent_id"]}
    ends = [each for each in unruly if each.key in naming]
    share = sum("agent_id" not in each.data for each in ends) / len(ends)
    assert 0.35 < share < 0.65


def test_calls_have_the_words_of_a_platform(unruly: list[SimulatedEvent]) -> None:
    calls = [each.data for each in unruly if resource_of(each) == "call"]
    assert {each["direction"] for each in calls} == {"incoming", "outgoing"}
    assert {each["status"] for each in calls} == {"ringing", "progressing", "hangup"}


def test_the_clocks_of_services_differ(orderly: list[SimulatedEvent], unruly: list[SimulatedEvent]) -> None:
    at = {each.key: each.at for each in orderly}
    for each in unruly:
        skew = (each.at - at[each.key.removesuffix("-again")]).total_seconds()
        assert skew == CLOCKS.get(resource_of(each), 0.0)


def test_what_is_under_way_is_announced() -> None:
    young = centre(3, UNRULY)
    arrived = 0
    while (announced := young.next_at()) is not None and announced < 60:
        arrived += len(young.advance(announced))
    assert arrived > 50
