"""The admin in Chromium: an operator creates a key, and the commands on its page work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.support.browser import Pages
from tests.support.gateway import Gateway, manage
from tests.support.gateways import Gateways

PASSWORD = "correct horse 1"


def log_in(page: Page, gateway: Gateway) -> None:
    environment = {**gateway.environment, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    manage(environment, "createsuperuser", "--noinput", "--username", "root", "--email", "")
    page.goto(f"{gateway.url}/admin/")
    page.fill("#id_username", "root")
    page.fill("#id_password", PASSWORD)
    page.click("input[type=submit]")


def copied(page: Page, what: str) -> str:
    """Click the button beside a text, and return the clipboard."""
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
    server = gateway(CHECK_INTERVAL_SECONDS="0.3")
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
        # The list refreshes itself.
        page.click("#nav-sidebar .model-liveconnection a")
        row = page.locator("#result_list tbody tr")
        expect(row).to_have_count(1)
        expect(row.locator(".field-who")).to_contain_text("Reports")
        expect(row.locator(".field-subscriptions")).to_have_text("customer_id:…:*:*")
        expect(row.locator(".field-sent")).to_have_text("1")
        expect(row.locator(".field-waiting")).to_have_text("–")
        page.click("#nav-sidebar .model-accesskey a >> nth=0")
        page.click("#result_list .field-open_sockets a")
        expect(row).to_have_count(1)
        row.locator(".field-who a").click()
        page.click(".field-credential_link a")
        page.click("button:has-text('Revoke')")
        page.click("input[type=submit][value=Confirm]")
        assert page.inner_text("#result_list .pill") == "revoked"
        notice = json.loads(listener.stdout.readline())
        assert (notice["code"], notice["retry"]) == ("REVOKED", False)
        assert listener.wait(timeout=30) != 0
    with running(listen) as refused:
        _, errors = refused.communicate(timeout=30)
    assert refused.returncode != 0
    assert "WebSocketBadStatusException" in errors
    assert pages.console == []
    assert secret not in server.log_text()


def test_a_connection_is_closed_with_a_reason_which_the_audit_log_shows(
    gateway: Gateways, pages: Pages
) -> None:
    server = gateway("uvicorn", CHECK_INTERVAL_SECONDS="0.3")
    page = pages.open()
    log_in(page, server)
    page.click(".model-customer .addlink")
    page.fill("#id_name", "Acme")
    page.click("input[name=_save]")
    page.click("#nav-sidebar .model-accesskey .addlink")
    page.fill("#id_label", "Reports")
    page.click("input[name=_save]")
    with running(page.inner_text("#python-1")) as listener:
        assert listener.stdout is not None
        assert json.loads(listener.stdout.readline())["type"] == "ack"
        page.click("#nav-sidebar .model-liveconnection a")
        # The row appears while the page is open.
        row = page.locator("#result_list tbody tr")
        expect(row).to_have_count(1)
        row.locator("input").check()
        page.select_option("select[name=action]", label="Close connection")
        page.click("button[name=index]")
        page.fill("#id_reason", "you flood us")
        page.click("input[type=submit][value=Confirm]")
        notice = json.loads(listener.stdout.readline())
        assert (notice["code"], notice["message"]) == ("REVOKED", "Closed by an operator: you flood us")
    expect(row).to_have_count(0)
    page.click("#nav-sidebar .model-auditrecord a")
    expect(page.locator("#result_list")).to_contain_text("closed-by-operator")
    page.locator("#changelist-filter").get_by_role("link", name="Close", exact=True).click()
    page.click("#result_list tbody th a")
    expect(page.locator("#content")).to_contain_text("root from 127.0.0.1: you flood us")
    assert pages.console == []
