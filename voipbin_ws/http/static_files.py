"""Static files: compressed, and kept by browsers for a year.

Their addresses have a version, a digest of all their contents. It is a folder of the address, so that the imports of a
script, which are relative, have it too. Files are served from the apps' folders: a checkout needs no `collectstatic`.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import IO, cast

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware

YEAR = "public, max-age=31536000, immutable"
COMPRESSED_TYPES = re.compile(r"text/|image/svg|application/(?:json|javascript)")
SMALLEST_COMPRESSED = 200
"""Bytes; a smaller file would hardly shrink (as in Django's GZipMiddleware)."""

_VERSIONED = re.compile(rf"{re.escape(settings.STATIC_URL)}v-([0-9a-f]{{12}})/")


@cache
def version() -> str:
    """Return a digest of all static files, the same in all processes that have these files."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            digest.update(
                f"{name}\0".encode() + hashlib.sha256(Path(storage.path(name)).read_bytes()).digest()
            )
    return digest.hexdigest()[:12]


class VersionedStaticFilesStorage(StaticFilesStorage):
    """Addresses of static files with the version; without it under `DEBUG`: files may change."""

    def url(self, name: str | None) -> str:
        """Return the address of a file."""
        return super().url(name if settings.DEBUG else f"v-{version()}/{name}")


class StaticFiles:
    """Finds a static file, and its compressed form, made once in a thread and kept in memory."""

    def __init__(self) -> None:
        self._find = WhiteNoiseMiddleware(_no_such_file)
        self._compressed: dict[Path, asyncio.Task[bytes]] = {}

    async def response(self, request: ASGIRequest) -> HttpResponseBase | None:
        """Return the response to a request for a static file, or `None` if it is none.

        A file under the address of another version, which a page from before an upgrade asks for, is not kept.
        """
        versioned = _VERSIONED.match(request.path_info)
        if versioned:
            request.path_info = settings.STATIC_URL + request.path_info[versioned.end() :]
        response: HttpResponseBase | None = self._find(request)
        if response is None or response.status_code not in (200, 206, 304):
            return response
        if versioned and versioned[1] == version():
            response["Cache-Control"] = YEAR
        if COMPRESSED_TYPES.match(response.get("Content-Type", "")):
            patch_vary_headers(response, ["Accept-Encoding"])
            if response.status_code == 200 and _accepts_gzip(request):
                return await self._compress(request, response)
        return response

    async def _compress(self, request: ASGIRequest, response: HttpResponseBase) -> HttpResponseBase:
        source = response.file_to_stream if isinstance(response, FileResponse) else None
        if source is None or request.method != "GET" or int(response["Content-Length"]) < SMALLEST_COMPRESSED:
            return response
        with source:
            path = Path(cast(IO[bytes], source).name)
        if (task := self._compressed.get(path)) is None:
            task = self._compressed[path] = asyncio.create_task(asyncio.to_thread(_compressed, path))
        kept = {name: value for name, value in response.items() if name != "Content-Length"}
        return HttpResponse(await task, headers={**kept, "Content-Encoding": "gzip"})


def _compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


def _accepts_gzip(request: HttpRequest) -> bool:
    return bool(
        re.search(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))", request.headers.get("Accept-Encoding", ""))
    )


def _no_such_file(_: HttpRequest) -> None:
    return None
