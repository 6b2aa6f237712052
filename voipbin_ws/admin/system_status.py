"""The system status on the admin's front page, for platform operators and for customers."""

# Long because all figures of the state of the system stand in one place.

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize, number_format
from django.utils.translation import gettext, ngettext

from events.database.stored_times import CLOCK_DIFFERENCE, first_number
from events.hooks import Operator
from events.models import Event
from events.quantities import age_text, moment_text
from subscriptions.models import AuditRecord, AuditVerdict, GatewayProcess, LiveConnection
from subscriptions.presence.process_status import ProcessState, Trouble
from subscriptions.presence.registry import live

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
TROUBLES_SHOWN = 10
LATE_SECONDS = 10.0
SLOW_DATABASE_SECONDS = 0.5
LONG_AUDIT_QUEUE = 1000


@dataclass(frozen=True, slots=True)
class Tile:
    """A number with its name, meaning and link. `severity` is `good`, `warn`, `bad` or empty."""

    name: str
    value: str
    note: str = ""
    severity: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process as its database row describes it."""

    name: str
    started_at: dt.datetime
    reported_seconds_ago: float
    """Seconds since the process last updated its row."""
    is_alive: bool
    connections: int
    state: ProcessState

    @property
    def label(self) -> tuple[str, str]:
        """The status in a word, with its severity."""
        if not self.is_alive:
            return gettext("gone"), "bad"
        if self.state.is_draining:
            return gettext("stopping"), "quiet"
        if self.state.late_seconds >= LATE_SECONDS:
            return gettext("late"), "bad"
        return (
            (gettext("without the layer"), "warn")
            if self.state.silent_seconds
            else (gettext("serving"), "good")
        )


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """The content of the front page."""

    tiles: list[Tile]
    processes: list[ProcessRow] = field(default_factory=list)
    troubles: list[tuple[dt.datetime, str, Trouble]] = field(default_factory=list)
    """Time, process and trouble, newest first."""


def system_status(operator: Operator) -> SystemStatus | None:
    """Return the status that this operator may see, or `None`."""
    if operator.is_platform:
        return _platform_status()
    return None if operator.customer_id is None else _customer_status(operator.customer_id)


# --- Who runs the platform ---


def _platform_status() -> SystemStatus:
    start = time.perf_counter()
    processes = _processes()
    database_seconds = time.perf_counter() - start
    alive = [process for process in processes if process.is_alive]
    tiles = [
        _connections(sum(process.connections for process in alive)),
        _events(Event.objects.all()),
        Tile(
            gettext("Deliveries in the last minute"),
            localize(round(sum(process.state.deliveries_a_minute for process in alive))),
            gettext("events given to clients"),
        ),
        _lag(alive),
        _layer(alive),
        _database(database_seconds),
        _audit_queue(alive),
        _refusals(AuditRecord.objects.all()),
    ]
    return SystemStatus(tiles, processes, _troubles(alive))


def _processes() -> list[ProcessRow]:
    rows = []
    for process in GatewayProcess.objects.annotate(now=Now()).defer("figures").order_by("name", "started_at"):
        state = ProcessState.from_json(process.state)
        left = (process.lease_ends_at - process.now).total_seconds()
        rows.append(
            ProcessRow(
                name=process.name,
                started_at=process.started_at,
                reported_seconds_ago=max(0.0, state.lease_seconds - left),
                is_alive=left > 0,
                connections=process.connections,
                state=state,
            )
        )
    return rows


def _troubles(processes: Iterable[ProcessRow]) -> list[tuple[dt.datetime, str, Trouble]]:
    found = [
        (dt.datetime.fromtimestamp(trouble.at, dt.UTC), process.name, trouble)
        for process in processes
        for trouble in process.state.troubles
    ]
    return sorted(found, key=lambda each: each[0], reverse=True)[:TROUBLES_SHOWN]


def _lag(processes: list[ProcessRow]) -> Tile:
    late = max((process.state.late_seconds for process in processes), default=0.0)
    events = sum(process.state.late_events for process in processes)
    if not events:
        return Tile(
            gettext("Behind the log"), gettext("nothing"), gettext("every stored event was delivered"), "good"
        )
    severity = "bad" if late >= LATE_SECONDS else "warn"
    return Tile(
        gettext("Behind the log"),
        ngettext("{count} event", "{count} events", events).format(count=localize(events)),
        gettext("the first for {seconds} s").format(seconds=localize(round(late))),
        severity,
    )


def _layer(processes: list[ProcessRow]) -> Tile:
    silent = [process for process in processes if process.state.silent_seconds]
    if silent:
        note = gettext("events come every {seconds} s, from the log").format(
            seconds=number_format(f"{settings.CHECK_INTERVAL_SECONDS:g}")
        )
        return Tile(
            gettext("Channel layer"),
            gettext("silent for {count} of {whole}").format(
                count=localize(len(silent)), whole=localize(len(processes))
            ),
            note,
            "bad",
        )
    if settings.REDIS_URL:
        return Tile(gettext("Channel layer"), gettext("connected"), gettext("in every process"), "good")
    if len(processes) > 1:
        note = gettext("no REDIS_URL: processes read each other's events every {seconds} s").format(
            seconds=number_format(f"{settings.CHECK_INTERVAL_SECONDS:g}")
        )
        return Tile(gettext("Channel layer"), gettext("in memory"), note, "warn")
    return Tile(gettext("Channel layer"), gettext("in memory"), gettext("good for one process"))


def _database(seconds: float) -> Tile:
    severity = "warn" if seconds > SLOW_DATABASE_SECONDS else "good"
    return Tile(
        gettext("Database"),
        f"{localize(round(seconds * 1000))} ms",
        gettext("{database} answers").format(database=connection.display_name),
        severity,
    )


def _audit_queue(processes: list[ProcessRow]) -> Tile:
    waiting = sum(process.state.audit_waiting for process in processes)
    if lost := sum(process.state.audit_lost for process in processes):
        return Tile(
            gettext("Audit log"),
            gettext("{count} lost").format(count=localize(lost)),
            gettext("and {count} waiting to be stored").format(count=localize(waiting)),
            "bad",
        )
    severity = "warn" if waiting > LONG_AUDIT_QUEUE else "good"
    return Tile(
        gettext("Audit log"),
        gettext("{count} waiting").format(count=localize(waiting)),
        gettext("records that are not stored yet"),
        severity,
    )


# --- A customer's own ---


def _customer_status(customer_id: Any) -> SystemStatus:
    own = {"customer_id": customer_id}
    connections = live(LiveConnection.objects.filter(**own, is_platform_staff=False)).count()
    events = Event.objects.filter(**own)
    # By number, which has an index for each customer.
    recent = events.filter(seq__gte=first_number(customer_id, timezone.now() - MINUTE - CLOCK_DIFFERENCE))
    last = events.order_by("-seq").values_list("stored_at", flat=True).first()
    return SystemStatus(
        [
            _connections(connections),
            _events(recent),
            Tile(
                gettext("Last event"),
                _time_since(last),
                moment_text(last) if last else gettext("none is kept"),
            ),
            _refusals(AuditRecord.objects.filter(**own)),
        ]
    )


# --- Both ---


def _connections(count: int) -> Tile:
    url = reverse("admin:subscriptions_liveconnection_changelist")
    return Tile(
        gettext("Connections"), localize(count), gettext("open WebSockets and event streams"), url=url
    )


def _events(events: Any) -> Tile:
    count = events.filter(stored_at__gt=timezone.now() - MINUTE).count()
    url = reverse("admin:events_event_changelist")
    return Tile(
        gettext("Events in the last minute"), localize(count), gettext("published and stored"), url=url
    )


def _refusals(records: Any) -> Tile:
    refused = records.filter(verdict=AuditVerdict.REFUSED, at__gt=timezone.now() - HOUR)
    count = refused.aggregate(total=Sum("count", default=0))["total"]
    url = reverse("admin:subscriptions_auditrecord_changelist") + "?verdict__exact=refused"
    return Tile(
        gettext("Refused in the last hour"), localize(count), gettext("connections and topics"), url=url
    )


def _time_since(moment: dt.datetime | None) -> str:
    if moment is None:
        return "—"
    return gettext("{time} ago").format(time=age_text(timezone.now() - moment))
