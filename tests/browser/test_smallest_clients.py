"""The smallest clients of examples/ with a real gateway: browser, Node, older Node and shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from deploy.programs import NODE, WSCAT
from tests.journeys.support.cast import Company, Key, company, new_id, settle
from tests.journeys.support.conversation import publish
from tests.journeys.support.programs import Program
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.ports import free_port
from tests.support.processes import ROOT
from tests.support.requirement import require
from tests.support.waiting import wait_until

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways, port: int) -> Gateway:
    return gateway_of_file(WEBSOCKET_ORIGINS=f"http://127.0.0.1:{port}")


@pytest.fixture(scope="module")
def acme(gateway: Gateway) -> Company:
    acme = company("Acme")
    acme.keys.append(Key("of the backend", may_control=True))
    settle(gateway, acme)
    return acme


def expect_to_receive_calls(
    gateway: Gateway, acme: Company, command: list[str], folder: Path, path: str
) -> None:
    topic = f"customer_id:{acme.id}:call:*"
    key, errors = acme.key("of the customer"), folder / "errors.txt"
    with Program(gateway, acme, key, [*command, topic], errors=errors, path=path) as program:
        program.wait_until_it_receives()
        events = [{"event_type": "call.created", "data": {"id": new_id(), "note": "Zoë’s"}} for _ in range(3)]
        receipts = publish(gateway, acme.key("that publishes"), *events)
        received = program.events_until(receipts[-1]["cursor"])
        assert [event["id"] for event in received] == [receipt["id"] for receipt in receipts]
        assert received[0]["data"] == events[0]["data"]


@pytest.mark.parametrize("options", [[], ["--no-experimental-websocket"]], ids=["node", "node before 22"])
def test_the_client_for_node(gateway: Gateway, acme: Company, tmp_path: Path, options: list[str]) -> None:
    if options:
        require(WSCAT)  # npm brings ws with it.
    command = [str(require(NODE)), *options, str(EXAMPLES / "subscribe.mjs")]
    expect_to_receive_calls(gateway, acme, command, tmp_path, os.defpath)
    states = (tmp_path / "errors.txt").read_text().splitlines()
    assert states == ["connecting", "connected"]


def test_the_client_for_the_shell(gateway: Gateway, acme: Company, tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "node").symlink_to(require(NODE))
    (bin_folder / "wscat").symlink_to(require(WSCAT))
    path = f"{bin_folder}{os.pathsep}{os.defpath}"
    assert shutil.which("wscat", path=path)
    expect_to_receive_calls(gateway, acme, [str(EXAMPLES / "subscribe.sh")], tmp_path, path)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def site(gateway: Gateway, acme: Company, port: int) -> Iterator[str]:
    environment = {
        "VOIPBIN_API_URL": gateway.url,
        "VOIPBIN_WS_URL": gateway.ws_url,
        "VOIPBIN_PUBLISH_KEY": acme.key("of the backend"),
        "VOIPBIN_CUSTOMER_ID": acme.id,
    }
    command = [sys.executable, str(EXAMPLES / "website.py"), str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}/"
        try:
            wait_until(lambda: _answers(address), "the web site")
            yield address
        finally:
            process.kill()


def test_the_page_of_a_web_site_with_tokens_of_its_backend(
    gateway: Gateway, acme: Company, page: Page, site: str
) -> None:
    page.goto(site)
    expect(page.locator("#state")).to_have_text("connected")
    event = {"event_type": "call.created", "data": {"id": "one", "note": "<b>bold"}}
    publish(gateway, acme.key("that publishes"), event)
    expect(page.locator("#events li")).to_contain_text('"note":"<b>bold"')
    gateway.restart()
    expect(page.locator("#state")).to_contain_text("reconnecting: ")
    expect(page.locator("#state")).to_have_text("connected")
    publish(gateway, acme.key("that publishes"), {"event_type": "call.created", "data": {"id": "after"}})
    expect(page.locator("#events li").first).to_contain_text("after")
    expect(page.locator("#events li")).to_have_count(2)
    assert acme.key("of the backend") not in page.content()
