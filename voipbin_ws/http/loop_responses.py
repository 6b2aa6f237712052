"""Responses that need no request thread: probes, static files, and refused bodies.

They are sent while all request threads are busy, or wait for a database or a platform.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.exception import convert_exception_to_response
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.urls import resolve
from whitenoise.responders import SlicedFile

from voipbin_ws.http.connections import PART_BYTES
from voipbin_ws.http.request_log import PROBES, REQUEST_ID_HEADER, log_request, method_label, request_id
from voipbin_ws.http.security_headers import with_security_headers
from voipbin_ws.static_files.files import StaticFiles

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


class LoopEndpoints:
    """Answers probes and requests for static files; passes other requests to `django`."""

    def __init__(self, django: Application) -> None:
        self._django = django
        self._probes: Mapping[str, Any] = {
            path: convert_exception_to_response(resolve(path).func) for path in PROBES
        }
        self._static_files = StaticFiles()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        path = scope["path"]
        if (probe := self._probes.get(path)) is not None:
            request = ASGIRequest(scope, BytesIO())
            await send_response(request, await probe(request), send, route=path, began=began)
            return
        if path.startswith(settings.STATIC_URL):
            request = ASGIRequest(scope, BytesIO())
            if (file := await self._static_files.response(request)) is not None:
                await send_response(request, file, send, route=settings.STATIC_URL, began=began)
                return
        await self._django(scope, receive, send)


async def send_response(
    request: ASGIRequest, response: HttpResponseBase, send: Send, *, route: str, began: float
) -> None:
    """Send a response as Django's middleware would complete and log it.

    `route` is the pattern of the address in metrics, `began` when the request came (seconds of `perf_counter`).
    """
    response = with_security_headers(request, response)
    identifier = request_id(request.headers.get(REQUEST_ID_HEADER))
    response[REQUEST_ID_HEADER] = identifier
    if not response.streaming:
        response["Content-Length"] = str(len(cast(HttpResponse, response).content))
    headers = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    log_request(
        method=method_label(request.method),
        path=request.path,
        route=route,
        status=response.status_code,
        request_id=identifier,
        seconds=time.perf_counter() - began,
        address=request.META.get("REMOTE_ADDR", ""),
        client=request.headers.get("User-Agent", ""),
        identity={},
    )
    start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
    if not response.streaming:
        await send(start)
        await send({"type": "http.response.body", "body": cast(HttpResponse, response).content})
        return
    parts = _parts(cast(FileResponse, response).file_to_stream)
    await send(start)
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _parts(file: Any) -> Iterator[bytes]:
    """Close a static file, and return its content in parts, for each of which it is opened.

    No file stays open while a client does not read. They are read in the event loop: they are few and small, and the
    operating system has them in memory.
    """
    if file is None:
        return iter(())
    with closing(file):
        is_slice = isinstance(file, SlicedFile)
        source = file.fileobj if is_slice else file
        path = Path(source.name)
        start = source.tell()
        end = start + file.remaining if is_slice else path.stat().st_size
    return (_read(path, first, min(PART_BYTES, end - first)) for first in range(start, end, PART_BYTES))


def _read(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)
