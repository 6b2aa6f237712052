"""What Explain says while the process of a connection stands still: nothing that is not known."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import company, settle
from tests.journeys.support.conversation import Conversation, post
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

SERVERS = ("daphne", "uvicorn")


@pytest.mark.parametrize("server", SERVERS)
def test_what_a_process_that_stands_still_has_sent_is_not_known(gateway: Gateways, server: str) -> None:
    often = {"CHECK_INTERVAL_SECONDS": "0.2"}
    still = gateway(server, postgres=True, redis=True, **often)
    other = gateway(SERVERS[server == "daphne"], database_url=still.database_url, redis=True, **often)
    acme = company("Acme")
    settle(still, acme)
    token = acme.token("manager")

    def published(call: str) -> dict[str, Any]:
        event = {"event_type": "call.status", "data": {"id": call}}
        answer = post(other, acme.key("that publishes"), event)
        assert answer.status_code == 201
        receipt: dict[str, Any] = answer.json()
        return receipt

    def explained(receipt: dict[str, Any]) -> tuple[bool | None, str]:
        body = _explain(other, token, receipt["id"])
        return body["delivered"], body["rule"]

    with Conversation(still, token) as client:
        client.subscribe(f"customer_id:{acme.id}:*:*")
        before = published("before")
        client.until(before["cursor"])
        wait_until(lambda: explained(before) == (True, "delivered"), "the report of the process")
        still.stop()
        during = published("during")
        answers = [explained(during)]

        def is_lost() -> bool:
            answers.append(explained(during))
            return answers[-1][1] == "process-lost"

        wait_until(is_lost, "the end of its lease")
        assert set(answers) <= {(None, "not-confirmed"), (None, "process-lost")}
        still.resume()
        assert client.until(during["cursor"])[-1]["data"]["id"] == "during"
        wait_until(lambda: explained(during) == (True, "delivered"), "the next report of the process")


def _explain(gateway: Gateway, token: str, event: str) -> dict[str, Any]:
    answer = httpx.get(
        f"{gateway.url}/v1.0/explain",
        params={"event": event},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body
