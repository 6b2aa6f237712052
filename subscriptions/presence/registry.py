"""Live connections as the database has them: a process's entry with its lease, what it tells, and reading it.

Leases are of the database's clock, so that no two machines' clocks have to agree.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from subscriptions.models import CloseOrder, GatewayProcess, LiveConnection
from subscriptions.presence.pending_changes import ConnectionStats

ORDERS_KEPT = timedelta(hours=1)
ROWS_AT_ONCE = 500
MOST_BEHIND = 5000


@dataclass(frozen=True, slots=True)
class Report:
    """What a process tells: connections that are new or changed, those that are gone, and how many there are.

    `figures` are those of all connections that have any, by the hex of their ids; none: as they were told last.
    `state` is how the process does; `ProcessState` as JSON.
    """

    rows: Sequence[LiveConnection]
    gone: Collection[uuid.UUID]
    figures: Mapping[str, ConnectionStats] | None
    count: int
    state: str = "{}"


class ProcessEntry:
    """This process in the database, for `lease` after each time that it told something."""

    def __init__(self, lease: timedelta) -> None:
        self.process_id = uuid.uuid4()
        self._lease = lease
        self._started_at = timezone.now()
        self._is_stored = False
        self._figures = "{}"

    def tell(self, news: Report) -> bool:
        """Renew the lease and store the news, in one query where nothing but the figures is new.

        Returns whether the database still had this process: if not, the next news must be of everything.
        """
        fields: dict[str, Any] = {
            "lease_ends_at": Now() + self._lease,
            "connections": news.count,
            "state": news.state,
        }
        figures = self._figures
        if news.figures is not None:
            figures = json.dumps(news.figures, separators=(",", ":"))
        if figures != self._figures or not self._is_stored:
            fields["figures"] = figures
        if self._is_stored and not news.rows and not news.gone:
            is_known = self._renew(fields)
        else:
            with transaction.atomic():
                is_known = self._renew(fields) if self._is_stored else self._store(fields)
                if is_known:
                    _store_rows(news)
        self._is_stored = is_known
        self._figures = figures
        return is_known

    def delete(self) -> None:
        """Take it all back."""
        GatewayProcess.objects.filter(pk=self.process_id).delete()

    def _renew(self, fields: Mapping[str, Any]) -> bool:
        return bool(GatewayProcess.objects.filter(pk=self.process_id).update(**fields))

    def _store(self, fields: Mapping[str, Any]) -> bool:
        name = f"{socket.gethostname()[:100]}, process {os.getpid()}"
        made = GatewayProcess(id=self.process_id, name=name, started_at=self._started_at, **fields)
        # It may be there: whether a commit came through is not always known.
        GatewayProcess.objects.bulk_create(
            [made], update_conflicts=True, unique_fields=["id"], update_fields=list(fields)
        )
        return True


def _store_rows(news: Report) -> None:
    changing = [field.name for field in LiveConnection._meta.concrete_fields if not field.primary_key]
    LiveConnection.objects.bulk_create(
        news.rows, update_conflicts=True, unique_fields=["id"], update_fields=changing
    )
    gone = list(news.gone)
    for start in range(0, len(gone), ROWS_AT_ONCE):
        LiveConnection.objects.filter(pk__in=gone[start : start + ROWS_AT_ONCE]).delete()


def sweep() -> None:
    """Delete what processes left behind that ended without a word, and orders that every process has seen."""
    GatewayProcess.objects.filter(lease_ends_at__lt=Now()).delete()
    CloseOrder.objects.filter(given_at__lt=timezone.now() - ORDERS_KEPT).delete()


def live(connections: QuerySet[LiveConnection]) -> QuerySet[LiveConnection]:
    """Those of them whose processes are alive."""
    return connections.filter(process__lease_ends_at__gt=Now())


def behind() -> list[uuid.UUID]:
    """The connections for which something waits or is still to come, the first of them."""
    found: list[uuid.UUID] = []
    for text in GatewayProcess.objects.filter(lease_ends_at__gt=Now()).values_list("figures", flat=True):
        for name, (_, *late) in json.loads(text).items():
            if any(late):
                found.append(uuid.UUID(name))
    return found[:MOST_BEHIND]


def figures_of(connections: Iterable[LiveConnection]) -> dict[uuid.UUID, ConnectionStats]:
    """The figures of these connections, as their processes last told them; those without any are missing."""
    wanted: dict[uuid.UUID, set[str]] = {}
    for connection in connections:
        wanted.setdefault(connection.process_id, set()).add(connection.pk.hex)
    found: dict[uuid.UUID, ConnectionStats] = {}
    stored = GatewayProcess.objects.filter(pk__in=list(wanted)).values_list("pk", "figures")
    for process_id, text in stored:
        figures = json.loads(text)
        for name in wanted[process_id] & figures.keys():
            sent, waiting, stuck, behind = figures[name]
            found[uuid.UUID(name)] = (sent, waiting, stuck, behind)
    return found
