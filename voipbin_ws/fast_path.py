"""The fast path of publishing: what is posted plainly is stored past Django's middleware and REST framework.

At an even pace these cost more than all that is done for the event, whose code is small enough to stay in the
processor's caches. Whatever is not plain, or not accepted, goes the usual way, which knows every case and says what is
wrong: here is only what succeeds, and a database that does not answer.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.http.request import split_domain_port, validate_host

from events.errors import ApiError, unavailable
from events.posting import Posted, Read, read_events, read_webhook, require_may_publish
from events.publishing import IdempotencyConflict, Receipt, publish_each
from subscriptions.access import Identity
from subscriptions.authentication import identify_request
from subscriptions.caller import Caller
from subscriptions.tokens import BadCredential
from voipbin_ws.access_log import REQUEST_ID_HEADER, holder, request_id, tell
from voipbin_ws.error_pages import FAILED_CODE, words_of_failure
from voipbin_ws.headers import headers_of_data

logger = structlog.stdlib.get_logger(__name__)

WAYS: Mapping[str, Read] = {"/v1.0/events": read_events, "/v1.0/webhooks/voipbin": read_webhook}
"""What can be posted, by its address."""

MAX_BODY_BYTES = 64 * 1024
"""What is larger has a thread of its own on the usual way, and is so much work that the way does not matter."""

POSTS_AT_ONCE = 64
"""Posts whose commit is shared: the first of them waits until the last is read."""

_PLAIN_ACCEPTS = frozenset({"*/*", "application/json", "application/json, text/plain, */*"})
"""What clients send that take any JSON: curl, Python's and Go's libraries, browsers; axios."""

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a post: the answer's status and content, and whose it was; none for nobody's, if it was not found
    out."""

    status: int
    content: Any
    identity: Identity | None


@dataclass(frozen=True, slots=True)
class _Post:
    """A request to publish; `done` becomes what came of it, or none where the usual way has to say what is wrong."""

    read: Read
    headers: Mapping[str, str]
    body: bytes
    caller: Caller
    request_id: str
    done: asyncio.Future[Done | None]

    def tell(self, done: Done | None) -> None:
        """Called from any thread."""
        self.done.get_loop().call_soon_threadsafe(self._told, done)

    def _told(self, done: Done | None) -> None:
        if not self.done.done():  # Else whoever waited for it was cancelled.
            self.done.set_result(done)


class FastPath:
    """Stores what is posted plainly; everything else is the `usual` application's."""

    def __init__(self, usual: Application) -> None:
        self._usual = usual
        self._posts = _Posts()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        read = WAYS.get(scope["path"]) if scope["method"] == "POST" else None
        headers = None if read is None else _plain_headers(scope)
        if read is None or headers is None:
            await self._usual(scope, receive, send)
            return
        began = time.perf_counter()
        body = await _whole_body(receive)
        if body is None:
            return
        client = scope.get("client")
        caller = Caller.of(client[0] if client else "", headers)
        own_id = request_id(headers.get(REQUEST_ID_HEADER.lower()))
        done_later: asyncio.Future[Done | None] = asyncio.get_running_loop().create_future()
        post = _Post(read, headers, body, caller, own_id, done_later)
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


class _Posts:
    """Posts that wait for the one thread that carries them out: those that come meanwhile are its next batch."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="publishing")
        self._waiting: deque[_Post] = deque()
        self._lock = threading.Lock()
        self._is_busy = False

    def add(self, post: _Post) -> None:
        with self._lock:
            self._waiting.append(post)
            is_busy, self._is_busy = self._is_busy, True
        if not is_busy:
            self._thread.submit(self._carry_out_all)

    def _carry_out_all(self) -> None:
        close_old_connections()
        try:
            while posts := self._next():
                for post, done in zip(posts, _carried_out(posts), strict=True):
                    post.tell(done)
        finally:
            close_old_connections()

    def _next(self) -> list[_Post]:
        with self._lock:
            posts = [self._waiting.popleft() for _ in range(min(len(self._waiting), POSTS_AT_ONCE))]
            self._is_busy = bool(posts)
        return posts


def _plain_headers(scope: Mapping[str, Any]) -> dict[str, str] | None:
    """The request's headers, by their names in lower case; none where anything about the request is unusual."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    length = headers.get("content-length", "")
    is_plain = (
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
    return headers if is_plain else None


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


def _carried_out(posts: list[_Post]) -> list[Done | None]:
    """What came of each."""
    done: list[Done | None] = [None] * len(posts)
    read: dict[int, tuple[Identity, Posted]] = {}
    try:
        for index, post in enumerate(posts):
            if (readable := _read(post)) is not None:
                read[index] = readable
        results = publish_each([posted.drafts for _, posted in read.values()])
    except (DatabaseError, InterfaceError) as error:
        # Nothing was stored of any. Each would wait for as long by itself.
        return [_unavailable(error, None) for _ in posts]
    except Exception:
        return done  # A defect of ours, before anything was stored: the usual way shows and logs it.
    for (index, (identity, posted)), result in zip(read.items(), results, strict=True):
        done[index] = _done(posted, result, identity, posts[index].request_id)
    return done


def _read(post: _Post) -> tuple[Identity, Posted] | None:
    """Whose it is, and what is to be published; none where nothing is."""
    try:
        identity = identify_request("", post.headers, post.caller)
        require_may_publish(identity)
        return identity, post.read(identity, post.headers, post.body)
    except (BadCredential, ApiError):
        return None


def _done(posted: Posted, result: list[Receipt] | Exception, identity: Identity, own_id: str) -> Done | None:
    """What came of one of those that were to be published. One that may be stored must not be tried again here."""
    match result:
        case IdempotencyConflict():
            return None
        case DatabaseError() | InterfaceError():
            return _unavailable(result, identity)
        case Exception():
            logger.error("A request failed", exc_info=result, request_id=own_id)
            return Done(500, {"code": FAILED_CODE, "message": words_of_failure(own_id)}, identity)
    return Done(201, posted.answer(result), identity)


def _unavailable(error: Exception, identity: Identity | None) -> Done:
    refusal = unavailable(error)
    return Done(refusal.status_code, refusal.content, identity)


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
