"""Whether this process lives (`/healthz`) and should be given clients (`/readyz`), for load balancers and operators."""

from __future__ import annotations

import asyncio
from typing import Any

from django.db import Error as DatabaseTrouble
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from events.threads import in_database_thread
from subscriptions.runtime import runtime

DATABASE_SECONDS = 2.0
"""How long the database may take to answer before the process counts as not ready."""


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 (Django gives it)
    """200 while the process answers at all."""
    return JsonResponse({"status": "alive"})


@require_safe
async def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 (Django gives it)
    """200 with the state of each part, or 503 with the reason where new clients had better go elsewhere.

    A silent channel layer is told and is no such reason: events are read from the log meanwhile.
    """
    process = runtime()
    database = await _database_trouble()
    parts: dict[str, Any] = {
        "database": {"ok": not database, "reason": database},
        "draining": {
            "ok": not process.is_draining,
            "reason": "the process is stopping" if process.is_draining else "",
        },
        "channel_layer": {
            "ok": not process.hub.lagging,
            "reason": "silent: the log is read instead" if process.hub.lagging else "",
        },
    }
    ready = parts["database"]["ok"] and parts["draining"]["ok"]
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


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
