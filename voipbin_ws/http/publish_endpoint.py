"""The fast path of publishing: what is posted plainly is stored past Django's middleware and REST framework.

At an even pace these cost more than all that is done for the event, whose code is small enough to stay in the
processor's caches. Whatever is not plain, or not accepted, goes the usual way, which knows every case and says what is
wrong: here is only what succeeds, and a database that does not answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from events.api.publish_request import Read, read_events, read_webhook
from subscriptions.connections.handshake import Request
from voipbin_ws.http.publish_queue import Done, Post, Posts
from voipbin_ws.http.request_log import REQUEST_ID_HEADER, holder, request_id, tell
from voipbin_ws.http.security_headers import headers_of_data

WAYS: Mapping[str, Read] = {"/v1.0/events": read_events, "/v1.0/webhooks/voipbin": read_webhook}
"""What can be posted, by its address."""

MAX_BODY_BYTES = 64 * 1024
"""What is larger has a thread of its own on the usual way, and is so much work that the way does not matter."""

_PLAIN_ACCEPTS = frozenset({"*/*", "application/json", "application/json, text/plain, */*"})
"""What clients send that take any JSON: curl, Python's and Go's libraries, browsers; axios."""

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


class FastPath:
    """Stores what is posted plainly; everything else is the `usual` application's."""

    def __init__(self, usual: Application) -> None:
        self._usual = usual
        self._posts = Posts()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        read = WAYS.get(scope["path"]) if scope["method"] == "POST" else None
        request = None if read is None else Request.of(scope)
        if read is None or request is None or not _is_plain(scope, request.headers):
            await self._usual(scope, receive, send)
            return
        headers, caller = request.headers, request.client_info
        began = time.perf_counter()
        body = await _whole_body(receive)
        if body is None:
            return
        own_id = request_id(headers.get(REQUEST_ID_HEADER.lower()))
        done_later: asyncio.Future[Done | None] = asyncio.get_running_loop().create_future()
        post = Post(read, headers, body, caller, own_id, done_later)
        self._posts.add(post)
        done = await post.done
        if done is None:
            await self._usual(scope, _again(body, receive), send)
            return
        tell(
            method="POST",
            path=scope["path"],
            route=scope["path"],
            status=done.status,
            request_id=own_id,
            seconds=time.perf_counter() - began,
            address=caller.address,
            client=caller.client,
            who={} if done.identity is None else holder(done.identity),
        )
        await _answer(done, scope.get("scheme", "http"), own_id, send)


def _is_plain(scope: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Whether nothing about the request is unusual, no header given twice."""
    length = headers.get("content-length", "")
    return (
        len(headers) == len(scope["headers"])
        and not scope.get("query_string")
        and not scope.get("root_path")
        and "content-encoding" not in headers
        and headers.get("accept", "*/*") in _PLAIN_ACCEPTS
        and length.isdecimal()
        and len(length) <= len(str(MAX_BODY_BYTES))
        and 0 < int(length) <= min(MAX_BODY_BYTES, settings.EVENTS_MAX_REQUEST_BYTES)
        and validate_host(split_domain_port(headers.get("host", ""))[0], settings.ALLOWED_HOSTS)
    )


async def _whole_body(receive: Receive) -> bytes | None:
    """The body; none if the client left before it was sent."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once more."""
    given = [{"type": "http.request", "body": body}]

    async def receive_again() -> Message:
        return given.pop() if given else await receive()

    return receive_again


async def _answer(done: Done, scheme: str, own_id: str, send: Send) -> None:
    body = json.dumps(done.content, separators=(",", ":"), ensure_ascii=False).encode()
    headers = [
        *headers_of_data(scheme),
        (b"content-length", b"%d" % len(body)),
        (REQUEST_ID_HEADER.lower().encode(), own_id.encode()),
    ]
    if done.status == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": done.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
