"""The simulated contact centre publishes only plausible events, whatever the seed."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events.domain.event import parse_timestamp
from events.domain.topics import is_canonical_uuid
from tests.voipbin_ws.demo.simulation.support.simulated_days import (
    ORDERLY,
    PUBLISHED_TYPES,
    START,
    Day,
    centre,
    day,
    days,
    few,
    of,
)
from voipbin_ws.demo.simulation.model.event_recorder import SimulatedEvent
from voipbin_ws.demo.simulation.model.load_profiles import PROFILES, Profile
from voipbin_ws.demo.simulation.model.queues import MAX_WAITING
from voipbin_ws.demo.simulation.model.tenants import ACME, GLOBEX, TENANTS, tenant_of


@few
@given(days)
def test_every_call_that_starts_ends_once_and_nothing_follows(a_day: Day) -> None:
    events = a_day.events()
    lives: dict[str, list[SimulatedEvent]] = defaultdict(list)
    for each in events:
        if each.event_type.startswith("call."):
            lives[each.data["id"]].append(each)
    for life in lives.values():
        types = [each.event_type for each in life]
        assert types[0] == "call.created"
        assert types[-2:] == ["call.status", "call.ended"]
        assert life[-2].data == life[-1].data
        assert types.count("call.created") == types.count("call.ended") == 1
        assert life[-1].data["status"] == "hangup"
        assert life[-1].data["hangup_reason"]
        statuses = [each.data["status"] for each in life]
        assert [status for status in ("ringing", "answered", "hangup") if status in statuses] == list(
            dict.fromkeys(statuses)
        )


@few
@given(days)
@example(Day(seed=-26, minutes=7.0, profile="quiet", customer_id="00000000-0000-4000-8000-000000000abc"))
def test_an_agent_has_one_call_at_a_time_and_its_status_follows(a_day: Day) -> None:
    events = a_day.events()
    status: dict[str, str] = {}
    calls: dict[str, str] = {}
    for each in events:
        data = each.data
        if each.event_type == "agent.status":
            assert data["previous_status"] == status.get(data["agent_id"], "offline")
            assert data["status"] != data["previous_status"]
            status[data["agent_id"]] = data["status"]
        elif each.event_type == "call.assigned":
            agent = data["agent_id"]
            assert each.agent_ids == (agent,)
            assert status[agent] == "available"
            assert agent not in calls.values()
            calls[data["id"]] = agent
        elif each.event_type == "queue.connected":
            assert calls[data["call_id"]] == data["agent_id"]
            assert status[data["agent_id"]] == "busy"
        elif each.event_type.startswith("call.") and data["agent_id"]:
            assert calls.setdefault(data["id"], data["agent_id"]) == data["agent_id"]
        elif each.event_type in ("call.status", "queue.joined") or (
            each.event_type == "queue.left" and data["reason"] == "transferred"
        ):
            calls.pop(data.get("call_id", data.get("id")), None)
        if each.event_type == "call.ended":
            calls.pop(data["id"], None)
        assert len(set(calls.values())) == len(calls)
    assert not calls
    assert set(status.values()) <= {"offline"}


@few
@given(days)
def test_an_agent_whose_call_is_over_is_soon_free(a_day: Day) -> None:
    released: dict[str, SimulatedEvent] = {}
    for each in a_day.events():
        if each.event_type == "call.ended" and each.data["agent_id"]:
            released[each.data["agent_id"]] = each
        elif each.event_type == "agent.status" and (ended := released.pop(each.data["agent_id"], None)):
            assert each.data["status"] in ("available", "away", "offline")
            assert each.at - ended.at <= timedelta(seconds=6)
    assert not released


@few
@given(days)
def test_a_caller_joins_a_queue_before_it_is_connected_and_leaves_in_the_end(a_day: Day) -> None:
    events = a_day.events()
    inside: dict[tuple[str, str], str] = {}
    waiting: dict[str, int] = defaultdict(int)
    for each in of(events, "queue.joined", "queue.connected", "queue.left"):
        entry = (each.data["queue_id"], each.data["call_id"])
        match each.event_type:
            case "queue.joined":
                assert entry not in inside
                waiting[entry[0]] += 1
                inside[entry] = "waiting"
                assert each.data["position"] == waiting[entry[0]] <= MAX_WAITING
                assert each.data["estimated_wait"] >= 0
            case "queue.connected":
                assert inside[entry] == "waiting"
                waiting[entry[0]] -= 1
                inside[entry] = "connected"
                waited = parse_timestamp(each.data["tm_connect"]) - parse_timestamp(each.data["tm_join"])
                assert abs(each.data["wait_time"] - waited.total_seconds()) <= 0.51
            case "queue.left":
                was = inside.pop(entry)
                waiting[entry[0]] -= was == "waiting"
                assert (each.data["reason"] == "abandoned") == (was == "waiting")
    assert not inside


@few
@given(days)
def test_what_begins_is_over_in_the_end(a_day: Day) -> None:
    events = a_day.events()
    begun = {each.data["id"] for each in of(events, "recording.started", "activeflow.updated")}
    ended = [each.data["id"] for each in of(events, "recording.completed", "activeflow.completed")]
    assert begun <= set(ended)
    assert len(ended) == len(set(ended))
    inside: dict[str, set[str]] = defaultdict(set)
    for each in of(events, "conference.joined", "conference.left", "conference.ended"):
        people = inside[each.data["conference_id"]]
        if each.event_type == "conference.joined":
            people.add(each.data["call_id"])
        elif each.event_type == "conference.left":
            people.remove(each.data["call_id"])
        else:
            del inside[each.data["conference_id"]]
            assert not people
        assert each.data["participant_count"] == len(people)
    assert not inside


@few
@given(seed=st.integers(), cuts=st.lists(st.floats(0, 600), max_size=20))
def test_the_same_seed_yields_the_same_events_however_time_is_cut(seed: int, cuts: list[float]) -> None:
    at_once = centre(seed).advance(600)
    in_parts = centre(seed)
    recorded = [each for cut in sorted(cuts) for each in in_parts.advance(cut)]
    assert recorded + in_parts.advance(600) == at_once


def test_the_same_seed_at_a_later_start_yields_the_same_events_of_other_calls() -> None:
    first, later = day(7), day(7, start=START + timedelta(days=1))
    assert [each.event_type for each in first] == [each.event_type for each in later]
    assert {each.key for each in first}.isdisjoint(each.key for each in later)
    ids = [{each.data["id"] for each in of(recorded, "call.created")} for recorded in (first, later)]
    assert ids[0].isdisjoint(ids[1])
    # The agents are those of the tenant.
    agents = [{each.data["agent_id"] for each in of(recorded, "agent.status")} for recorded in (first, later)]
    assert agents[0] == agents[1] == {agent.id for agent in ACME.agents}


def test_different_seeds_yield_different_events() -> None:
    assert [each.event_type for each in day(1)] != [each.event_type for each in day(2)]


def test_an_hour_of_any_profile_shows_every_kind_of_event() -> None:
    for profile in PROFILES.values():
        assert {each.event_type for each in day(1, 60, profile)} == PUBLISHED_TYPES, profile.name


@pytest.mark.parametrize("profile", ORDERLY, ids=lambda profile: profile.name)
def test_the_rate_is_kept(profile: Profile) -> None:
    calls = len(of(day(3, 60, profile, rate=20.0), "call.created"))
    usual = 20 * 60
    surges = 1 + (profile.surge_factor - 1) * profile.surge_seconds / profile.surge_every
    # Conferences add calls to those of the rate.
    assert 0.85 * usual * surges < calls < 1.45 * usual * surges


@pytest.mark.parametrize("most", [1, 10])
def test_no_more_calls_begin_than_the_limit(most: int) -> None:
    counted = centre(5, most_calls=most)
    events = counted.advance(3600)
    assert len(of(events, "call.created")) == len(of(events, "call.ended")) == most
    assert counted.is_over


def test_a_centre_of_one_agent_and_one_queue_transfers_nothing() -> None:
    events = day(1, 240, tenant=GLOBEX)
    assert len(of(events, "queue.connected")) > 200
    assert {each.data["reason"] for each in of(events, "queue.left")} == {"abandoned", "done"}
    assert not [each for each in events if "transferred_from" in each.data]


def test_the_first_event_comes_when_it_is_announced() -> None:
    young = centre(1)
    young.advance(0)
    events: list[SimulatedEvent] = []
    while not events:
        announced = young.next_at()
        assert announced is not None
        assert young.advance(announced - 1e-6) == []
        events = young.advance(announced)
    assert {each.at for each in events} == {START + timedelta(seconds=announced)}


def test_hundreds_of_calls_at_once_are_no_trouble() -> None:
    crowded = centre(1, rate=3000)
    events = crowded.advance(60)
    assert len(crowded.calls.open) > 300
    assert len(events) > 60 * 300
    crowded.close()
    assert not crowded.calls.open


def test_the_tenants_are_those_that_the_demo_documents() -> None:
    assert sorted(person.role for person in ACME.people) == ["admin", "agent", "agent", "agent", "manager"]
    assert len(ACME.queues) == 2
    ids = [each.id for tenant in TENANTS for each in (tenant, *tenant.people, *tenant.queues)]
    assert len(set(ids)) == len(ids)
    assert all(map(is_canonical_uuid, ids))


def test_any_other_customer_has_a_tenant_that_stays_the_same() -> None:
    other = "00000000-0000-4000-8000-000000000abc"
    assert tenant_of(other) == tenant_of(other)
    assert tenant_of(other).agents
    assert tenant_of(ACME.id) is ACME
