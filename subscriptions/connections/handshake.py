"""The WebSocket handshake: who connects, from where, and the refusal where nobody may.

The socket is refused before it is accepted: a client that is accepted and then closed comes back at once, for ever.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.db import Error as DatabaseTrouble

from events.api.responses import JSON_HEADERS
from events.database.threads import in_database_thread
from events.domain.strict_json import encode
from subscriptions.auth.authentication import identify_request
from subscriptions.auth.client_info import ClientInfo
from subscriptions.auth.tokens import BadCredential, Holder
from subscriptions.protocol.permissions import Identity

UNAUTHORIZED = 401
FORBIDDEN = 403
UNAVAILABLE = 503

ANSWER_HEADERS = tuple((name.lower().encode(), value.encode()) for name, value in JSON_HEADERS.items())
"""Of an answer in JSON that is given without Django, whose middleware adds these to all others."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no socket: an HTTP status, a code and a message for the client; for the operator a rule, and whose
    the credential is where that is certain."""

    status: int
    code: str
    message: str
    rule: str
    holder: Identity | Holder | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What the handshake tells of the client."""

    query: str
    headers: Mapping[str, str]
    caller: ClientInfo

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Request:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        client = scope.get("client")
        caller = ClientInfo.of(client[0] if client else "", headers)
        return cls(scope.get("query_string", b"").decode("latin-1"), headers, caller)

    @property
    def wants_batches(self) -> bool:
        return parse_qs(self.query).get("batch", [""])[-1].lower() in ("true", "1")


async def admit(request: Request) -> Identity | Refusal:
    """Whose socket this is to be, or why there is none."""
    if not _origin_is_allowed(request.headers):
        return Refusal(
            FORBIDDEN,
            "FORBIDDEN_ORIGIN",
            "Pages of this origin may not connect: an operator can add it to WEBSOCKET_ORIGINS",
            "foreign-origin",
        )
    identity = None
    try:
        identity = await in_database_thread(identify_request, request.query, request.headers, request.caller)
        may_open_socket(identity)
    except BadCredential as error:
        return Refusal(UNAUTHORIZED, "UNAUTHORIZED", str(error), error.rule, identity or error.holder)
    except DatabaseTrouble:
        return Refusal(
            UNAVAILABLE, "UNAVAILABLE", "Credentials cannot be checked now: try again", "database-away"
        )
    return identity


def may_open_socket(identity: Identity) -> None:
    """Whether the identity may have a WebSocket at all.

    Raises:
        BadCredential: it may not.
    """
    if not identity.may_subscribe:
        raise BadCredential("This access key may not open a WebSocket", "key-may-not-subscribe")


def _origin_is_allowed(headers: Mapping[str, str]) -> bool:
    """Programs send no Origin and are judged by their credential alone; a page must be ours or a listed one."""
    origin = headers.get("origin")
    if not origin or "*" in settings.WEBSOCKET_ORIGINS:
        return True
    if origin in settings.WEBSOCKET_ORIGINS:
        return True
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return False
    # A page in a sandbox sends `null`, which names no host.
    return host != "" and host == headers.get("host")


async def refuse(
    scope: Mapping[str, Any], send: Callable[[Mapping[str, Any]], Awaitable[None]], refusal: Refusal
) -> None:
    """Answer the handshake with the refusal: status and JSON body where the server can, its plain 403 elsewhere."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    body = encode({"code": refusal.code, "message": refusal.message}).encode()
    headers = [*ANSWER_HEADERS, (b"content-length", str(len(body)).encode())]
    if refusal.status == UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Bearer realm="voipbin"'))
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
