"""The status of a process: rates, last warnings, and compatibility of versions."""

from __future__ import annotations

import asyncio
import json
import logging
import time

import pytest

from events.counters import stored_events
from subscriptions.connections.runtime import Runtime
from subscriptions.models import GatewayProcess
from subscriptions.presence.process_status import (
    TROUBLES_KEPT,
    ProcessState,
    Rate,
    Trouble,
    Troubles,
    troubles,
)


def test_a_rate_is_of_the_last_minute() -> None:
    count = [0]
    rate = Rate(lambda: count[0], 0)
    assert rate.a_minute(0) == 0
    count[0] = 10
    assert rate.a_minute(5) == 10, "a burst at the beginning is not drawn out over a minute"
    for now in range(10, 130, 5):
        count[0] += 1
        latest = rate.a_minute(now)
    assert latest == pytest.approx(12)


def test_a_rate_after_a_long_silence_is_of_that_silence() -> None:
    count = [0]
    rate = Rate(lambda: count[0], 0)
    count[0] = 60
    assert rate.a_minute(3600) == 1
    assert rate.a_minute(3600) == 1


def test_only_the_last_troubles_of_the_last_hour_are_returned() -> None:
    own = Troubles()
    for number in range(TROUBLES_KEPT + 5):
        own.note(1000.0 + number, "WARNING", f"number {number} " + "x" * 1000)
    returned = own.lately(1030.0)
    assert [trouble.words.split()[1] for trouble in returned] == [
        str(number) for number in range(5, TROUBLES_KEPT + 5)
    ]
    assert all(len(trouble.words) == 300 for trouble in returned)
    assert own.lately(1000.0 + 3600 + 20) == returned[16:]


def test_a_state_comes_through_the_database_as_it_was() -> None:
    state = ProcessState(lease_seconds=13.0, late_events=2, troubles=(Trouble(5.0, "ERROR", 'a "word"\0'),))
    assert ProcessState.from_json(state.as_json()) == state


def test_the_known_fields_of_another_version_are_read() -> None:
    assert ProcessState.from_json("{}") == ProcessState()
    newer = {
        "late_events": 3,
        "something_new": 1,
        "troubles": [{"at": 1, "level": "ERROR", "words": "w", "more": 2}, {}],
    }
    assert ProcessState.from_json(json.dumps(newer)) == ProcessState(
        late_events=3, troubles=(Trouble(1.0, "ERROR", "w"),)
    )


@pytest.mark.parametrize("name", ["subscriptions.delivery.hub", "uvicorn.error", "asyncio"])
def test_a_warning_of_any_logger_is_a_trouble_without_its_secrets(name: str) -> None:
    key = "vb_AbCdEfGhIjklmnopqrstuvwxyz012345"
    logging.getLogger(name).warning("the key %s\nis wrong", key)
    last = troubles.lately(time.time())[-1]
    assert (last.level, last.words) == ("WARNING", f"{name}: the key vb_AbCdEfGh…\\nis wrong")
    assert last.at == pytest.approx(time.time(), abs=60)


def test_what_a_client_did_wrong_and_what_went_well_is_none() -> None:
    logging.getLogger("subscriptions.delivery.hub").info("all is well")
    logging.getLogger("django.security.csrf").warning("Forbidden")
    assert not any("Forbidden" in each.words or "well" in each.words for each in troubles.lately(time.time()))


def test_an_exception_is_reported_by_its_message() -> None:
    try:
        raise RuntimeError("the reason")
    except RuntimeError:
        logging.getLogger("events").exception("It failed")
    last = troubles.lately(time.time())[-1]
    assert (last.level, last.words) == ("ERROR", "events: It failed (RuntimeError: the reason)")


@pytest.mark.django_db(transaction=True)
async def test_a_process_stores_its_state_with_its_beats(
    process: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.presence.heartbeat.MIN_PAUSE_SECONDS", 0.02)
    stored_events.add(count=1000)
    process.hub.deliveries += 500
    process.is_draining = True
    async with asyncio.timeout(30):
        while not (
            (entry := await GatewayProcess.objects.afirst())
            and (state := ProcessState.from_json(entry.state)).deliveries_a_minute
        ):
            await asyncio.sleep(0.02)
            process.presence._wake.set()
    assert state.events_a_minute > 0
    assert state.is_draining
    assert state.lease_seconds > 1
