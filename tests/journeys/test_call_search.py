"""Searching calls over HTTP, on each server and database."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import get, post
from tests.support.gateway import Gateway


@pytest.fixture(scope="module")
def companies(gateway_on_each_stack: Gateway) -> tuple[Company, Company]:
    acme, globex = company("Acme"), company("Globex")
    settle(gateway_on_each_stack, acme, globex)
    return acme, globex


def address(**parameters: str) -> str:
    return f"/v1.0/calls?{httpx.QueryParams(parameters)}"


def found(gateway: Gateway, token: str, **parameters: str) -> list[dict[str, Any]]:
    answer = get(gateway, token, address(**parameters))
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_a_call_of_the_past_is_found_by_number_time_and_outcome_by_its_own_customer_alone(
    gateway_on_each_stack: Gateway, companies: tuple[Company, Company]
) -> None:
    gateway, (acme, globex) = gateway_on_each_stack, companies
    call_id, queue = new_id(), acme.queues[0]
    place = {"queue_id": queue, "call_id": call_id}
    source = {"target": "+49 40 1234-567", "target_name": "Jörg"}
    events: list[tuple[str, int, dict[str, Any]]] = [
        ("call.created", 0, {"id": call_id, "status": "ringing", "direction": "inbound", "source": source}),
        ("queue.joined", 1, place),
        ("queue.left", 31, {**place, "reason": "abandoned"}),
        ("call.ended", 31, {"id": call_id, "status": "hangup"}),
    ]
    for event_type, second, data in events:
        body = {"event_type": event_type, "timestamp": f"2024-01-15T10:30:{second:02}Z", "data": data}
        assert post(gateway, acme.key("that publishes"), body).status_code == 201
    wanted = {
        "number": "0049 (0)40 1234567",
        "name": "jorg",
        "queue_id": queue,
        "outcome": "abandoned",
        "min_wait": "30",
        "began_from": "2024-01-15T10:30:00Z",
        "began_before": "2024-01-15T10:31:00Z",
        "result": "true",
    }
    for token in (acme.token("manager"), acme.key("of the customer")):
        (item,) = found(gateway, token, **wanted)
        assert (item["resource_id"], item["result"]["wait_seconds"]) == (call_id, 30)
    for other in ({"number": "+49401234568"}, {"outcome": "answered"}, {"min_wait": "31"}):
        assert found(gateway, acme.token("manager"), **wanted | other) == []
    for token in (globex.token("manager"), acme.token("agent")):
        assert found(gateway, token, **wanted) == []
    foreign = get(gateway, globex.token("manager"), address(customer_id=acme.id, **wanted))
    assert foreign.status_code == 403
    wrong = get(gateway, acme.token("manager"), address(outcome="lost", min_wait="soon"))
    assert wrong.status_code == 400
    assert [each["field"] for each in wrong.json()["errors"]] == ["outcome", "min_wait"]
