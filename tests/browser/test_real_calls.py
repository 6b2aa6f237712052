"""Calls over SIP through Kamailio, as examples/kamailio publishes them, on the dashboard and over REST."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from deploy.programs import KAMAILIO, SIPP
from tests.browser.support.centre import Centre, watch
from tests.support.gateways import Gateways
from tests.support.kamailio import Kamailio
from tests.support.reports import shown_on_failure
from tests.support.requirement import require
from tests.support.telephones import LINE, Telephone
from tests.support.waiting import wait_until

SILENCE = "ringing=2s,answered=2s"


class Trunk:
    """Calls through a proxy to a gateway, one after another."""

    def __init__(self, centre: Centre, folder: Path) -> None:
        self.centre = centre
        self.folder = folder
        key = centre.acme.key("that publishes")
        self.proxy = Kamailio(require(KAMAILIO), folder, centre.gateway.url, key)
        self._sipp = require(SIPP)
        self._telephones: list[Telephone] = []

    def call(self, calls: str, answers: str, *, outbound: bool = False) -> tuple[Telephone, Telephone]:
        """Start two telephones, of which the first calls the second."""
        call_id = str(uuid.uuid4())
        ports = (self.proxy.trunk, self.proxy.pbx)
        of_caller, of_called = reversed(ports) if outbound else ports
        called = Telephone(self._sipp, self.folder, answers, port=of_called, call_id=call_id)
        caller = Telephone(
            self._sipp, self.folder, calls, port=of_caller, call_id=call_id, proxy=self.proxy.port
        )
        self._telephones += [caller, called]
        return caller, called

    def get(self, path: str) -> list[dict[str, Any]]:
        """Return the items at this address."""
        headers = {"Authorization": f"Bearer {self.centre.acme.token('manager')}"}
        response = httpx.get(f"{self.centre.gateway.url}{path}", headers=headers, timeout=30)
        return list(response.raise_for_status().json()["items"])

    def live(self) -> list[dict[str, Any]]:
        return self.get("/v1.0/calls?active=true")

    def ended(self) -> set[str]:
        """Return the ids of all calls that have ended."""
        found = self.get("/v1.0/events?limit=500")
        return {each["data"]["id"] for each in found if each["event_type"] == "call.ended"}

    def events(self, call_id: str) -> list[dict[str, Any]]:
        """Return the events of the call, the oldest first."""
        found = self.get("/v1.0/events?limit=500")
        of_call = [each for each in found if each["data"]["id"] == call_id]
        return sorted(of_call, key=lambda each: int(each["cursor"].rpartition(".")[2]))

    def wait_live(self, **expected: str) -> dict[str, Any]:
        """Wait for the one live call in this state; return its data."""

        def found() -> dict[str, Any] | None:
            calls = self.live()
            data: dict[str, Any] = calls[0]["data"] if len(calls) == 1 else {}
            return data if data and expected.items() <= data.items() else None

        return wait_until(found, f"a live call {expected}") or {}

    def wait_over(self, call_id: str) -> list[dict[str, Any]]:
        """Wait until no call is live; return the events of this one."""
        wait_until(lambda: self.live() == [], "the end of all calls")
        return self.events(call_id)

    def hang_up_all(self) -> None:
        for each in self._telephones:
            each.process.kill()


@pytest.fixture(scope="module")
def silent_centre(gateway_of_file: Gateways) -> Centre:
    """A gateway that ends calls after seconds of silence."""
    return Centre(gateway_of_file(CALL_SILENCE=SILENCE))


@pytest.fixture(scope="module")
def centre(gateway_of_file: Gateways) -> Centre:
    return Centre(gateway_of_file("uvicorn"))


@pytest.fixture
def trunk(request: pytest.FixtureRequest, centre: Centre, tmp_path: Path) -> Iterator[Trunk]:
    yield from _trunk(request, centre, tmp_path)


@pytest.fixture
def silent_trunk(request: pytest.FixtureRequest, silent_centre: Centre, tmp_path: Path) -> Iterator[Trunk]:
    yield from _trunk(request, silent_centre, tmp_path)


def _trunk(request: pytest.FixtureRequest, centre: Centre, folder: Path) -> Iterator[Trunk]:
    trunk = Trunk(centre, folder)
    with shown_on_failure(request.node, trunk.proxy.log_text):
        yield trunk
    trunk.hang_up_all()
    trunk.proxy.kill()


def row_of(page: Page, call: dict[str, Any]) -> Locator:
    return page.locator(f"[data-call='{call['id']}']")


def test_a_call_rings_is_answered_and_ends_on_the_dashboard(page: Page, trunk: Trunk) -> None:
    watch(page, trunk.centre)
    caller, called = trunk.call("call and hang up", "answer")
    call = trunk.wait_live(status="ringing", direction="inbound")
    assert call["source"]["target"] == "+15552004711"
    assert call["destination"]["target"] == LINE
    row = row_of(page, call)
    expect(row).to_contain_text("Ringing")
    called.go_on(after="180 Ringing")
    expect(row).to_contain_text("Answered")
    assert trunk.wait_live(status="answered")["id"] == call["id"]
    caller.go_on(after="ACK sip:")
    caller.finish()
    called.finish()
    events = trunk.wait_over(call["id"])
    expect(page.locator("#card-active")).to_have_text("0")
    assert [each["event_type"] for each in events] == [
        "call.created",
        "call.status",
        "call.status",
        "call.ended",
    ]
    assert [each["data"]["status"] for each in events] == ["ringing", "answered", "hangup", "hangup"]


def test_the_callee_of_an_outbound_call_hangs_up(trunk: Trunk) -> None:
    caller, called = trunk.call("call until the other hangs up", "answer and hang up", outbound=True)
    call = trunk.wait_live(status="ringing", direction="outbound")
    called.go_on(after="180 Ringing")
    trunk.wait_live(status="answered")
    called.go_on(after="CSeq: 1 ACK")
    caller.finish()
    called.finish()
    assert trunk.wait_over(call["id"])[-1]["data"]["status"] == "hangup"


@pytest.mark.parametrize(
    ("sip_status", "status"), [(486, "busy"), (480, "no-answer"), (404, "failed"), (500, "failed")]
)
def test_a_call_that_is_refused_ends_with_the_reason(trunk: Trunk, sip_status: int, status: str) -> None:
    caller, called = trunk.call(f"be refused with {sip_status}", f"refuse with {sip_status}")
    call = trunk.wait_live(status="ringing")
    called.go_on(after="180 Ringing")
    caller.finish()
    called.finish()
    ends = trunk.wait_over(call["id"])[1:]
    assert [each["event_type"] for each in ends] == ["call.status", "call.ended"]
    assert {each["data"]["status"] for each in ends} == {status}
    assert ends[0]["data"]["sip_status"] == sip_status


def test_a_caller_who_gives_up_cancels_the_call(trunk: Trunk) -> None:
    caller, called = trunk.call("call and give up", "ring until canceled")
    call = trunk.wait_live(status="ringing")
    caller.go_on(after="180 Ringing")
    caller.finish()
    called.finish()
    assert trunk.wait_over(call["id"])[-1]["data"]["status"] == "canceled"


def test_calls_during_an_absence_of_the_gateway_are_published_afterwards(trunk: Trunk) -> None:
    before = trunk.ended()
    trunk.centre.gateway.kill()
    caller, called = trunk.call("call and hang up", "answer")
    # SIP does not wait for the gateway.
    called.go_on(after="180 Ringing")
    caller.go_on(after="ACK sip:")
    caller.finish()
    called.finish()
    wait_until(lambda: "retrying" in trunk.proxy.log_text(), "the proxy's warning")
    trunk.centre.gateway.restart()
    end = wait_until(lambda: trunk.ended() - before, "the end of the call")
    assert [each["data"]["status"] for each in trunk.wait_over(end.pop())] == [
        "ringing",
        "answered",
        "hangup",
        "hangup",
    ]


def test_a_call_whose_end_is_lost_is_ended_by_inference(page: Page, silent_trunk: Trunk) -> None:
    watch(page, silent_trunk.centre)
    caller, called = silent_trunk.call("call and hang up", "answer")
    call = silent_trunk.wait_live(status="ringing")
    called.go_on(after="180 Ringing")
    expect(row_of(page, call)).to_contain_text("Answered")
    caller.process.kill()
    end = silent_trunk.wait_over(call["id"])[-1]
    assert end["event_type"] == "call.ended"
    assert end["data"]["inferred"] is True
    expect(page.locator("#card-active")).to_have_text("0")


def test_a_restart_of_the_proxy_leaves_no_ghost(page: Page, trunk: Trunk, silent_trunk: Trunk) -> None:
    # A call that was answered ends by its BYE, of which the new process knows nothing but what it carries.
    caller, called = trunk.call("call and hang up", "answer")
    call = trunk.wait_live(status="ringing")
    called.go_on(after="180 Ringing")
    trunk.wait_live(status="answered")
    trunk.proxy.restart()
    caller.go_on(after="ACK sip:")
    caller.finish()
    called.finish()
    assert "inferred" not in trunk.wait_over(call["id"])[-1]["data"]
    # Of a call that was ringing the new process learns nothing more.
    watch(page, silent_trunk.centre)
    silent_trunk.call("call and hang up", "answer")
    call = silent_trunk.wait_live(status="ringing")
    expect(row_of(page, call)).to_be_visible()
    silent_trunk.proxy.restart()
    assert silent_trunk.wait_over(call["id"])[-1]["data"]["inferred"] is True
    expect(page.locator("#card-active")).to_have_text("0")


def test_a_session_refresh_reports_that_a_call_goes_on(silent_trunk: Trunk) -> None:
    caller, called = silent_trunk.call("call, refresh and hang up", "answer and be refreshed")
    call = silent_trunk.wait_live(status="ringing")
    called.go_on(after="180 Ringing")
    silent_trunk.wait_live(status="answered")
    caller.go_on(after="ACK sip:")
    wait_until(
        lambda: "call.updated" in [each["event_type"] for each in silent_trunk.events(call["id"])],
        "the refresh",
    )
    caller.go_on(after="UPDATE")
    caller.finish()
    called.finish()
    assert "inferred" not in silent_trunk.wait_over(call["id"])[-1]["data"]
