"""The handshake: admission, origins, and the refusal on each kind of server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from subscriptions.auth.client_info import UNKNOWN, ClientInfo
from subscriptions.auth.tokens import issue_token
from subscriptions.connections import handshake
from subscriptions.connections.handshake import Refusal, Request, admit, refuse
from subscriptions.models import AccessKey
from subscriptions.protocol.permissions import Identity
from tests.subscriptions.support.people import access_key, agent, customer

WITH_BODY = {"extensions": {"websocket.http.response": {}}}


@pytest.fixture
def secret(transactional_db: None) -> str:
    return access_key(customer())[1]


CALLER = ClientInfo("192.0.2.7")


def request(query: str = "", **headers: str) -> Request:
    return Request(query, {name.replace("_", "-"): value for name, value in headers.items()}, CALLER)


def test_a_request_is_read_from_its_scope() -> None:
    read = Request.of(
        {
            "headers": [(b"Host", b"ws.example.com"), (b"USER-AGENT", b"Mozilla \xe9" + b"x" * 500)],
            "query_string": b"token=abc&batch=true",
            "client": ["192.0.2.7", 5],
        }
    )
    assert (read.query, read.client_info.address, read.headers["host"]) == (
        "token=abc&batch=true",
        "192.0.2.7",
        "ws.example.com",
    )
    assert read.client_info.client.startswith("Mozilla é")
    assert len(read.client_info.client) == 200
    assert Request.of({"headers": [], "client": None}) == Request("", {}, UNKNOWN)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("batch=true", True),
        ("batch=1&token=x", True),
        ("batch=TRUE", True),
        ("batch=false", False),
        ("batch=", False),
        ("", False),
    ],
)
def test_batches_are_for_clients_that_request_them(query: str, wanted: bool) -> None:
    assert request(query).wants_batches is wanted


async def test_a_program_needs_no_origin(secret: str) -> None:
    admitted = await admit(request(f"token={secret}", host="ws.example.com"))
    assert isinstance(admitted, Identity)
    assert isinstance(await admit(request("", authorization=f"Bearer {secret}")), Identity)


@pytest.mark.parametrize(
    "origin", ["https://ws.example.com", "http://ws.example.com", "https://operator.example.com"]
)
async def test_our_own_and_listed_pages_may_connect(secret: str, settings: Any, origin: str) -> None:
    settings.WEBSOCKET_ORIGINS = ["https://operator.example.com"]
    admitted = await admit(request(f"token={secret}", host="ws.example.com", origin=origin))
    assert isinstance(admitted, Identity)


@pytest.mark.parametrize("host", ["WS.example.com", "ws.example.com:443"])
async def test_our_own_pages_may_connect_however_the_host_is_written(secret: str, host: str) -> None:
    admitted = await admit(request(f"token={secret}", host=host, origin="https://ws.example.com"))
    assert isinstance(admitted, Identity)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        "https://ws.example.com.evil.com",
        "https://ws.example.com:8443",
        "http://operator.example.com",
        "null",
        "https://[",
        "https://[::1",
        "\x00",
        "file://",
    ],
)
async def test_any_other_page_may_not(secret: str, settings: Any, origin: str) -> None:
    settings.WEBSOCKET_ORIGINS = ["https://operator.example.com"]
    for host in ("ws.example.com", ""):
        refusal = await admit(request(f"token={secret}", host=host, origin=origin))
        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.rule) == (403, "foreign-origin")
    without_host = await admit(request(f"token={secret}", origin=origin))
    assert isinstance(without_host, Refusal)


async def test_an_operator_can_let_every_page_in(secret: str, settings: Any) -> None:
    settings.WEBSOCKET_ORIGINS = ["*"]
    assert isinstance(await admit(request(f"token={secret}", host="x", origin="https://[")), Identity)


@pytest.mark.parametrize(
    ("query", "authorization", "rule"),
    [
        ("", "", "no-credential"),
        ("token=nonsense", "", "malformed-credential"),
        ("token=vb_unknown", "", "unknown-key"),
        ("token=a&token=b", "", "ambiguous-credential"),
        ("", "Basic YTpi", "unknown-scheme"),
    ],
)
async def test_who_shows_no_good_credential_gets_no_socket(
    transactional_db: None, query: str, authorization: str, rule: str
) -> None:
    refusal = await admit(request(query, authorization=authorization))
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.code, refusal.rule) == (401, "UNAUTHORIZED", rule)


async def test_a_key_that_may_not_subscribe_gets_no_socket(secret: str) -> None:
    await AccessKey.objects.aupdate(may_subscribe=False)
    refusal = await admit(request(f"token={secret}"))
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.rule) == (401, "key-may-not-subscribe")


@pytest.mark.django_db  # The thread may have a connection of an earlier test.
async def test_while_the_database_is_away_no_client_is_called_unauthorized(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_: object) -> Identity:
        raise OperationalError("away")

    monkeypatch.setattr(handshake, "identify_request", away)
    refusal = await admit(request("token=vb_x"))
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.code) == (503, "UNAVAILABLE")


async def sent_by_refusing(scope: Mapping[str, Any], refusal: Refusal) -> list[Mapping[str, Any]]:
    sent: list[Mapping[str, Any]] = []

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await refuse(scope, send, refusal)
    return sent


@pytest.mark.parametrize("status", [401, 403, 503])
async def test_a_refusal_has_status_and_reason_where_the_server_can(status: int) -> None:
    start, body = await sent_by_refusing(WITH_BODY, Refusal(status, "CODE", "Why “so”", "rule"))
    headers = dict(start["headers"])
    assert (start["type"], start["status"]) == ("websocket.http.response.start", status)
    assert headers[b"content-type"] == b"application/json"
    assert int(headers[b"content-length"]) == len(body["body"])
    assert (b"www-authenticate" in headers) is (status == 401)
    assert json.loads(body["body"]) == {"code": "CODE", "message": "Why “so”"}


@pytest.mark.parametrize("scope", [{}, {"extensions": None}, {"extensions": {"tls": {}}}])
async def test_elsewhere_it_is_a_plain_close(scope: Mapping[str, Any]) -> None:
    assert [message["type"] for message in await sent_by_refusing(scope, Refusal(401, "C", "m", "r"))] == [
        "websocket.close"
    ]


# --- The holder of a refused credential ---


def refused_credentials() -> dict[str, tuple[str, str | None]]:
    """Refused credentials by rule, each with the name of its holder if that is certain."""
    acme, past = customer(), timezone.now() - timedelta(days=1)
    ann, off = agent(acme), agent(acme, is_active=False)
    out = agent(acme, tokens_valid_from=timezone.now() + timedelta(hours=1))
    expired, expired_secret = access_key(acme, expires_at=past)
    revoked, revoked_secret = access_key(acme, agent=ann, revoked_at=past)
    publisher, publisher_secret = access_key(acme, may_subscribe=False, may_publish=True)
    old = issue_token(ann, past - timedelta(days=30))
    forged = jwt.encode(
        {"sub": str(ann.pk), "exp": 1}, "another key that is long enough for it", algorithm="HS256"
    )
    return {
        "expired-key": (expired_secret, f"key {expired.prefix}"),
        "revoked-key": (revoked_secret, f"key {revoked.prefix}"),
        "key-may-not-subscribe": (publisher_secret, f"key {publisher.prefix}"),
        "inactive-agent": (issue_token(off), f"token of {off.user.username}"),
        "revoked-token": (issue_token(out), f"token of {out.user.username}"),
        "expired-token": (old, f"token of {ann.user.username}"),
        "unknown-key": ("vb_" + "x" * 32, None),
        "unknown-signature": (forged, None),
        "malformed-credential": ("nonsense", None),
    }


async def test_a_refusal_names_the_holder_only_where_that_is_certain(transactional_db: None) -> None:
    for rule, (credential, holder) in (await sync_to_async(refused_credentials)()).items():
        refusal = await admit(request(f"token={credential}"))
        assert isinstance(refusal, Refusal)
        assert refusal.rule == rule
        assert (refusal.holder.credential if refusal.holder else None) == holder, rule
        assert credential not in repr(refusal)
