"""Export of the filtered audit log as a streamed CSV file."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from subscriptions.audit.store import canonical
from subscriptions.models import AuditRecord

ROWS_AT_ONCE = 500
COLUMNS = {
    "number": "position",
    "time (UTC)": "at",
    **{name: name for name in ("action", "verdict", "topic", "rule", "detail", "changes", "count")},
    "customer": "customer_name",
    "customer id": "customer_id",
    "agent": "agent_name",
    "agent id": "agent_id",
    **{name: name for name in ("credential", "address", "client")},
    "connection": "connection_id",
    **{name: name for name in ("cursor", "digest")},
}
"""The columns of the file, and the attributes of a record that they contain."""

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Characters that make a cell a formula (OWASP, CSV Injection), also in full width."""


def export(records: QuerySet[AuditRecord], model_admin: Any) -> StreamingHttpResponse:
    """Return the records as a file to download, newest first."""
    name = f"audit-{timezone.now():%Y%m%d-%H%M%S}.csv"
    return StreamingHttpResponse(
        _chunks(records.order_by("-pk"), model_admin),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _chunks(records: QuerySet[AuditRecord], model_admin: Any) -> Iterator[str]:
    # The mark makes spreadsheets read the file as UTF-8.
    yield "\N{BYTE ORDER MARK}" + lines([COLUMNS])
    last = None
    while rows := list((records if last is None else records.filter(pk__lt=last))[:ROWS_AT_ONCE]):
        model_admin.name_rows(rows)
        yield lines(_cells(row) for row in rows)
        last = rows[-1].pk


def _cells(row: Any) -> list[str]:
    return [_text(getattr(row, name)) for name in COLUMNS.values()]


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        # A form that spreadsheets read as a time: without a zone, and with milliseconds at most.
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ", "milliseconds")
    return canonical(value) or ""


def cell(text: str) -> str:
    """Return the text as a cell, with an apostrophe if it would be a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_BEGINS) else text


def lines(rows: Iterable[Iterable[str]]) -> str:
    """Encode rows as CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows([cell(each) for each in row] for row in rows)
    return text.getvalue()
