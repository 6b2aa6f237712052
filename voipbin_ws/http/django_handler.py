"""Django's ASGI handler with each request in one thread.

Django's own handler changes between the event loop and a thread for each synchronous middleware, a dozen times a
request, and starts a thread for each request: a GET would take two to five times the CPU (docs/performance.md).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from io import BytesIO
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve, set_script_prefix

from events.database.threads import good_connections
from voipbin_ws.http.error_pages import error_response
from voipbin_ws.http.loop_responses import send_response
from voipbin_ws.http.publish_endpoint import PARSERS
from voipbin_ws.http.request_body import (
    MAX_FORM_BYTES,
    BodyReader,
    BodyTooLarge,
    Disconnected,
    LargeBodies,
    NoRoom,
    announced_length,
)

THREADS = 32
"""The most requests at once. Some wait seconds for the platform, and must not delay others."""

STREAMS = 4
"""The most threads that produce parts of streamed responses, such as exports, at once."""

LARGE_BODIES_BYTES = 32 * 2**20
"""The memory for bodies that are not small."""

P = ParamSpec("P")
T = TypeVar("T")
Message = Mapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


class SingleThreadHandler(ASGIHandler):
    """Django's ASGI handler, with all of a request in one thread."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._streams = asyncio.Semaphore(STREAMS)
        self._large_bodies = LargeBodies(LARGE_BODIES_BYTES)
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        began = time.perf_counter()
        reader = BodyReader(receive, _body_limit(scope), self._large_bodies)
        try:
            if await self._read(reader, scope, send, began):
                await self._answer(scope, reader.body, receive, send)
        finally:
            reader.release()

    async def _read(self, reader: BodyReader, scope: Any, send: Send, began: float) -> bool:
        """Read the body as far as the request may have one; return whether it is to be processed."""
        length = announced_length(scope["headers"])
        if length == 0 or reader.limit == 0:
            return True
        try:
            if length is not None and length > reader.limit:
                raise BodyTooLarge
            await reader.read_all((scope.get("client") or ("",))[0])
        except Disconnected:
            return False
        except BodyTooLarge:
            await _refuse(
                scope, send, began, 413, "TOO_LARGE", f"The body is larger than {reader.limit} bytes"
            )
            return False
        except NoRoom:
            busy = "Too many large requests arrive at once: try again"
            await _refuse(scope, send, began, 503, "UNAVAILABLE", busy)
            return False
        return True

    async def _answer(self, scope: Any, body: bytes, receive: Any, send: Send) -> None:
        start, response = await self._in_thread(self._respond, scope, BytesIO(body))
        if isinstance(response, bytes):
            await send(start)
            await send({"type": "http.response.body", "body": response})
            return
        gone = asyncio.ensure_future(_until_disconnected(receive))
        try:
            await send(start)
            parts = iter(response.streaming_content)
            while not gone.done():
                # No thread waits for the client to read.
                async with self._streams:
                    part = await self._in_thread(_next_part, parts)
                if part is None:
                    await send({"type": "http.response.body", "body": b""})
                    break
                await send({"type": "http.response.body", "body": part, "more_body": True})
        finally:
            gone.cancel()
            self._threads.submit(response.close)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        # Not a plain executor: an asynchronous view must run in this loop.
        in_thread = sync_to_async(work, thread_sensitive=False, executor=self._threads)
        return await in_thread(*args, **kwargs)

    def _respond(self, scope: Any, body: BytesIO) -> tuple[Message, Any]:
        """Process a request; return the start of the response, and its content.

        The content of a streamed response is the response itself.
        """
        set_script_prefix(scope.get("root_path", "") or "/")
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self._response(request)
        start = {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": _headers(response),
        }
        if response.streaming:
            close_old_connections()
            return start, response
        # Ends the request: the database connection of this thread is returned.
        response.close()
        return start, response.content

    def _response(self, request: HttpRequest) -> Any:
        response: Any = self.get_response(request)
        response._handler_class = self.__class__
        return response


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    cookies = [cookie.output(header="").strip() for cookie in response.cookies.values()]
    return [*headers, *((b"Set-Cookie", cookie.encode("ascii")) for cookie in cookies)]


async def _until_disconnected(receive: Callable[[], Awaitable[Message]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # The body, which is not used.


def _next_part(parts: Iterator[bytes]) -> bytes | None:
    with good_connections():
        return next(parts, None)


def _body_limit(scope: Any) -> int:
    """Return how many bytes a body may have: none if no view takes it."""
    if scope["method"] not in ("POST", "PUT", "PATCH"):
        return 0
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    try:
        view = resolve(path).func
    except Resolver404:
        return 0
    if path in PARSERS:
        return settings.EVENTS_MAX_REQUEST_BYTES
    limit: int = getattr(getattr(view, "cls", view), "max_body_bytes", MAX_FORM_BYTES)
    return limit


async def _refuse(scope: Any, send: Send, began: float, status: int, code: str, message: str) -> None:
    request = ASGIRequest(scope, BytesIO())
    response = error_response(request, status, code, "Not accepted", message)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "1"
    await send_response(request, response, send, route="none", began=began)
