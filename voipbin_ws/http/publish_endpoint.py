"""The ASGI endpoint for publish requests, without Django's middleware and REST framework.

Single requests at an even pace would spend more in these than in publishing itself, whose code stays in the processor's
caches (docs/performance.md).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from rest_framework import status

from events.api.errors import ApiError
from events.api.publish_parser import Parser, parse_events, parse_webhook
from events.api.publish_request import PublishRequest, PublishResponse, refusal
from voipbin_ws.http.publish_queue import PublishQueue, Response
from voipbin_ws.http.request_body import (
    SMALL_BODY_BYTES,
    BodyReader,
    BodyTooLarge,
    Disconnected,
    LargeBodies,
    NoRoom,
    announced_length,
)
from voipbin_ws.http.request_headers import headers_of, host_is_allowed
from voipbin_ws.http.request_log import REQUEST_ID_HEADER, identity_fields, log_request, request_id
from voipbin_ws.http.security_headers import json_headers

PARSERS: Mapping[str, Parser] = {"/v1.0/events": parse_events, "/v1.0/webhooks/voipbin": parse_webhook}
"""The parsers of the publishing operations, by path."""

LARGE_BODIES_BYTES = 64 * 2**20
"""The least memory for bodies that are not small; at least four of the largest fit."""

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


class PublishEndpoint:
    """Answers POSTs to the paths of `PARSERS`; passes other requests to `django`.

    Django also gets requests below a path prefix, which it resolves, and those for a host that is not allowed, which it
    refuses.
    """

    def __init__(self, django: Application) -> None:
        self._django = django
        self._queue = PublishQueue()
        self._large_bodies = LargeBodies(max(LARGE_BODIES_BYTES, 4 * settings.EVENTS_MAX_REQUEST_BYTES))

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        parse = PARSERS.get(scope["path"])
        if parse is None or scope["method"] != "POST" or scope.get("root_path"):
            await self._django(scope, receive, send)
            return
        headers = headers_of(scope)
        if not host_is_allowed(headers):
            await self._django(scope, receive, send)
            return
        began = time.perf_counter()
        reader = BodyReader(receive, settings.EVENTS_MAX_REQUEST_BYTES, self._large_bodies)
        try:
            is_too_large = await _read_small(reader, announced_length(scope["headers"]))
            request = PublishRequest(
                parse,
                headers,
                reader.body if reader.is_complete else b"",
                query=scope.get("query_string", b"").decode("latin-1"),
                address=(scope.get("client") or ("",))[0],
                request_id=request_id(headers.get(REQUEST_ID_HEADER.lower())),
            )
            if is_too_large:
                response = await self._queue.publish(_announcing_too_much(request))
            elif reader.is_complete:
                response = await self._queue.publish(request)
            else:
                response = await self._publish_large(request, reader)
        except Disconnected:
            return
        finally:
            reader.release()
        log_request(
            method="POST",
            path=scope["path"],
            route=scope["path"],
            status=response.status,
            request_id=request.request_id,
            seconds=time.perf_counter() - began,
            address=request.address,
            client=headers.get("user-agent", ""),
            identity={} if response.identity is None else identity_fields(response.identity),
        )
        await _send(response, request, scope.get("scheme", "http"), send)

    async def _publish_large(self, request: PublishRequest, reader: BodyReader) -> Response:
        """Publish a large request. Its body is read only from a client that may publish it."""
        admitted = await self._queue.admit(request)
        if isinstance(admitted, PublishResponse):
            return admitted
        try:
            await reader.read_all(admitted.customer_id)
        except BodyTooLarge:
            return await self._queue.publish(_announcing_too_much(request))
        except NoRoom:
            busy = "Too many large requests arrive at once: publish fewer events in each, or try again"
            return refusal(request, ApiError(status.HTTP_503_SERVICE_UNAVAILABLE, busy, retry_after=1))
        return await self._queue.publish(replace(request, body=reader.body))


async def _read_small(reader: BodyReader, length: int | None) -> bool:
    """Read a body that seems to be small; return whether it is larger than its limit."""
    try:
        if length is None or length <= SMALL_BODY_BYTES:
            await reader.read_small()
    except BodyTooLarge:
        return True
    return False


def _announcing_too_much(request: PublishRequest) -> PublishRequest:
    """Return the request with a length beyond the limit, whose refusal says what is right."""
    most = settings.EVENTS_MAX_REQUEST_BYTES
    return replace(request, headers={**request.headers, "content-length": str(most + 1)})


async def _send(response: Response, request: PublishRequest, scheme: str, send: Send) -> None:
    own = {
        **response.headers,
        "Content-Length": str(len(response.body)),
        REQUEST_ID_HEADER: request.request_id,
    }
    headers = [
        *json_headers(scheme),
        *((name.lower().encode(), value.encode()) for name, value in own.items()),
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
