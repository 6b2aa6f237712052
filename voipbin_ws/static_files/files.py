"""The responses to requests for static files: compressed, and kept by browsers for a year.

Files are served from the apps' folders: a checkout needs no `collectstatic`.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple, cast

from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware

from voipbin_ws.static_files.script_bundle import NotBundled, bundle
from voipbin_ws.static_files.storage import version

YEAR = "public, max-age=31536000, immutable"
COMPRESSED_TYPES = re.compile(r"text/|image/svg|application/(?:json|javascript)")
SMALLEST_COMPRESSED = 200
"""Bytes; a smaller file would hardly shrink (as in Django's GZipMiddleware)."""

_VERSIONED = re.compile(rf"{re.escape(settings.STATIC_URL)}v-([0-9a-f]{{12}})/")


class Form(NamedTuple):
    """A form of a file that differs from its bytes on the disk."""

    name: str
    path: Path
    is_bundle: bool
    is_compressed: bool


class StaticFiles:
    """Finds static files; makes their other forms once, in a thread, and keeps them in memory."""

    def __init__(self) -> None:
        self._find = WhiteNoiseMiddleware(_no_such_file)
        self._forms: dict[Form, asyncio.Task[bytes]] = {}

    async def response(self, request: ASGIRequest) -> HttpResponseBase | None:
        """Return the response to a request for a static file, or `None` if it is none.

        A script under the address of this version has all that it imports. A file under the address of another one,
        which a page from before an upgrade requests, is not kept.
        """
        versioned = _VERSIONED.match(request.path_info)
        name = request.path_info[versioned.end() if versioned else len(settings.STATIC_URL) :]
        request.path_info = settings.STATIC_URL + name
        is_current = versioned is not None and versioned[1] == version()
        is_bundle = is_current and name.endswith(".js")
        if is_bundle:
            request.META.pop("HTTP_RANGE", None)
        response: HttpResponseBase | None = self._find(request)
        if response is None or response.status_code not in (200, 206, 304):
            return response
        if is_current:
            response["Cache-Control"] = YEAR
        if not COMPRESSED_TYPES.match(response.get("Content-Type", "")):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if response.status_code != 200 or request.method != "GET" or not isinstance(response, FileResponse):
            return response
        is_compressed = _accepts_gzip(request) and int(response["Content-Length"]) >= SMALLEST_COMPRESSED
        if not is_bundle and not is_compressed:
            return response
        with response.file_to_stream as file:  # type: ignore[union-attr]
            path = Path(cast(IO[bytes], file).name)
        return await self._other_form(response, Form(name, path, is_bundle, is_compressed))

    async def _other_form(self, response: HttpResponseBase, form: Form) -> HttpResponse:
        if (task := self._forms.get(form)) is None:
            task = self._forms[form] = asyncio.create_task(asyncio.to_thread(_content, form))
        headers = {name: value for name, value in response.items() if name != "Content-Length"}
        if form.is_compressed:
            headers["Content-Encoding"] = "gzip"
        return HttpResponse(await task, headers=headers)


def _content(form: Form) -> bytes:
    content = form.path.read_bytes()
    if form.is_bundle:
        # Otherwise browsers load what it imports, under addresses of the same version.
        with suppress(NotBundled):
            content = bundle(form.name, _script).encode()
    return gzip.compress(content, mtime=0) if form.is_compressed else content


def _script(name: str) -> str:
    path = find(name)
    if path is None:
        raise NotBundled(f"there is no {name}")
    return Path(path).read_text()


def _accepts_gzip(request: HttpRequest) -> bool:
    return bool(
        re.search(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))", request.headers.get("Accept-Encoding", ""))
    )


def _no_such_file(_: HttpRequest) -> None:
    return None
