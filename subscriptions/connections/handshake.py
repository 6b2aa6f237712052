"""The WebSocket handshake: the identity of the client, or the refusal.

A client is refused before the connection is accepted: one that is accepted and then closed reconnects at once, forever.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from math import ceil
from typing import Any
from urllib.parse import parse_qs

from django import db
from django.conf import settings

from events.api.responses import JSON_HEADERS
from events.cloudevents.attributes import is_cloud_events
from events.database.threads import in_database_thread
from events.domain.strict_json import encode
from subscriptions.auth.authentication import identify_request
from subscriptions.auth.client_info import ClientInfo
from subscriptions.auth.credentials import BadCredential
from subscriptions.auth.handshake_throttle import credential_digest, handshake_throttle
from subscriptions.connections.origins import is_allowed
from subscriptions.protocol.permissions import Identity

BAD_REQUEST = 400
UNAUTHORIZED = 401
FORBIDDEN = 403
TOO_MANY = 429
UNAVAILABLE = 503

FULL_RETRY_SECONDS = 60

PROTOCOL_VERSION = "13"
"""The only version of the WebSocket protocol (RFC 6455, section 4.1)."""

ANSWER_HEADERS = tuple((name.lower().encode(), value.encode()) for name, value in JSON_HEADERS.items())
"""Headers of a JSON response that is sent without Django, whose middleware adds them to others."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused handshake: HTTP status, code and message for the client, rule for operators.

    `holder` is the owner of the credential, `None` if that is not certain. `retry_after` is in seconds, 0 if waiting
    does not help.
    """

    status: int
    code: str
    message: str
    rule: str
    holder: Identity | None = None
    retry_after: int = 0


FOREIGN_ORIGIN = Refusal(
    FORBIDDEN,
    "FORBIDDEN_ORIGIN",
    "Pages of this origin may not connect: an operator can add it to WEBSOCKET_ORIGINS",
    "foreign-origin",
)


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of the handshake that identify the client."""

    query: str
    headers: Mapping[str, str]
    client_info: ClientInfo

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Request:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        client = scope.get("client")
        client_info = ClientInfo.of(client[0] if client else "", headers)
        return cls(scope.get("query_string", b"").decode("latin-1"), headers, client_info)

    @property
    def credential(self) -> bytes:
        """The digest of the credential, for the throttle."""
        return credential_digest(self.query, self.headers)

    @property
    def wants_batches(self) -> bool:
        return parse_qs(self.query).get("batch", [""])[-1].lower() in ("true", "1")

    @property
    def wants_cloud_events(self) -> bool:
        """Whether an admitted client receives events as CloudEvents."""
        return is_cloud_events(_format_of(self.query))


async def admit(request: Request) -> Identity | Refusal:
    """Authenticate the client; returns its identity, or the refusal."""
    if not origin_is_allowed(request.headers):
        return FOREIGN_ORIGIN
    if refusal := unknown_format(request.query):
        return refusal
    address, credential = request.client_info.address, request.credential
    if refusal := throttled(address, credential):
        return refusal
    identity = None
    try:
        identity = await in_database_thread(
            identify_request, request.query, request.headers, request.client_info
        )
        may_open_socket(identity)
    except BadCredential as error:
        handshake_throttle.refused(address, credential)
        return Refusal(UNAUTHORIZED, "UNAUTHORIZED", str(error), error.rule, identity or error.holder)
    except db.Error:
        message = "Credentials cannot be checked now: try again"
        return Refusal(UNAVAILABLE, "UNAVAILABLE", message, "database-away", retry_after=1)
    handshake_throttle.accepted(credential)
    return identity


def _format_of(query: str) -> str:
    return parse_qs(query).get("format", [""])[-1]


def unknown_format(query: str) -> Refusal | None:
    """Return the refusal of a query whose `format` is none, else `None`."""
    try:
        is_cloud_events(_format_of(query))
    except ValueError as error:
        return Refusal(BAD_REQUEST, "INVALID_REQUEST", f"format: {error}", "unknown-format")
    return None


def throttled(address: str, credential: bytes) -> Refusal | None:
    """Return the refusal if the credential is not to be checked now, else `None`."""
    wait = ceil(handshake_throttle.wait_seconds(address, credential))
    if not wait:
        return None
    message = f"Too many handshakes from this address were refused: try again in {wait} s"
    return Refusal(TOO_MANY, "RATE_LIMITED", message, "too-many-handshakes", retry_after=wait)


def may_open_socket(identity: Identity) -> None:
    """Check that the identity may open a WebSocket.

    Raises:
        BadCredential: it is an access key without that permission.
    """
    if not identity.may_subscribe:
        raise BadCredential("This access key may not open a WebSocket", "key-may-not-subscribe")


def no_room(identity: Identity) -> Refusal:
    """Return the refusal of a client whose customer has all its connections open."""
    return Refusal(
        TOO_MANY,
        "RATE_LIMITED",
        f"Your customer has all its {identity.quotas.connections} connections open: close some, or try again later",
        "customer-connections",
        identity,
        retry_after=FULL_RETRY_SECONDS,
    )


def origin_is_allowed(headers: Mapping[str, str]) -> bool:
    """Return whether pages of the request's origin may use the gateway, as programs may."""
    return is_allowed(headers.get("origin", ""), headers.get("host", ""), settings.WEBSOCKET_ORIGINS)


def bad_handshake(message: str) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    """Return headers and JSON body of the 400 to an invalid handshake.

    They name the date (RFC 9110, section 6.6.1), which no server adds here, and the version of the protocol (RFC 6455,
    section 4.2.2).
    """
    body = encode({"code": "INVALID_REQUEST", "message": message}).encode()
    headers = (
        *ANSWER_HEADERS,
        (b"date", formatdate(usegmt=True).encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        (b"sec-websocket-version", PROTOCOL_VERSION.encode()),
    )
    return headers, body


async def refuse(
    scope: Mapping[str, Any], send: Callable[[Mapping[str, Any]], Awaitable[None]], refusal: Refusal
) -> None:
    """Answer with status and JSON body; a server of another kind has only its own 403."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    content = {"code": refusal.code, "message": refusal.message}
    headers, body = refusal_answer(refusal.status, content, refusal.retry_after)
    headers = [*ANSWER_HEADERS, *headers]
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def refusal_answer(
    status: int, content: Mapping[str, Any], retry_after: int
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers and the JSON body of a refusal.

    `retry_after` is in seconds, 0 for none. The headers of every JSON response are not among them.
    """
    body = encode(content).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    if status == UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Bearer realm="voipbin"'))
    if retry_after:
        headers.append((b"retry-after", str(retry_after).encode()))
    return headers, body
