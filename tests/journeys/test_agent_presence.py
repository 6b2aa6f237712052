"""The presence of agents on both servers: real processes, several of them, killed, drained and restarted."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, company, settle
from tests.journeys.support.conversation import Conversation, get
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

GRACE_SECONDS = 1
POLICY = """
from subscriptions.models import Agent, Customer
Customer.objects.filter(pk={customer_id!r}).update(presence_policy={policy!r}, presence_grace_seconds={grace})
Agent.objects.filter(pk={agent_id!r}).update(status="available")
"""


@dataclass
class Desk:
    """An agent of a customer of its own, at two gateway processes on one database."""

    here: Gateway
    there: Gateway
    acme: Company

    @property
    def token(self) -> str:
        return self.acme.token("agent")

    def events(self, at: Gateway | None = None) -> list[Any]:
        """What was published of the agent: whether it is connected, and its statuses."""
        items = self.items(at or self.there)
        return [each["data"].get("connected", each["data"].get("status")) for each in items]

    def items(self, at: Gateway) -> list[Any]:
        """The events of agents, oldest first."""
        answer = get(at, self.acme.key("of the customer"), "/v1.0/events?resource=agent&order=asc")
        items: list[Any] = answer.json()["items"]
        return items

    def until(self, *events: Any, at: Gateway | None = None) -> None:
        wait_until(lambda: self.events(at) == list(events), f"events {events}", timeout=40)

    def connected(self, at: Gateway, credential: str = "") -> Conversation:
        return Conversation(at, credential or self.token)


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def pair(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> tuple[Gateway, Gateway]:
    """Two processes on one database."""
    here = gateway_of_file(request.param, redis=True, CHECK_INTERVAL_SECONDS="0.2")
    there = gateway_of_file(
        request.param, database_url=here.database_url, redis=True, CHECK_INTERVAL_SECONDS="0.2"
    )
    return here, there


@pytest.fixture
def make_desk(pair: tuple[Gateway, Gateway]) -> Callable[..., Desk]:
    def make(policy: str = "keep", grace: int = GRACE_SECONDS) -> Desk:
        here, there = pair
        acme = company("Acme")
        settle(here, acme)
        agent_id = acme.person("agent").id
        command = POLICY.format(customer_id=acme.id, agent_id=agent_id, policy=policy, grace=grace)
        here.manage("shell", "--verbosity", "0", "--command", command)
        return Desk(here, there, acme)

    return make


def test_several_tabs_at_several_processes_are_one_presence_and_their_loss_one_event(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk("away")
    token, agent = desk.token, desk.acme.person("agent").id
    with desk.connected(desk.here, desk.acme.key("of the agent")), desk.connected(desk.here):
        desk.until(True)
        stream = f"{desk.there.url}/v1.0/sse?topics=agent_id:{agent}:call:*&token={token}"
        with httpx.stream("GET", stream, timeout=60) as events:
            assert events.status_code == 200
            with desk.connected(desk.there):
                pass
            [state] = get(desk.there, desk.acme.key("of the customer"), "/v1.0/agents").json()["items"]
            assert (state["resource_id"], state["data"]["connected"]) == (agent, True)
    # The connection of the access key is over too, and did not count.
    desk.until(True, False, "away")
    shown = get(desk.here, desk.acme.token("manager"), f"/v1.0/agents/{agent}/status").json()
    assert shown["status"] == "away"


def test_an_access_key_of_the_agent_is_no_presence(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    with (
        desk.connected(desk.here, desk.acme.key("of the agent")),
        desk.connected(desk.there, desk.acme.token("granted agent")),
    ):
        # The other agent is seen, so a round has seen the key too.
        desk.until(True)
        [only] = desk.items(desk.here)
        assert only["data"]["agent_id"] == desk.acme.person("granted agent").id


def test_reconnects_and_a_restart_of_the_process_publish_nothing(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk("away", grace=30)
    with desk.connected(desk.here):
        desk.until(True)
    with desk.connected(desk.there):
        pass
    with desk.connected(desk.here) as client:
        closing = Thread(target=client.until_closed)
        closing.start()
        assert desk.here.terminate() == 0
        closing.join()
    desk.here.restart()
    with desk.connected(desk.here), desk.connected(desk.there, desk.acme.token("granted agent")):
        # A later event of another agent: what had to be published before is there.
        desk.until(True, True)


def test_a_killed_client_leaves_no_agent_available(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk("offline")
    agent = desk.acme.person("agent").id
    url = f"{desk.here.url}/v1.0/sse?topics=agent_id:{agent}:call:*&token={desk.token}"
    with subprocess.Popen(["curl", "--silent", "--no-buffer", url], stdout=subprocess.DEVNULL) as client:
        desk.until(True)
        client.kill()
        desk.until(True, False, "offline")


@pytest.mark.parametrize("killed", ["the process of the connection", "both"])
def test_a_killed_process_leaves_no_agent_available(make_desk: Callable[..., Desk], killed: str) -> None:
    desk = make_desk("away")
    with desk.connected(desk.here):
        desk.until(True)
        desk.here.kill()
        if killed == "both":
            desk.there.restart()
        desk.until(True, False, "away")
    desk.here.restart()
