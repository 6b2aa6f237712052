"""`manage.py simulate` against a real gateway: nothing lost or doubled through a restart, and no call left open."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from tests.journeys.support.cast import Company, Person, company, settle
from tests.journeys.support.conversation import Conversation, get
from tests.support.gateway import Gateway, manage
from tests.support.gateways import Gateways
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until
from voipbin_ws.demo.simulation.commands import CommandQueue
from voipbin_ws.demo.simulation.desktop_watch import DesktopWatch
from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre
from voipbin_ws.demo.simulation.model.load_profiles import PROFILES
from voipbin_ws.demo.simulation.model.tenants import tenant_of

STORED = """
import json
from events.models import Event, ResourceState
from collections import Counter
print(json.dumps({
    "events": Event.objects.count(),
    "keys": Event.objects.values("idempotency_key").distinct().count(),
    "webhooks": Event.objects.filter(body__contains='"voipbin"').count(),
    "live": [
        [each.resource, each.event_type] for each in ResourceState.objects.filter(live=True).exclude(resource="agent")
    ],
    "agents": sorted({json.loads(each.body)["status"] for each in ResourceState.objects.filter(resource="agent")}),
}))
"""


@pytest.fixture(scope="module")
def acme() -> Company:
    return company("Acme")


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways, acme: Company) -> Gateway:
    gateway = gateway_of_file()
    settle(gateway, acme)
    return gateway


def simulating(gateway: Gateway, acme: Company, *options: str) -> tuple[dict[str, str], list[str]]:
    """The environment and the command line."""
    own = {"VOIPBIN_PUBLISH_KEY": acme.key("that publishes"), "VOIPBIN_CUSTOMER_ID": acme.id}
    return {**gateway.environment, **own}, ["simulate", "--url", gateway.url, *options]


def some_came_as_webhooks(gateway: Gateway, header: dict[str, str]) -> bool:
    """A catch of the simulator's is a list of events or some webhooks, by how much of it there is: both happen only
    once the machine has kept up for a moment."""
    return '"voipbin"' in httpx.get(f"{gateway.url}/v1.0/events?limit=500", headers=header).text


def stored(gateway: Gateway) -> dict[str, object]:
    return json.loads(gateway.manage("shell", "--verbosity", "0", "--command", STORED))


def test_a_restart_of_the_gateway_loses_and_doubles_nothing_and_the_end_leaves_nothing_open(
    gateway: Gateway, acme: Company, tmp_path: Path
) -> None:
    environment, command = simulating(gateway, acme, "--rate", "1200", "--seed", "a day with a restart")
    command = [sys.executable, "manage.py", *command]
    process = ServerProcess(command, tmp_path / "simulator.log", environment=environment)
    try:
        address, header = (
            f"{gateway.url}/v1.0/resources/call",
            {"Authorization": f"Bearer {acme.token('manager')}"},
        )
        wait_until(lambda: len(httpx.get(address, headers=header).json()["items"]) > 20, "calls")
        wait_until(lambda: some_came_as_webhooks(gateway, header), "an event that came as a webhook")
        gateway.kill()
        process.wait_ready(lambda: "does not take events" in process.log_text(), "the simulator's complaint")
        gateway.restart()
        process.wait_ready(lambda: "is back" in process.log_text(), "the simulator's relief")
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
    said = process.log_text()
    assert "Traceback" not in said
    after = stored(gateway)
    assert f"Published {after['events']} events" in said
    assert after["keys"] == after["events"]
    assert after["webhooks"]
    assert after["live"] == []
    assert after["agents"] == ["offline"]


def test_it_ends_by_itself_after_the_time_that_it_was_given(gateway: Gateway, acme: Company) -> None:
    environment, command = simulating(gateway, acme, "--duration", "1")
    assert "about 1 calls" in manage(environment, *command)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--key", "vb_of-nobody"], "401 UNAUTHORIZED"),
        (["--customer", "00000000-0000-4000-8000-000000000abc"], "--customer"),
        (["--key", ""], "VOIPBIN_PUBLISH_KEY"),
        (["--customer", "acme"], "UUID"),
        (["--url", "localhost"], "http://127.0.0.1:8000"),
        (["--rate", "0"], "calls a minute"),
        (["--count", "-1"], "above 0"),
    ],
)
def test_a_refusal_is_one_line(gateway: Gateway, acme: Company, options: list[str], reason: str) -> None:
    environment, command = simulating(gateway, acme, *options)
    with pytest.raises(AssertionError) as refused:
        manage(environment, *command)
    said = [line for line in str(refused.value).splitlines()[1:] if not line.startswith("Publishing to")]
    assert len(said) == 1
    assert reason in said[0]


def test_a_webhook_sent_again_under_its_key_is_published_once(gateway: Gateway, acme: Company) -> None:
    webhook = {
        "type": "recording_started",
        "data": {"id": "of-a-webhook", "tm_create": "2026-01-05 09:00:00.000000"},
    }
    headers = {"Authorization": f"Bearer {acme.key('that publishes')}", "Idempotency-Key": "sent twice"}

    def send(**changed: object) -> httpx.Response:
        return httpx.post(
            f"{gateway.url}/v1.0/webhooks/voipbin", json={**webhook, **changed}, headers=headers
        )

    first, again = send(), send()
    assert (first.status_code, again.status_code) == (201, 201)
    assert not first.json()["replayed"]
    assert again.json() == first.json() | {"replayed": True}
    assert send(type="recording_finished").status_code == 409


GRACE = "from subscriptions.models import Customer; Customer.objects.update(presence_grace_seconds=1)"


def test_an_agent_returns_to_the_simulation_when_the_desktop_of_the_visitor_is_gone(gateway: Gateway) -> None:
    # The simulated agent is the one as whom the visitor signs in.
    visited = company("Visited")
    tenant, visitor = tenant_of(visited.id), Person("visitor")
    visitor.id = tenant.agents[0].id
    visited.people.append(visitor)
    settle(gateway, visited)
    gateway.manage("shell", "--verbosity", "0", "--command", GRACE)
    centre = ContactCentre(tenant, PROFILES["steady"], seed="1", start=datetime.now(UTC))
    commands = CommandQueue(lambda: None)
    key = visited.key("of the customer")
    with DesktopWatch(gateway.url, key, commands) as watch, serving(commands, centre):
        with Conversation(gateway, visitor.token):
            wait_until(lambda: is_connected(gateway, visited), "the desktop")
            commands.submit(lambda centre: centre.take_over(visitor.id))
            centre.advance(100)
            watch.look()
            assert centre.manual_agents == [visitor.id]
        wait_until(lambda: not is_connected(gateway, visited), "the end of the desktop")
        watch.look()
        assert centre.manual_agents == []


def is_connected(gateway: Gateway, acme: Company) -> bool:
    items = get(gateway, acme.key("of the customer"), "/v1.0/agents").json()["items"]
    return any(each["data"].get("connected") for each in items)


@contextmanager
def serving(commands: CommandQueue, centre: ContactCentre) -> Iterator[None]:
    """Execute commands as the runner does."""
    stopped = Event()

    def execute() -> None:
        while not stopped.wait(0.01):
            commands.execute(centre)

    thread = Thread(target=execute)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
