"""Health of a process: `/healthz` says that it lives, `/readyz` that it can take clients."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from events.database.threads import in_database_thread
from subscriptions.connections.runtime import runtime
from subscriptions.presence.heartbeat import Presence
from voipbin_ws import __version__

LATE_SECONDS = 10.0
"""Seconds for which stored events may be missing here before `/readyz` reports it."""

DATABASE_SECONDS = 2.0
"""Seconds that the database may take to answer before the process counts as not ready."""

_query_task: asyncio.Task[None] | None = None


@require_safe
async def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 (Django gives it)
    """Return 200 with the version while the process answers at all."""
    return JsonResponse({"status": "alive", "version": __version__})


@require_safe
async def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 (Django gives it)
    """Return 200 with the state of each part, or 503 if new clients should go elsewhere.

    A silent channel layer is reported without 503, because events are then read from the log. So is a late log, which
    clients would find at every other process too.
    """
    process = runtime()
    silence, (events, late) = process.hub.layer.silence_seconds, process.hub.missing
    parts = {
        "database": _part(await _database_problem(process.presence)),
        "draining": _part(process.is_draining and "the process is stopping"),
        "channel_layer": _part(
            process.hub.layer.is_silent and f"silent for {silence:.0f} seconds: the log is read instead"
        ),
        "log": _part(
            late >= LATE_SECONDS
            and f"{events} events still have to be read, the first for {late:.0f} seconds"
        ),
    }
    ready = parts["database"]["ok"] and parts["draining"]["ok"]
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


def _part(reason: str | Literal[False]) -> dict[str, Any]:
    return {"ok": not reason, "reason": reason or ""}


async def _database_problem(presence: Presence) -> str:
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            await asyncio.shield(_running_query())
            await presence.has_beaten.wait()
    except TimeoutError:
        return f"no answer for {DATABASE_SECONDS:.0f} seconds"
    except DatabaseError as error:
        return f"it does not answer ({type(error).__name__})"
    return presence.write_problem and f"it answers, but takes no writes ({presence.write_problem})"


def _running_query() -> asyncio.Task[None]:
    """Return the query that runs, or a new one.

    Many requests while the database hangs take only one thread.
    """
    global _query_task
    loop = asyncio.get_running_loop()
    if _query_task is None or _query_task.done() or _query_task.get_loop() is not loop:
        _query_task = loop.create_task(in_database_thread(_query))
        _query_task.add_done_callback(lambda task: task.cancelled() or task.exception())
    return _query_task


def _query() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
