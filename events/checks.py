"""System checks of the database and the webhook secret: whether stored events can be lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections

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
def commits_outlive_a_power_cut(databases: Sequence[str] | None, **_: Any) -> list[checks.CheckMessage]:
    """Check the database itself; runs with `check --database default` and before migrations."""
    found: list[checks.CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA journal_mode")
                if (mode := cursor.fetchone()[0]) != "wal":
                    found.append(
                        checks.Warning(
                            f"The SQLite file of {alias!r} is in journal mode {mode!r}, although WAL was requested.",
                            hint="Its file system cannot do it, as those of networks cannot: move it to a local disk.",
                            id="events.W003",
                        )
                    )
            elif connection.vendor == "postgresql":
                for name in ("fsync", "full_page_writes"):
                    cursor.execute(f"SHOW {name}")
                    if cursor.fetchone()[0] == "off":
                        found.append(
                            checks.Warning(
                                f"PostgreSQL of {alias!r} runs with {name} off: a power cut loses what was stored.",
                                hint=f"Set {name} = on in postgresql.conf.",
                                id="events.W004",
                            )
                        )
    return found


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
