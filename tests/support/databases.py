"""Migrated databases: each kind is migrated once, and every gateway gets a copy of its own."""

from __future__ import annotations

import itertools
import shutil
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.gateway import gateway_environment, manage
from tests.support.postgres_server import PostgresServer


class MigratedSqlite:
    """SQLite files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def create_database(self) -> str:
        """A copy of the migrated database; returns its URL."""
        copy = self._folder / f"{next(self._numbers)}.sqlite3"
        shutil.copyfile(self._original, copy)
        return f"sqlite:///{copy}"

    @cached_property
    def _original(self) -> Path:
        original = self._folder / "migrated.sqlite3"
        manage(gateway_environment(f"sqlite:///{original}"), "migrate", "--verbosity", "0")
        # A copy of the file alone would miss what still lies in the log beside it.
        assert not original.with_name(f"{original.name}-wal").exists(), (
            "migrate left its write-ahead log behind"
        )
        return original


class MigratedPostgres:
    """Databases of a private PostgreSQL cluster."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def create_database(self) -> str:
        """A copy of the migrated database; returns its URL."""
        return self._server.create_database(template=self._template)

    @cached_property
    def _template(self) -> str:
        url = self._server.create_database()
        manage(gateway_environment(url), "migrate", "--verbosity", "0")
        return urlsplit(url).path.lstrip("/")
