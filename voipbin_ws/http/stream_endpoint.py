"""The ASGI endpoint of event streams, which occupy no thread of Django's.

Django gets requests for a host that is not allowed, and below a path prefix.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from subscriptions.connections.handshake import refusal_answer
from subscriptions.event_streams import NoStream, retry_field, serve_stream
from subscriptions.protocol.permissions import Identity
from voipbin_ws.http.request_headers import headers_of, host_is_allowed
from voipbin_ws.http.request_log import (
    REQUEST_ID_HEADER,
    identity_fields,
    log_request,
    method_label,
    request_id,
)
from voipbin_ws.http.security_headers import json_headers

PATH = "/v1.0/sse"

OPEN_RESPONSE = "voipbin_ws.open_response"
"""The key, among the extensions of a server's scope, of its `OpenResponse`."""

_OWN_HEADERS = {
    b"content-type": b"text/event-stream; charset=utf-8",
    # Proxies must neither keep, nor compress, nor buffer it (nginx reads the last).
    b"cache-control": b"no-store, no-transform",
    b"x-accel-buffering": b"no",
    # A server limits how long a connection may wait for another request; a stream has left those limits.
    b"connection": b"close",
}

NOT_GET = NoStream(405, "METHOD_NOT_ALLOWED", "An event stream is requested with GET")

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


class StreamEndpoint:
    """Answers requests for event streams; passes others to `application`."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["path"] != PATH or scope.get("root_path"):
            await self._application(scope, receive, send)
            return
        headers = headers_of(scope)
        if not host_is_allowed(headers):
            await self._application(scope, receive, send)
            return
        began = time.perf_counter()
        identifier = request_id(headers.get(REQUEST_ID_HEADER.lower()))
        common = [
            *json_headers(scope.get("scheme", "http")),
            (REQUEST_ID_HEADER.lower().encode(), identifier.encode()),
        ]
        server = (scope.get("extensions") or {}).get(OPEN_RESPONSE)
        opened: float | None = None

        async def send_after_head(message: Message) -> None:
            nonlocal opened
            if opened is None:
                opened = time.perf_counter()
                if server is not None:
                    server.begin()
                own = [header for header in common if header[0] not in _OWN_HEADERS]
                await send(
                    {"type": "http.response.start", "status": 200, "headers": [*own, *_OWN_HEADERS.items()]}
                )
                await send({"type": "http.response.body", "body": retry_field(), "more_body": True})
            await send(message)

        outcome: NoStream | Identity
        if scope["method"] == "GET":
            outcome = await serve_stream(
                scope, receive, send_after_head, abort=server.abort if server is not None else _nothing
            )
        else:
            outcome = NOT_GET
        log_request(
            method=method_label(scope["method"]),
            path=PATH,
            route=PATH,
            status=outcome.status if isinstance(outcome, NoStream) else 200,
            request_id=identifier,
            # Until it began: how long a stream lasts is logged with the end of its connection.
            seconds=(opened or time.perf_counter()) - began,
            address=(scope.get("client") or ("",))[0],
            client=headers.get("user-agent", ""),
            identity={} if isinstance(outcome, NoStream) else identity_fields(outcome),
        )
        if isinstance(outcome, NoStream):
            await _refuse(outcome, common, send)


async def _refuse(outcome: NoStream, headers: list[tuple[bytes, bytes]], send: Send) -> None:
    content: dict[str, Any] = {"code": outcome.code, "message": outcome.message}
    if outcome.errors:
        content["errors"] = list(outcome.errors)
    own, body = refusal_answer(outcome.status, content, outcome.retry_after)
    headers = [*headers, *own]
    if outcome is NOT_GET:
        headers.append((b"allow", b"GET"))
    await send({"type": "http.response.start", "status": outcome.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _nothing() -> None:
    """Do nothing: a server of another kind cannot cut a connection."""
