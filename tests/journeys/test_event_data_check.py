"""The check of event data, which a customer chooses: off, report or refuse, on both servers."""

from __future__ import annotations

import pytest

from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import get, post, publish
from tests.journeys.support.operator_browser import OperatorBrowser, superuser
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.stacks import Stack
from tests.support.waiting import wait_until

WRONG = {"event_type": "call.created", "data": {"id": "c", "agent_id": "anna", "tm_create": "today"}}
PATHS = {"data.agent_id", "data.tm_create"}


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways, stack: Stack) -> Gateway:
    return gateway_of_file(
        stack.server,
        postgres=stack.shared,
        redis=stack.shared,
        METRICS_TOKEN="m",
        CHECK_INTERVAL_SECONDS="0.2",
    )


@pytest.fixture(scope="module")
def both(gateway: Gateway) -> tuple[Company, Company]:
    acme, globex = company("Acme"), company("Globex")
    settle(gateway, acme, globex)
    return acme, globex


def choose(operator: OperatorBrowser, acme: Company, check: str) -> None:
    form = {"name": "Acme", "is_active": "on", "data_check": check}
    assert operator.post(f"/admin/subscriptions/customer/{acme.id}/change/", form).status_code == 302


def test_a_customer_chooses_what_happens_to_data_that_is_not_as_agreed(
    gateway: Gateway, both: tuple[Company, Company]
) -> None:
    acme, globex = both
    operator = superuser(gateway)
    key, good = acme.key("that publishes"), {"event_type": "call.created", "data": {"id": new_id()}}
    [receipt] = publish(gateway, key, WRONG)
    assert "warnings" not in receipt
    choose(operator, acme, "report")

    def reported() -> bool:
        receipts = publish(gateway, key, good, WRONG)
        assert "warnings" not in receipts[0]
        warnings = receipts[1].get("warnings", [])
        return {each.partition(":")[0] for each in warnings} == PATHS

    wait_until(reported, "the warnings")
    choose(operator, acme, "refuse")
    wait_until(lambda: post(gateway, key, [good, WRONG]).status_code == 400, "the refusal")
    before = get(gateway, acme.token("manager"), "/v1.0/events").json()["cursor"]
    answer = post(gateway, key, [good, WRONG])
    assert answer.json()["code"] == "INVALID_EVENT"
    assert {(error["index"], error["field"]) for error in answer.json()["errors"]} == {
        (1, path) for path in PATHS
    }
    assert get(gateway, acme.token("manager"), "/v1.0/events").json()["cursor"] == before
    assert post(gateway, key, {"event_type": "call.created", "data": {"id": new_id()}}).status_code == 201
    # Another customer has not chosen it.
    assert post(gateway, globex.key("that publishes"), WRONG).status_code == 201
    choose(operator, acme, "")
    wait_until(lambda: post(gateway, key, WRONG).status_code == 201, "the end of the check")
