"""The registry of processes and live connections in the database.

Leases use the database's clock, so that the clocks of the machines need not agree.
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

from events.database.direct_sql import insert_or_update_rows
from subscriptions.models import CloseOrder, GatewayProcess, LiveConnection
from subscriptions.presence.pending_changes import ConnectionStats

ORDERS_KEPT = timedelta(hours=1)
ROWS_AT_ONCE = 500
MAX_LAGGING = 5000


@dataclass(frozen=True, slots=True)
class Report:
    """What a process stores with one beat.

    `rows` are to be written, the ids in `gone` to be deleted; `count` is the number of all connections. `stats` are by
    the hex of the connections' ids, without those that are all 0; `None` leaves the stored ones. `state` is a
    `ProcessState` as JSON.
    """

    rows: Sequence[LiveConnection]
    gone: Collection[uuid.UUID]
    stats: Mapping[str, ConnectionStats] | None
    count: int
    state: str = "{}"


class ProcessEntry:
    """The row of this process, valid for `lease` after each report."""

    def __init__(self, lease: timedelta) -> None:
        self.process_id = uuid.uuid4()
        self._lease = lease
        self._started_at = timezone.now()
        self._is_stored = False
        self._stats = "{}"

    def save(self, report: Report) -> bool:
        """Renew the lease and store the report, in one query if only the stats have changed.

        Returns `False` if the row of this process was deleted: the next report must contain all connections.
        """
        fields: dict[str, Any] = {
            "lease_ends_at": Now() + self._lease,
            "connections": report.count,
            "state": report.state,
        }
        stats = self._stats
        if report.stats is not None:
            stats = json.dumps(report.stats, separators=(",", ":"))
        if stats != self._stats or not self._is_stored:
            fields["figures"] = stats
        if self._is_stored and not report.rows and not report.gone:
            is_known = self._renew(fields)
        else:
            with transaction.atomic():
                is_known = self._renew(fields) if self._is_stored else self._store(fields)
                if is_known:
                    _store_rows(report)
        self._is_stored = is_known
        self._stats = stats
        return is_known

    def delete(self) -> None:
        """Delete the process and its connections."""
        GatewayProcess.objects.filter(pk=self.process_id).delete()

    def _renew(self, fields: Mapping[str, Any]) -> bool:
        return bool(GatewayProcess.objects.filter(pk=self.process_id).update(**fields))

    def _store(self, fields: Mapping[str, Any]) -> bool:
        name = f"{socket.gethostname()[:100]}, process {os.getpid()}"
        made = GatewayProcess(id=self.process_id, name=name, started_at=self._started_at, **fields)
        # The row may exist: the outcome of a commit is not always known.
        GatewayProcess.objects.bulk_create(
            [made], update_conflicts=True, unique_fields=["id"], update_fields=list(fields)
        )
        return True


def _store_rows(report: Report) -> None:
    fields = LiveConnection._meta.concrete_fields
    changing = [field.column for field in fields if field.column and not field.primary_key]
    insert_or_update_rows(report.rows, unique=["id"], changed=changing)
    gone = list(report.gone)
    for start in range(0, len(gone), ROWS_AT_ONCE):
        LiveConnection.objects.filter(pk__in=gone[start : start + ROWS_AT_ONCE]).delete()


def sweep() -> None:
    """Delete the rows of crashed processes, and close orders that every process has read."""
    GatewayProcess.objects.filter(lease_ends_at__lt=Now()).delete()
    CloseOrder.objects.filter(given_at__lt=timezone.now() - ORDERS_KEPT).delete()


def live(connections: QuerySet[LiveConnection]) -> QuerySet[LiveConnection]:
    """Filter the connections whose processes are alive."""
    return connections.filter(process__lease_ends_at__gt=Now())


def lagging() -> list[uuid.UUID]:
    """Return the ids of connections with queued bytes or lag, at most MAX_LAGGING."""
    found: list[uuid.UUID] = []
    for text in GatewayProcess.objects.filter(lease_ends_at__gt=Now()).values_list("figures", flat=True):
        for name, (_, *late) in json.loads(text).items():
            if any(late):
                found.append(uuid.UUID(name))
    return found[:MAX_LAGGING]


def stats_of(connections: Iterable[LiveConnection]) -> dict[uuid.UUID, ConnectionStats]:
    """Return the last stored stats of these connections; those without any are missing."""
    wanted: dict[uuid.UUID, set[str]] = {}
    for connection in connections:
        wanted.setdefault(connection.process_id, set()).add(connection.pk.hex)
    found: dict[uuid.UUID, ConnectionStats] = {}
    stored = GatewayProcess.objects.filter(pk__in=list(wanted)).values_list("pk", "figures")
    for process_id, text in stored:
        stats = json.loads(text)
        for name in wanted[process_id] & stats.keys():
            found[uuid.UUID(name)] = ConnectionStats(*stats[name])
    return found
