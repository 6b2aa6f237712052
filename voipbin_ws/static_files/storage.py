"""The addresses of static files, which have a version: a digest of all their contents.

It is a folder of the address, so that what a script or a style sheet names by a relative path has it too.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import StaticFilesStorage


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
