"""The fold of a summary: what each event of a queue, call or agent changes in the figures."""

# Long because each rule of the figures has its example.

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from events.summary.figures import queue_figures, queue_ids, total_figures
from events.summary.fold import SummaryFold
from events.summary.profile import CustomerProfile, QueueProfile, Targets
from events.summary.stored_fold import dump, load
from events.summary.summary_event import SummaryEvent

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()
PROFILE = CustomerProfile(
    queues={"q": QueueProfile("Support", Targets(), ("ann",)), "r": QueueProfile("Billing", Targets())}
)


def fold_of(*events: SummaryEvent, profile: CustomerProfile = PROFILE) -> SummaryFold:
    fold = SummaryFold(profile)
    for event in events:
        fold.apply(event)
    return fold


def place(
    action: str, status: str, seconds: float, call: str = "c", queue: str = "q", **data: Any
) -> SummaryEvent:
    ended = True if action == "left" else None
    return SummaryEvent(
        f"queue.{action}", "queue", queue, NOON + seconds, ended, status, None, {"call_id": call, **data}
    )


def call_ends(seconds: float, call: str = "c", **data: Any) -> SummaryEvent:
    return SummaryEvent("call.ended", "call", call, NOON + seconds, True, "", None, data)


def agent(status: str, seconds: float, before: str | None = None, agent_id: str = "ann") -> SummaryEvent:
    return SummaryEvent("agent.status", "agent", agent_id, NOON + seconds, None, status, before, {})


def figures(fold: SummaryFold, after: float, queue: str = "q") -> dict[str, Any]:
    return queue_figures(fold, queue, NOON + after)


def test_a_caller_waits_is_answered_and_has_been_handled() -> None:
    events = [
        place("joined", "waiting", 0),
        place("connected", "connected", 15),
        place("left", "connected", 75),
    ]
    waiting = figures(fold_of(*events[:1]), 10)
    assert (waiting["waiting"], waiting["longest_wait_since"]) == (1, "2026-03-10T12:00:00.000000Z")
    talking = figures(fold_of(*events[:2]), 20)
    assert (talking["waiting"], talking["talking"], talking["answered"]) == (0, 1, 1)
    assert (talking["service_level"], talking["asa_seconds"], talking["aht_seconds"]) == (100.0, 15.0, None)
    over = figures(fold_of(*events), 80)
    assert (over["talking"], over["aht_seconds"], over["answered"]) == (0, 60.0, 1)


def test_a_caller_who_is_answered_late_or_gives_up_lowers_the_service_level() -> None:
    fold = fold_of(
        place("joined", "waiting", 0, "late"),
        place("connected", "connected", 21, "late"),
        place("joined", "waiting", 0, "gone"),
        place("left", "waiting", 30, "gone", reason="abandoned"),
        place("joined", "waiting", 0, "in time"),
        place("connected", "connected", 20, "in time"),
    )
    found = figures(fold, 60)
    assert (found["answered"], found["answered_in_time"], found["abandoned"]) == (2, 1, 1)
    assert found["service_level"] == 33.3


@pytest.mark.parametrize(
    ("events", "counts"),
    [
        ([place("left", "waiting", 4, reason="abandoned")], (0, 1)),
        ([place("left", "waiting", 5, reason="abandoned")], (1, 0)),
        ([place("left", "waiting", 4, reason="abandoned", wait_time=9)], (1, 0)),
        ([place("left", "waiting", 9, reason="transferred")], (0, 0)),
        ([place("left", "waiting", 9)], (0, 0)),
        ([call_ends(9)], (1, 0)),
        ([call_ends(9), place("left", "waiting", 9, reason="abandoned")], (1, 0)),
        ([call_ends(900, inferred=True)], (0, 0)),
        ([place("connected", "connected", 9), call_ends(20)], (0, 0)),
        ([SummaryEvent("queue.deleted", "queue", "q", NOON + 9, True, "", None, {})], (0, 0)),
    ],
)
def test_only_a_caller_who_gave_up_is_abandoned_and_soon_ones_count_apart(
    events: list[SummaryEvent], counts: tuple[int, int]
) -> None:
    found = figures(fold_of(place("joined", "waiting", 0), *events), 1000)
    assert (found["abandoned"], found["short_abandoned"]) == counts
    assert (found["waiting"], found["longest_wait_since"]) == (0, None)


def test_a_call_that_comes_back_waits_anew_and_counts_again() -> None:
    fold = fold_of(
        place("joined", "waiting", 0),
        place("connected", "connected", 10),
        place("connected", "connected", 11),
        place("joined", "waiting", 100),
        place("connected", "connected", 130),
    )
    found = figures(fold, 131)
    assert (found["answered"], found["answered_in_time"], found["asa_seconds"]) == (2, 1, 20.0)
    assert found["aht_seconds"] == 90.0


def test_a_call_can_be_in_several_queues_and_its_end_ends_all() -> None:
    fold = fold_of(
        place("joined", "waiting", 0, queue="q"),
        place("joined", "waiting", 1, queue="r"),
        place("left", "waiting", 2, queue="r", reason="transferred"),
        place("joined", "waiting", 3, queue="s"),
        call_ends(10),
    )
    assert [figures(fold, 20, queue)["abandoned"] for queue in ("q", "r", "s")] == [1, 0, 1]
    assert total_figures(fold, NOON + 20)["waiting"] == 0


def test_the_time_of_the_publisher_counts_where_it_sends_one() -> None:
    fold = fold_of(
        place("joined", "waiting", 0, tm_join="2026-03-10T11:59:30Z"),
        place("connected", "connected", 5),
        place("joined", "waiting", 0, "d"),
        place("connected", "connected", 5, "d", wait_time=41),
        place("connected", "connected", 5, "e", wait_time="long"),
        place("connected", "connected", 5, "f", tm_join="2026-03-10T12:00:01Z"),
    )
    found = figures(fold, 10)
    assert (found["answered"], found["asa_seconds"]) == (4, (35 + 41 + 0 + 4) / 4)


def test_a_caller_of_whom_only_the_leaving_is_known_counts_once_if_its_wait_is_known() -> None:
    fold = fold_of(
        place("left", "", 10, "a", reason="abandoned", wait_time=9),
        place("left", "", 11, "a", reason="abandoned", wait_time=9),
        place("left", "", 12, "b", reason="abandoned", tm_join="2026-03-10T12:00:02Z"),
        place("left", "", 13, "d", reason="abandoned"),
        place("joined", "waiting", 14, "e"),
        call_ends(24, "e"),
        place("left", "", 25, "e", reason="abandoned", wait_time=11),
    )
    assert (figures(fold, 30)["abandoned"], figures(fold, 30)["waiting"]) == (3, 0)


def test_a_queue_has_its_own_targets_and_the_customer_those_of_the_total() -> None:
    own = Targets(target_seconds=60, target_percent=90)
    profile = CustomerProfile(queues={"q": QueueProfile("Support", own)})
    fold = fold_of(place("joined", "waiting", 0), place("connected", "connected", 50), profile=profile)
    assert figures(fold, 60)["service_level"] == 100.0
    assert figures(fold, 60)["targets"]["target_percent"] == 90
    total = total_figures(fold, NOON + 60)
    assert (total["service_level"], total["targets"]["target_percent"]) == (100.0, 80)


def test_the_total_adds_the_queues() -> None:
    fold = fold_of(
        place("joined", "waiting", 0, "a", "q"),
        place("joined", "waiting", 5, "b", "r"),
        place("joined", "waiting", 6, "d", "unknown"),
        place("connected", "connected", 9, "d", "unknown"),
    )
    total = total_figures(fold, NOON + 10)
    assert (total["waiting"], total["talking"], total["answered"]) == (2, 1, 1)
    assert total["longest_wait_since"] == "2026-03-10T12:00:00.000000Z"
    assert queue_ids(fold) == ["r", "q", "unknown"]
    assert figures(fold, 10, "unknown")["name"] is None


def test_agents_are_counted_by_their_status_and_occupied_by_their_time() -> None:
    profile = CustomerProfile(queues=PROFILE.queues, agents={"bob": "away", "ann": "offline"})
    fold = fold_of(
        agent("available", 0, "offline"),
        agent("busy", 100),
        agent("lunch", 400),
        agent("", 500),
        agent("available", 550, "busy", agent_id="cy"),
        profile=profile,
    )
    total = total_figures(fold, NOON + 600)
    assert total["agents"] == {"available": 1, "busy": 0, "away": 2, "offline": 0}
    assert figures(fold, 600)["occupancy"] == 75.0
    assert figures(fold, 600, "r")["occupancy"] is None
    # Cy was busy since the hour began at 11:15, for 3250 seconds.
    assert total["occupancy"] == 95.9
    assert figures(fold, 3 * 3600)["occupancy"] is None


def test_buckets_count_available_agents_by_the_log_alone() -> None:
    events = (agent("busy", 0, agent_id="cy"), agent("available", 400, agent_id="cy"), agent("busy", 700))
    now_available, now_busy = (
        total_figures(fold_of(*events, profile=CustomerProfile(agents={"bob": status})), NOON + 1000)
        for status in ("available", "busy")
    )
    assert now_available["buckets"] == now_busy["buckets"]
    assert [each["available"] for each in now_busy["buckets"]] == [1, 1]
    assert (now_available["agents"]["available"], now_busy["agents"]["available"]) == (2, 1)


def test_the_hour_passes_and_the_day_stays() -> None:
    fold = fold_of(place("joined", "waiting", 0), place("connected", "connected", 5))
    assert figures(fold, 3599)["answered"] == 1
    later = figures(fold, 3600)
    assert (later["answered"], later["service_level"], later["today"]["answered"]) == (0, None, 1)
    assert (later["buckets"][0]["at"], later["buckets"][0]["answered"]) == ("2026-03-10T12:00:00.000000Z", 1)
    tomorrow = figures(fold, 86_400)
    assert tomorrow["today"]["answered"] == 0
    assert {name for each in tomorrow["buckets"] for name in each} == {"at", "talking"}


def test_a_late_event_counts_in_its_own_bucket() -> None:
    fold = fold_of(place("joined", "waiting", 0), place("connected", "connected", 900))
    assert figures(fold, 1000)["today"]["answered"] == 1
    fold.apply(place("connected", "connected", 400, "d", wait_time=1))
    assert figures(fold, 1000)["today"]["answered"] == 2
    assert [each["at"][14:16] for each in figures(fold, 1000)["buckets"] if "answered" in each] == [
        "05",
        "15",
    ]


def test_buckets_have_what_was_going_on_when_they_began() -> None:
    fold = fold_of(
        place("joined", "waiting", 250, "a"),
        place("joined", "waiting", 290, "b"),
        place("connected", "connected", 310, "a"),
        place("connected", "connected", 910, "b"),
    )
    buckets = {each.pop("at")[11:16]: each for each in figures(fold, 1000)["buckets"]}
    waits = fold_of(place("joined", "waiting", 250))
    later = {each["at"][11:16]: each for each in figures(waits, 1000)["buckets"]}
    assert [later[at]["longest_wait_seconds"] for at in ("12:05", "12:10", "12:15")] == [50, 350, 650]
    assert buckets["12:05"] == {
        "waiting": 2,
        "longest_wait_seconds": 50,
        "answered": 1,
        "service_level": 0.0,
        "asa_seconds": 60.0,
    }
    assert buckets["12:10"] == {"waiting": 1, "longest_wait_seconds": 310, "talking": 1}


def test_a_breach_lasts_until_it_is_cleared() -> None:
    def sla(action: str, seconds: float) -> SummaryEvent:
        return SummaryEvent(f"sla.{action}", "sla", "q", NOON + seconds, None, "", None, {})

    fold = fold_of(sla("breached", 10), sla("noted", 11))
    assert figures(fold, 20)["breached_since"] == "2026-03-10T12:00:10.000000Z"
    assert total_figures(fold, NOON + 20)["is_breached"]
    fold.apply(sla("cleared", 30))
    assert not figures(fold, 40)["is_breached"]


def test_what_began_before_the_first_event_is_taken_over() -> None:
    fold = SummaryFold(PROFILE)
    fold.restore_place("q", "a", NOON - 5000, None)
    fold.restore_place("q", "b", NOON - 5000, NOON - 4900)
    fold.restore_agent("ann", "busy", NOON - 5000)
    fold.restore_breach("q", NOON - 5000)
    found = figures(fold, 0)
    assert (found["waiting"], found["talking"], found["is_breached"]) == (1, 1, True)
    assert found["longest_wait_since"] == "2026-03-10T10:36:40.000000Z"
    assert found["occupancy"] == 100.0
    for each in (call_ends(10, "a"), call_ends(10, "b"), call_ends(11, "b")):
        fold.apply(each)
    found = figures(fold, 20)
    assert (found["abandoned"], found["aht_seconds"]) == (1, 4910.0)


def test_other_events_change_nothing() -> None:
    fold = fold_of(
        SummaryEvent("call.status", "call", "c", NOON, None, "", None, {}),
        SummaryEvent("queue.updated", "queue", "q", NOON, None, "", None, {"name": "Support"}),
        agent("available", 0),
        SummaryEvent("agent.updated", "agent", "ann", NOON + 1, None, "", None, {}),
        agent("available", 2),
    )
    assert figures(fold, 10)["waiting"] == 0
    assert fold.statuses() == {"ann": "available"}
    fold.apply(SummaryEvent("agent.deleted", "agent", "ann", NOON + 3, True, "", None, {}))
    assert fold.statuses() == {}
    assert figures(SummaryFold(PROFILE), 0)["buckets"] == []


def test_an_event_of_an_earlier_version_has_only_its_action() -> None:
    fold = fold_of(place("joined", "", 0), place("connecting", "", 5), place("connected", "", 10))
    assert (figures(fold, 20)["talking"], figures(fold, 20)["asa_seconds"]) == (1, 10.0)


def test_a_time_that_cannot_be_read_is_none() -> None:
    fold = fold_of(
        place("joined", "waiting", 10, tm_join="yesterday"),
        place("connected", "connected", 12, wait_time=-1),
        place("joined", "waiting", 10, "d", tm_join=7),
        place("connected", "connected", 12, "d", wait_time=True),
        place("joined", "waiting", 10, "e"),
        place("connected", "connected", 12, "e", wait_time=float("inf")),
    )
    assert (figures(fold, 20)["answered"], figures(fold, 20)["asa_seconds"]) == (3, 2.0)


def test_what_is_older_than_the_day_and_the_hour_is_forgotten() -> None:
    fold = fold_of(
        place("joined", "waiting", 0),
        place("connected", "connected", 5),
        agent("available", 0, "busy"),
        agent("busy", 10),
        place("left", "connected", 20, reason="done"),
        place("joined", "waiting", 2 * 86_400, "d"),
        agent("away", 2 * 86_400 + 10),
    )
    line = fold.lines["q"]
    assert (line.buckets, min(line.moments)) == ({}, NOON + 86_400 + 43_200)
    assert min(fold.available) >= NOON + 43_200
    assert min(fold.agents["ann"].seconds) > NOON + 86_400


def test_figures_since_a_moment_have_its_buckets_alone() -> None:
    fold = fold_of(
        place("joined", "waiting", 0),
        place("connected", "connected", 5),
        place("joined", "waiting", 900, "d", "r"),
    )
    late = queue_figures(fold, "q", NOON + 1000, since=NOON + 900)
    assert [each["at"][11:16] for each in late["buckets"]] == ["12:15"]
    assert (late["answered"], late["today"]["answered"]) == (1, 1)
    total = total_figures(fold, NOON + 1000, since=NOON + 300)
    assert [each["at"][11:16] for each in total["buckets"]] == ["12:05", "12:10", "12:15"]
    assert total_figures(fold, NOON + 1000)["buckets"][0]["at"][11:16] == "12:00"


def test_a_profile_counts_like_another_with_the_same_zone_and_times() -> None:
    def with_targets(**targets: int) -> CustomerProfile:
        return CustomerProfile(queues={"q": QueueProfile("Q", Targets(**targets))})

    plain = CustomerProfile().counting()
    assert with_targets(target_percent=5, wait_alarm_seconds=1).counting() == plain
    assert with_targets(target_seconds=21).counting() != plain
    assert with_targets(short_abandon_seconds=6).counting() != plain
    assert CustomerProfile(targets=Targets(target_seconds=21)).counting() != plain
    assert CustomerProfile(time_zone=ZoneInfo("Asia/Tokyo")).counting() != plain


def test_a_stored_fold_goes_on_where_it_was() -> None:
    events = [
        place("joined", "waiting", 0),
        place("connected", "connected", 9),
        agent("available", 10, "busy"),
        SummaryEvent("sla.breached", "sla", "r", NOON + 20, None, "", None, {}),
        place("joined", "waiting", 30, "d"),
        place("left", "waiting", 60, "d", reason="abandoned", wait_time=30),
        place("joined", "waiting", 400, "e", "r"),
        place("left", "waiting", 410, "d", reason="abandoned", wait_time=30),
        agent("busy", 420),
        call_ends(500, "c"),
        call_ends(600, "e"),
    ]
    whole = fold_of(*events)
    for count in range(len(events)):
        stored = json.loads(json.dumps(dump(fold_of(*events[:count]))))
        fold = load(stored, PROFILE)
        assert fold is not None
        for each in events[count:]:
            fold.apply(each)
        assert total_figures(fold, NOON + 700) == total_figures(whole, NOON + 700)
        for queue in ("q", "r"):
            assert figures(fold, 700, queue) == figures(whole, 700, queue)
    assert load(dump(whole), CustomerProfile(targets=Targets(target_seconds=1))) is None
    assert load(dump(whole) | {"version": 0}, PROFILE) is None


DAYS = [
    ("Europe/Berlin", "2026-03-29T12:00+02:00", "2026-03-29T00:00+01:00", 23),
    ("Europe/Berlin", "2026-10-25T12:00+01:00", "2026-10-25T00:00+02:00", 25),
    ("Asia/Kathmandu", "2026-06-01T00:00+05:45", "2026-06-01T00:00+05:45", 24),
    # Clocks skip midnight.
    ("Africa/Cairo", "2026-04-24T12:00+03:00", "2026-04-24T01:00+03:00", 23),
    # The hour before midnight comes twice, and then the hour after it.
    ("Africa/Cairo", "2026-10-29T23:30+02:00", "2026-10-29T00:00+03:00", 25),
    ("Atlantic/Azores", "2026-10-25T00:30-01:00", "2026-10-25T00:00+00:00", 25),
]


@pytest.mark.parametrize(("zone", "now", "midnight", "hours"), DAYS)
def test_the_day_begins_at_the_customers_midnight(zone: str, now: str, midnight: str, hours: int) -> None:
    profile = CustomerProfile(time_zone=ZoneInfo(zone))
    begin = profile.midnight(datetime.fromisoformat(now).timestamp())
    assert begin == datetime.fromisoformat(midnight).timestamp()
    end = begin + hours * 3600
    assert profile.midnight(end - 1) == begin
    assert profile.midnight(end) == end
