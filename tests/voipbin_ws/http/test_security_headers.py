"""The headers of every response, with HTTPS and without, and the proxies that are trusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from django.test import Client

from tests.support.gateway import gateway_environment
from voipbin_ws.servers.application import GatewayApplication

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("/", "/agent", "/admin/login/", "/nothing-here", "/static/voipbin_ws/shared/base.css")
DATA = ("/healthz", "/v1.0/me", "/v1.0/nothing-here", "/auth/login")

pytestmark = pytest.mark.django_db


def get(path: str, **extra: Any) -> Any:
    return Client().get(path, **extra)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_what_is_ours_alone_and_nothing_inline(path: str) -> None:
    policy = get(path)["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", DATA)
def test_an_answer_in_json_loads_nothing_and_is_kept_nowhere(path: str) -> None:
    answer = get(path)
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES + DATA)
def test_every_answer_says_what_browsers_must_not_do(path: str) -> None:
    answer = get(path)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "microphone=()" in answer["Permissions-Policy"]
    assert "Strict-Transport-Security" not in answer


def test_an_error_is_json_to_programs_and_a_page_to_people(client: Client) -> None:
    assert get("/v1.0/nothing-here").json() == {
        "code": "NOT_FOUND",
        "message": "There is nothing at this address",
    }
    assert "There is nothing at this address." in get("/nothing-here?token=marker").content.decode()
    stranger = get("/v1.0/nothing-here", headers={"host": "evil.example.com"})
    assert (stranger.status_code, stranger.json()["code"]) == (400, "INVALID_REQUEST")
    form = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x", "password": "y"})
    assert form.status_code == 403
    assert "load the page anew" in form.content.decode()
    assert "<style" not in form.content.decode()


def test_a_defect_of_ours_tells_nothing_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the-inner-secret")

    monkeypatch.setattr("voipbin_ws.pages.views.render", broken)
    monkeypatch.setattr("subscriptions.api.me.MeView.initial", broken)
    for path, kind in (("/", "text/html; charset=utf-8"), ("/v1.0/me", "application/json")):
        answer = Client(raise_request_exception=False).get(path)
        assert (answer.status_code, answer["Content-Type"]) == (500, kind)
        assert "the-inner-secret" not in answer.content.decode()
        assert "Content-Security-Policy" in answer


@pytest.mark.parametrize("debug", [True, False])
def test_only_the_debug_pages_are_without_a_policy(debug: bool, settings: Any) -> None:
    settings.DEBUG = debug
    assert ("Content-Security-Policy" in get("/nothing-here")) is not debug
    assert "Content-Security-Policy" in get("/")


# --- Where the world reaches it over HTTPS ---

ASK = """
import json, sys
import django
django.setup()
from django.conf import settings
from django.test import Client
settings.ALLOWED_HOSTS.append("testserver")
answers = {}
for path in ("/", "/healthz", "/v1.0/me", "/admin/login/"):
    for secure in (False, True):
        answer = Client().get(path, secure=secure, headers={"host": "ws.example.com"})
        cookies = {name: morsel.OutputString() for name, morsel in answer.cookies.items()}
        answers[f"{path} {secure}"] = [answer.status_code, dict(answer.headers), cookies]
answers["settings"] = [settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS, settings.WEBSOCKET_ORIGINS]
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def over_https() -> dict[str, Any]:
    """What a process with a PUBLIC_URL of https:// answers, over HTTP and HTTPS; its settings are read once."""
    environment = gateway_environment(
        "sqlite:////tmp/never-opened.sqlite3",
        PUBLIC_URL="https://ws.example.com",
        TRUSTED_PROXIES="127.0.0.1",
        DJANGO_SETTINGS_MODULE="voipbin_ws.settings",
    )
    done = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_public_address_is_accepted_without_being_listed_anew(over_https: dict[str, Any]) -> None:
    hosts, forms, pages = over_https["settings"]
    assert "ws.example.com" in hosts
    assert forms == ["https://ws.example.com"]
    assert pages == ["https://ws.example.com"]


def test_people_are_led_to_https(over_https: dict[str, Any]) -> None:
    status, headers, _ = over_https["/ False"]
    assert (status, headers["Location"]) == (301, "https://ws.example.com/")


def test_probes_and_programs_are_answered_where_they_ask(over_https: dict[str, Any]) -> None:
    assert over_https["/healthz False"][0] == 200
    assert over_https["/v1.0/me False"][0] == 401


def test_browsers_must_use_nothing_else(over_https: dict[str, Any]) -> None:
    for path in ("/", "/healthz", "/v1.0/me", "/admin/login/"):
        headers = over_https[f"{path} True"][1]
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_cookies_go_over_https_alone_and_no_script_reads_them(over_https: dict[str, Any]) -> None:
    cookie = over_https["/admin/login/ True"][2]["__Host-csrftoken"]
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie


def test_the_session_is_for_the_browser_and_no_script(client: Client) -> None:
    User.objects.create_superuser("root", password="correct horse 1")
    client.post("/admin/login/", {"username": "root", "password": "correct horse 1"})
    session = client.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"


# --- Who is believed ---


async def seen(headers: dict[str, str], *, peer: str = "10.0.0.1", kind: str = "http") -> tuple[str, str]:
    """The address and scheme that the application behind the entrance sees."""
    scopes: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    application = GatewayApplication(inner)
    scope = {
        "type": kind,
        "scheme": "http",
        "client": (peer, 5),
        "path": "/",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await ApplicationCommunicator(application, scope).wait()
    return scopes[0]["client"][0], scopes[0]["scheme"]


SAID = {"x-forwarded-for": "198.51.100.9, 203.0.113.7", "x-forwarded-proto": "https"}


async def test_no_peer_is_believed_if_no_proxy_is_named() -> None:
    assert await seen(SAID, peer="127.0.0.1") == ("127.0.0.1", "http")


async def test_a_named_proxy_is_believed_and_only_for_what_it_added(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert await seen(SAID) == ("203.0.113.7", "https")
    assert await seen({**SAID, "x-forwarded-for": "203.0.113.7, 10.9.9.9"}) == ("203.0.113.7", "https")
    assert await seen(SAID, peer="192.0.2.1") == ("192.0.2.1", "http")


def test_uvicorn_does_not_believe_by_itself() -> None:
    """Its default is to trust this machine's own address, which is where a proxy without a setting is."""
    assert "proxy_headers=False" in (ROOT / "voipbin_ws" / "servers" / "run.py").read_text()
    assert "FORWARDED_ALLOW_IPS" not in os.environ
