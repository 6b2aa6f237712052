"""The smallest clients of examples/ with a real gateway: browser, Node, older Node and shell."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from deploy.programs import NODE, WSCAT
from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import publish
from tests.journeys.support.programs import Program
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.processes import ROOT
from tests.support.requirement import require

EXAMPLES = ROOT / "examples"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The repository on its own site, as `python3 -m http.server` serves it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(ROOT)))
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways, site: str) -> Gateway:
    return gateway_of_file(WEBSOCKET_ORIGINS=site)


@pytest.fixture(scope="module")
def acme(gateway: Gateway) -> Company:
    acme = company("Acme")
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


def test_the_client_for_browsers(gateway: Gateway, acme: Company, page: Page, site: str) -> None:
    given = {"url": gateway.ws_url, "token": acme.token("manager"), "topic": f"customer_id:{acme.id}:*:*"}
    page.goto(f"{site}/examples/subscribe.html#{urlencode(given)}")
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
