"""An operator in Chromium who has never seen the admin: makes a key, and what its page says works as it stands."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

from tests.machinery.browser import Pages
from tests.machinery.gateway import Gateway, manage
from tests.machinery.gateways import Gateways

PASSWORD = "correct horse 1"


def log_in(page: Page, gateway: Gateway) -> None:
    environment = {**gateway.environment, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    manage(environment, "createsuperuser", "--noinput", "--username", "root", "--email", "")
    page.goto(f"{gateway.url}/admin/")
    page.fill("#id_username", "root")
    page.fill("#id_password", PASSWORD)
    page.click("input[type=submit]")


def copied(page: Page, what: str) -> str:
    """What the button beside this text puts into the clipboard."""
    page.click(f"[data-copy={what}-1]")
    page.wait_for_selector(f"[data-copy={what}-1]:has-text('Copied')")
    return page.evaluate("navigator.clipboard.readText()")


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_key_is_made_used_as_its_page_says_and_revoked(gateway: Gateways, pages: Pages) -> None:
    server = gateway()
    page = pages.open(permissions=["clipboard-read", "clipboard-write"])
    log_in(page, server)

    page.click(".model-customer .addlink")
    page.fill("#id_name", "Acme")
    page.click("input[name=_save]")
    page.click("#nav-sidebar .model-accesskey .addlink")
    page.fill("#id_label", "Reports")
    page.check("#id_may_publish")
    page.click("input[name=_save]")

    secret = copied(page, "secret")
    assert page.inner_text("#secret-1") == secret
    listen, publish = copied(page, "python"), copied(page, "curl")
    with running(listen) as listener:
        assert listener.stdout is not None
        assert json.loads(listener.stdout.readline())["type"] == "ack"
        answer = subprocess.run(
            ["bash", "-c", publish], capture_output=True, text=True, check=True, timeout=30
        )
        assert "cursor" in json.loads(answer.stdout)
        event = json.loads(listener.stdout.readline())
    assert (event["event_type"], event["data"]["id"]) == ("call.created", "test-call-1")

    page.click("text=I have copied it")
    assert secret not in page.content()
    page.click("#result_list >> text=Reports")
    page.click("button:has-text('Revoke')")
    page.click("input[type=submit][value^=Yes]")
    assert page.inner_text("#result_list .pill") == "revoked"
    with running(listen) as refused:
        _, errors = refused.communicate(timeout=30)
    assert refused.returncode != 0
    assert "WebSocketBadStatusException" in errors
    assert pages.console == []
    assert secret not in server.log_text()
