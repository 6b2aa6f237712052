"""Django's ASGI handler with each request in one thread, to the last byte.

Django's own handler changes between the event loop and a thread for each synchronous middleware, a dozen times a
request, and starts a thread for each request: a GET would take two to five times the CPU (docs/performance.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponseBase
from django.urls import set_script_prefix

THREADS = 32
"""The most requests at once. Some wait seconds for the platform, and must not delay others."""

Message = dict[str, Any]
Send = Callable[[Message], Any]


class SingleThreadHandler(ASGIHandler):
    """Django's ASGI handler, with all of a request in one thread."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        loop = asyncio.get_running_loop()

        def send_from_thread(message: Message) -> None:
            """Send and wait, as long as the server does; raise its error if the client disconnected."""
            asyncio.run_coroutine_threadsafe(send(message), loop).result()

        with body:
            # Not a plain executor: an asynchronous view must run in this loop.
            in_thread = sync_to_async(self._respond, thread_sensitive=False, executor=self._threads)
            for message in await in_thread(scope, body, send_from_thread):
                await send(message)

    def _respond(self, scope: Any, body: Any, send: Callable[[Message], None]) -> list[Message]:
        """Process a request; return the messages of the response, after sending those of a stream."""
        set_script_prefix(scope.get("root_path", "") or "/")
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self._response(request)
        try:
            start = {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": _headers(response),
            }
            if not response.streaming:
                return [start, {"type": "http.response.body", "body": response.content}]
            _stream(response, start, send)
            return []
        finally:
            # Ends the request: the database connection of this thread is returned.
            response.close()

    def _response(self, request: HttpRequest) -> Any:
        response: Any = self.get_response(request)
        response._handler_class = self.__class__
        return response


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    cookies = [cookie.output(header="").strip() for cookie in response.cookies.values()]
    return [*headers, *((b"Set-Cookie", cookie.encode("ascii")) for cookie in cookies)]


def _stream(response: Any, start: Message, send: Callable[[Message], None]) -> None:
    parts: Iterable[bytes] = response.streaming_content
    try:
        send(start)
        for part in parts:
            send({"type": "http.response.body", "body": part, "more_body": True})
        send({"type": "http.response.body", "body": b""})
    except asyncio.CancelledError:
        pass  # The server closed the connection.
