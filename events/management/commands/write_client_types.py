"""Write the types of the clients' packages from the catalogue of event types."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from events.event_types.client_types import python_types, typescript_types


class Command(BaseCommand):
    help = "Writes the agreed event types into clients/python and clients/javascript."

    def handle(self, *_: Any, **__: Any) -> None:
        clients = settings.BASE_DIR / "clients"
        (clients / "python/src/voipbin_ws_client/event_types.py").write_text(python_types())
        (clients / "javascript/types/event-types.d.ts").write_text(typescript_types())
