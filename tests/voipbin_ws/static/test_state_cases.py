"""The pages' fold passes the cases of the server's: tests/events/domain/state_cases.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.events.support.state_cases import CASES
from tests.voipbin_ws.static.support.page_models import PageModels


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, Any]]:
    """The states to which each case leads in Node."""
    models = PageModels()
    commands = [{"command": "states", "frames": frames_of(case["events"])} for case in CASES]
    names = [case["name"] for case in CASES]
    yield dict(zip(names, models.compute(commands), strict=True))
    models.end()


def frames_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    frames = []
    for number, item in enumerate(events, start=1):
        resource = item["event_type"].partition(".")[0]
        resource_id = item["data"].get(f"{resource}_id") or item["data"]["id"]
        frame = {
            "event_type": item["event_type"],
            "topic": f"customer_id:1:{resource}:{resource_id}",
            "timestamp": item["at"],
            "data": item["data"],
            "cursor": f"000000000001.{number}",
        }
        frames.append(frame | ({"agent_ids": item["agent_ids"]} if "agent_ids" in item else {}))
    return frames


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_events_lead_to_these_states(found: dict[str, Any], case: dict[str, Any]) -> None:
    states = found[case["name"]]
    for address, expected in case["states"].items():
        assert {name: states[address][name] for name in expected} == expected
