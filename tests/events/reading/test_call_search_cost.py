"""What a search for calls costs: indexes lead to the calls of a time, and to their places."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.events.support.people import Company
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return " ".join(str(row[-1]) for row in cursor.fetchall())


def test_indexes_lead_to_the_calls_of_a_time_and_to_their_places() -> None:
    acme = Company()
    for number in range(3):
        store(acme.id, "call.created", {"id": f"c{number}"}, timestamp=f"2024-01-15T10:30:0{number}Z")
        store(acme.id, "queue.joined", {"queue_id": "q", "call_id": f"c{number}"})
    key = acme.key()
    wanted: dict[str, Any] = {
        "began_from": "2024-01-15T10:30:01Z",
        "began_before": "2024-01-15T10:30:02Z",
        "queue_id": "q",
    }
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert key.get("/v1.0/calls", **wanted).ids == ["c1"]
    plans = [plan_of(each["sql"]) for each in queries if "events_resourcestate" in each["sql"]]
    assert len(plans) == 3
    times, calls, places = plans
    assert "call_began" in times
    assert "id>? AND id<?" in calls.replace("rowid", "id")
    assert "place_of_call" in places
