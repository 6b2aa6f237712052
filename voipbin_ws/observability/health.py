"""Whether this process lives (`/healthz`) and should be given clients (`/readyz`), for load balancers and operators."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from django.db import Error as DatabaseTrouble
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from events.database.threads import in_database_thread
from subscriptions.connections.runtime import runtime
from voipbin_ws import __version__

LATE_SECONDS = 10.0
"""For how long events may be known to be missing here before it is told."""

DATABASE_SECONDS = 2.0
"""How long the database may take to answer before the process counts as not ready."""


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 (Django gives it)
    """Return 200 with the version while the process answers at all."""
    return JsonResponse({"status": "alive", "version": __version__})


@require_safe
async def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 (Django gives it)
    """200 with the state of each part, or 503 with the reason where new clients had better go elsewhere.

    A silent channel layer is told and is no such reason: events are read from the log meanwhile. Nor is being late with
    that, which clients that were sent away would have everywhere.
    """
    process = runtime()
    silence, (events, late) = process.hub.silence_seconds, process.hub.missing
    parts = {
        "database": _part(await _database_trouble()),
        "draining": _part(process.is_draining and "the process is stopping"),
        "channel_layer": _part(
            process.hub.lagging and f"silent for {silence:.0f} seconds: the log is read instead"
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


async def _database_trouble() -> str:
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            await in_database_thread(_ask)
    except TimeoutError:
        return f"no answer for {DATABASE_SECONDS:.0f} seconds"
    except DatabaseTrouble as error:
        return f"it does not answer ({type(error).__name__})"
    return ""


def _ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
