"""The platform API executes commands in the simulated contact centre, and refuses invalid ones."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from tests.voipbin_ws.demo.simulation.support.simulated_days import centre, of
from voipbin_ws.demo.simulation.commands import CommandQueue
from voipbin_ws.demo.simulation.model.event_recorder import SimulatedEvent
from voipbin_ws.demo.simulation.model.tenants import ACME
from voipbin_ws.demo.simulation.platform_api import MAX_BYTES, PlatformServer

KEY = "the platform's key"
ANNA = ACME.agents[0].id


class Serving:
    """A contact centre whose time stands still while commands are executed."""

    def __init__(self) -> None:
        self.centre = centre(1)
        self.recorded: list[SimulatedEvent] = []
        self.now = 0.0
        self._woken = Event()
        self._over = False
        self.commands = CommandQueue(self._woken.set)
        self.platform = PlatformServer(0, KEY, self.commands)
        self._thread = Thread(target=self._carry_out, daemon=True)

    def _carry_out(self) -> None:
        while not self._over:
            self._woken.wait(60)
            self._woken.clear()
            if self.commands.execute(self.centre):
                self.recorded += self.centre.advance(self.now)

    def __enter__(self) -> Serving:
        self.platform.__enter__()
        return self

    def begin(self) -> None:
        """Start the thread that executes commands; from now on it alone uses the contact centre."""
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._woken.set()
        self.platform.__exit__()

    def until_a_call_rings(self) -> str:
        """Advance until a call rings at Anna, who is manual."""
        self.centre.take_over(ANNA)
        while True:
            self.now += 1
            self.recorded += self.centre.advance(self.now)
            agent = self.centre.routing.agents.of(ANNA)
            if agent.call is not None and agent.status == "ringing":
                return agent.call.id

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {KEY}"} | more.pop("headers", {})
        content = {"json": {} if body is None else body} if "content" not in more else {}
        url = f"{self.platform.url}{path}"
        return httpx.request(method, url, headers=headers, trust_env=False, timeout=30, **content, **more)


@pytest.fixture
def serving() -> Iterator[Serving]:
    with Serving() as served:
        yield served


def test_accept_answers_the_call_that_rings_and_only_that(serving: Serving) -> None:
    call_id = serving.until_a_call_rings()
    serving.begin()
    path = f"/v1.0/calls/{call_id}/accept"
    other = serving.ask("POST", path, {"agent_id": ACME.agents[1].id})
    assert (other.status_code, "does not ring" in other.json()["message"]) == (409, True)
    assert serving.ask("POST", path, {"agent_id": ANNA}).status_code == 200
    answered = [each for each in of(serving.recorded, "call.status") if each.data["id"] == call_id]
    assert (answered[-1].data["status"], answered[-1].data["agent_id"]) == ("answered", ANNA)
    sales = {"type": "queue", "id": ACME.queues[1].id}
    assert serving.ask("POST", f"/v1.0/calls/{call_id}/transfer", {"to": sales}).status_code == 200
    assert of(serving.recorded, "queue.joined")[-1].data["queue_id"] == sales["id"]
    assert serving.ask("POST", f"/v1.0/calls/{call_id}/voicemail").status_code == 200
    assert serving.ask("POST", f"/v1.0/calls/{call_id}/hangup").status_code == 200
    over = serving.ask("POST", f"/v1.0/calls/{call_id}/hangup")
    assert (over.status_code, "over" in over.json()["message"]) == (409, True)


def test_setting_a_status_makes_the_agent_manual(serving: Serving) -> None:
    serving.begin()
    path = f"/v1.0/agents/{ANNA}/status"
    assert serving.ask("PUT", path, {"status": "away"}).json() == {"status": "away", "next_status": None}
    assert of(serving.recorded, "agent.status")[-1].data["status"] == "away"
    assert serving.centre.routing.agents.of(ANNA).is_manual
    assert serving.ask("PUT", path, {"status": "busy"}).status_code == 409
    assert serving.ask("PUT", "/v1.0/agents/nobody/status", {"status": "away"}).status_code == 409


def test_a_message_is_sent_and_says_whether_a_person_wrote_it(serving: Serving) -> None:
    serving.begin()
    to = [{"type": "tel", "target": "+15552004711"}]
    for automatic in (False, True):
        command = {"destinations": to, "text": "Hello", "automatic": automatic}
        assert len(serving.ask("POST", "/v1.0/messages", command).json()["ids"]) == 1
        sent = of(serving.recorded, "message.sent")[-1].data
        assert (sent["text"], sent["destination"]["target"], sent["automatic"]) == (
            "Hello",
            "+15552004711",
            automatic,
        )


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("POST", "/v1.0/calls/x/accept", {"headers": {"Authorization": "Bearer wrong"}}, 401),
        ("POST", "/v1.0/calls/x/accept", {"headers": {"Authorization": ""}}, 401),
        ("POST", "/v1.0/messages", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", "/v1.0/messages", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        (
            "POST",
            "/v1.0/messages",
            {"content": b"[" * 9000, "headers": {"Content-Type": "application/json"}},
            400,
        ),
        ("POST", "/v1.0/messages", {"body": {"text": "x" * MAX_BYTES}}, 413),
        ("POST", "/v1.0/messages", {"body": {"text": "x", "destinations": []}}, 400),
        ("POST", "/v1.0/messages", {"body": {"text": "x", "destinations": [{"target": 7}]}}, 400),
        ("POST", "/v1.0/messages", {"body": ["x"]}, 400),
        ("POST", "/v1.0/calls/x/accept", {"body": {}}, 400),
        ("POST", "/v1.0/calls/x/transfer", {"body": {"to": {"type": "tel", "id": "+1"}}}, 400),
        ("POST", "/v1.0/calls/x/explode", {}, 404),
        ("PUT", "/v1.0/calls/x/hangup", {}, 404),
        ("POST", "/v1.0/calls/none/hangup", {}, 409),
        ("GET", "/v1.0/calls", {}, 501),
    ],
)
def test_an_invalid_command_is_refused(
    serving: Serving, method: str, path: str, more: dict[str, Any], status: int
) -> None:
    serving.begin()
    answer = serving.ask(method, path, **more)
    assert answer.status_code == status, answer.text


def test_a_command_that_timed_out_is_never_executed(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voipbin_ws.demo.simulation.commands.TIMEOUT_SECONDS", 0.05)
    path = f"/v1.0/agents/{ANNA}/status"
    before = serving.centre.routing.agents.of(ANNA).status
    assert serving.ask("PUT", path, {"status": "away"}).status_code == 503
    assert not serving.commands.execute(serving.centre)
    assert serving.centre.routing.agents.of(ANNA).status == before


def test_under_one_idempotency_key_one_message_is_sent(serving: Serving) -> None:
    serving.begin()
    command = {"destinations": [{"type": "tel", "target": "+15552004711"}], "text": "Once"}

    def ids(key: str) -> list[str]:
        return serving.ask("POST", "/v1.0/messages", command, headers={"Idempotency-Key": key}).json()["ids"]

    first, again, other = ids("one"), ids("one"), ids("other")
    assert first == again != other
    assert len([each for each in of(serving.recorded, "message.sent") if each.data["text"] == "Once"]) == 2


def test_a_key_under_which_nothing_was_done_may_be_used_again(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, key = f"/v1.0/agents/{ANNA}/status", {"Idempotency-Key": "one"}
    with monkeypatch.context() as impatient:
        impatient.setattr("voipbin_ws.demo.simulation.commands.TIMEOUT_SECONDS", 0.05)
        assert serving.ask("PUT", path, {"status": "away"}, headers=key).status_code == 503
    serving.begin()
    assert serving.ask("PUT", path, {"status": "away"}, headers=key).json()["status"] == "away"


def test_no_automatic_message_is_sent_between_stop_and_start() -> None:
    stopped: set[str] = set()
    wrote: list[str] = []
    for recorded in centre(1).advance(3600):
        if recorded.event_type == "message.sent":
            assert recorded.data["destination"]["target"] not in stopped
        elif recorded.event_type == "message.received":
            wrote.append(recorded.data["text"])
            number = recorded.data["source"]["target"]
            if recorded.data["text"] == "STOP":
                stopped.add(number)
            elif recorded.data["text"] == "START":
                stopped.remove(number)
    assert stopped
    assert "START" in wrote


def test_the_messages_that_programs_answer_come_within_seconds() -> None:
    received = of(centre(1).advance(15), "message.received")
    assert {"What are your hours?", "STOP"} <= {recorded.data["text"] for recorded in received}
