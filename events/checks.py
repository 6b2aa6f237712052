"""System checks of the database and the webhook secret: whether stored events can be lost."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections, transaction

SECRET_MIN_CHARACTERS = 16


@checks.register(checks.Tags.compatibility)
def connections_end_with_their_use(**_: Any) -> list[checks.CheckMessage]:
    """Check that connections are not persistent: each thread would hold one."""
    return [
        checks.Warning(
            f"The database {alias!r} has CONN_MAX_AGE {age}: each thread keeps one.",
            hint="Leave CONN_MAX_AGE at 0: the pool keeps connections open for the next use.",
            id="events.W001",
        )
        for alias, database in settings.DATABASES.items()
        if (age := database.get("CONN_MAX_AGE", 0)) != 0 and not database["ENGINE"].endswith("sqlite3")
    ]


@checks.register(checks.Tags.compatibility)
def sqlite_writes_ahead(**_: Any) -> list[checks.CheckMessage]:
    """Check that SQLite writes ahead: without WAL, readers wait for the writer."""
    return [
        checks.Warning(
            f"The SQLite database {alias!r} is opened without WAL: readers and publishers wait for each other.",
            hint="Leave the PRAGMAs of OPTIONS['init_command'] as voipbin_ws/settings.py has them.",
            id="events.W002",
        )
        for alias, database in settings.DATABASES.items()
        if database["ENGINE"].endswith("sqlite3")
        and "journal_mode=wal" not in str(database.get("OPTIONS", {}).get("init_command", "")).lower()
    ]


@checks.register(checks.Tags.database)
def stored_events_last(databases: Sequence[str] | None, **_: Any) -> list[checks.CheckMessage]:
    """Check the database itself; runs with `check --database default` and before migrations."""
    found: list[checks.CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        with transaction.atomic(alias), connection.cursor() as cursor:
            found += _TRANSACTION_CHECKS[connection.vendor](alias, cursor)
    return found


def _check_sqlite(alias: str, cursor: Any) -> Iterator[checks.CheckMessage]:
    if (mode := _shown(cursor, "PRAGMA journal_mode")) != "wal":
        yield checks.Warning(
            f"The SQLite file of {alias!r} is in journal mode {mode!r}, although WAL was requested.",
            hint="Its file system cannot do it, as those of networks cannot: move it to a local disk.",
            id="events.W003",
        )


def _check_postgresql(alias: str, cursor: Any) -> Iterator[checks.CheckMessage]:
    if _shown(cursor, "SHOW transaction_read_only") == "on":
        yield checks.Error(
            f"PostgreSQL of {alias!r} takes no writes: transaction_read_only is on.",
            hint="Connect to the primary, with default_transaction_read_only off.",
            id="events.E001",
        )
    for name in ("fsync", "full_page_writes"):
        if _shown(cursor, f"SHOW {name}") == "off":
            yield checks.Warning(
                f"PostgreSQL of {alias!r} runs with {name} off: a power cut loses what was stored.",
                hint=f"Set {name} = on in postgresql.conf.",
                id="events.W004",
            )
    if (mode := _shown(cursor, "SHOW synchronous_commit")) != "on":
        yield checks.Warning(
            f"Transactions of {alias!r} commit with synchronous_commit {mode}: a crash loses the last ones.",
            hint="Leave the connection_class of OPTIONS['pool'] as voipbin_ws/settings.py has it.",
            id="events.W006",
        )


_TRANSACTION_CHECKS = {"sqlite": _check_sqlite, "postgresql": _check_postgresql}


def _shown(cursor: Any, statement: str) -> str:
    cursor.execute(statement)
    return str(cursor.fetchone()[0])


@checks.register(checks.Tags.compatibility)
def sqlite_file_can_be_written(**_: Any) -> list[checks.CheckMessage]:
    """Check the file and its folder, without opening the database."""
    return [
        checks.Error(
            f"The SQLite database {alias!r} cannot be written: {file} or its folder is missing or another user's.",
            hint="Give both to the user of the gateway, and run every manage.py command as that user.",
            id="events.E002",
        )
        for alias, database in settings.DATABASES.items()
        if database["ENGINE"].endswith("sqlite3") and (file := Path(database["NAME"]))
        # SQLite makes the files of its write-ahead log beside it.
        if not os.access(file.parent, os.W_OK) or (file.exists() and not os.access(file, os.W_OK))
    ]


@checks.register(checks.Tags.security)
def webhook_secret_is_long(**_: Any) -> list[checks.CheckMessage]:
    """Check that the secret cannot be guessed. Webhooks need a publishing credential as well."""
    secret = settings.EVENTS_VOIPBIN_WEBHOOK_SECRET
    if not 0 < len(secret) < SECRET_MIN_CHARACTERS:
        return []
    return [
        checks.Warning(
            f"VOIPBIN_WEBHOOK_SECRET has fewer than {SECRET_MIN_CHARACTERS} characters: it can be guessed.",
            hint="Set a longer one, here and in VoIPBIN.",
            id="events.W005",
        )
    ]
