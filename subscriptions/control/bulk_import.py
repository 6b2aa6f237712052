"""Bulk import of rows from JSON lines or CSV: errors by line, stored in groups."""

from __future__ import annotations

import csv
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import transaction

from events.domain.strict_json import InvalidJson, decode
from subscriptions.control.access_keys import AccessKeys
from subscriptions.control.agents import Agents
from subscriptions.control.controller import Controller, FieldProblem, Missing, NotPermitted, Refused
from subscriptions.control.named_rows import find_by_name, ids_of_queues
from subscriptions.control.opt_outs import OptOuts
from subscriptions.control.resource import Resource
from subscriptions.control.tenants import Customers, Queues

MAX_IMPORT_BYTES = 8 * 2**20
"""The largest file over HTTP."""

LINES_AT_ONCE = 500
"""Lines that are stored together or not at all."""

MAX_ERRORS = 1000
RESOURCES: Mapping[str, Resource] = {
    "customer": Customers(),
    "queue": Queues(),
    "agent": Agents(),
    "access_key": AccessKeys(),
    "opt_out": OptOuts(),
}
_LISTS = ("queue_ids", "granted_resources", "allowed_topics")
_LISTS_OF_NAMES = ("queue_names", "teams")


class LineProblem(NamedTuple):
    """Why a line is refused; `line` counts from 1."""

    line: int
    field: str
    message: str


class NewSecret(NamedTuple):
    """What is shown once of a row that a line created: an access key, a link.

    `name` is a key's label or an agent's user name. `shown` are the fields of the control API.
    """

    line: int
    id: str
    name: str
    shown: Mapping[str, str]

    @property
    def text(self) -> str:
        """The link, or the key of a program."""
        return self.shown.get("invitation_link") or self.shown.get("link") or self.shown["secret"]

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {"line": self.line, "id": self.id, "name": self.name, **self.shown}


@dataclass
class Report:
    """The result of an import.

    `counts` are lines by outcome; `not_stored` were correct, in a group with errors.
    """

    counts: Counter[str] = field(default_factory=Counter)
    errors: list[LineProblem] = field(default_factory=list)
    secrets: list[NewSecret] = field(default_factory=list)


class _Undo(Exception):
    """Rolls a transaction back."""


def import_lines(controller: Controller, text: str, *, dry_run: bool, origin: str = "/") -> Report:
    """Create or replace the row of each line, as PUT does.

    Each LINES_AT_ONCE lines are stored together, or none of them if one is refused. A dry run stores nothing. Links
    begin with `origin`, the gateway's URL with a slash at its end.
    """
    report = Report()
    try:
        # All groups of a dry run are undone together, so that later ones find the rows of earlier ones.
        with transaction.atomic() if dry_run else nullcontext():
            rows = list(_rows_of(text))
            for first in range(0, len(rows), LINES_AT_ONCE):
                group = rows[first : first + LINES_AT_ONCE]
                _import_group(controller, group, report, dry_run=dry_run, origin=origin)
            if dry_run:
                raise _Undo
    except _Undo:
        report.secrets.clear()
    return report


def _import_group(
    controller: Controller, group: Iterable[tuple[int, Any]], report: Report, *, dry_run: bool, origin: str
) -> None:
    counts: Counter[str] = Counter()
    errors: list[LineProblem] = []
    secrets: list[NewSecret] = []
    try:
        with controller.change():
            for line, content in group:
                try:
                    resource, pk, values = _addressed(controller, content)
                    stored = resource.put(controller, pk, values)
                except (Refused, Missing, NotPermitted) as error:
                    errors += (LineProblem(line, *each) for each in _problems(error))
                    counts["failed"] += 1
                else:
                    counts[stored.outcome.value] += 1
                    if stored.secret is not None:
                        shown = resource.shown_once(stored.row, stored.secret, origin)
                        name = values.get("username") or values.get("label", "")
                        secrets.append(NewSecret(line, str(stored.row.pk), name, shown))
            # A dry run goes on with the rows that later lines refer to.
            if errors and not dry_run:
                raise _Undo
    except _Undo:
        counts = Counter(failed=counts["failed"], not_stored=counts.total() - counts["failed"])
        secrets = []
    report.counts += counts
    report.errors += errors[: MAX_ERRORS - len(report.errors)]
    report.secrets += secrets


def _problems(error: Exception) -> Iterator[FieldProblem]:
    if isinstance(error, Refused):
        yield from error.problems
    elif isinstance(error, Missing):
        yield FieldProblem("id", "there is nothing with this id for you")
    else:
        yield FieldProblem("resource", str(error))


def _addressed(controller: Controller, content: Any) -> tuple[Resource, str, dict[str, Any]]:
    if isinstance(content, Refused):
        raise content
    if not isinstance(content, dict):
        raise Refused(FieldProblem("", "write a JSON object on each line"))
    values = dict(content)
    kind, pk = values.pop("resource", None), values.pop("number" if "number" in values else "id", None)
    resource = RESOURCES.get(kind) if isinstance(kind, str) else None
    if resource is None:
        raise Refused(FieldProblem("resource", f"write one of {', '.join(RESOURCES)}"))
    if pk is None and kind in ("agent", "queue"):
        pk = find_by_name(controller, kind, values) or str(uuid.uuid4())
    if not isinstance(pk, str):
        name = "number" if kind == "opt_out" else "id"
        raise Refused(FieldProblem(name, "this field is needed, as a text"))
    if kind == "agent" and "queue_names" in values:
        values["queue_ids"] = ids_of_queues(controller, values)
    return resource, pk, values


def _rows_of(text: str) -> Iterator[tuple[int, Any]]:
    """Yield the content of each line with its number; a Refused for one that cannot be read."""
    if not text.lstrip("\ufeff \r\n").startswith("{"):
        yield from _csv_rows(text)
        return
    for number, line in enumerate(text.lstrip("\ufeff").split("\n"), start=1):
        if line.strip():
            try:
                yield number, decode(line)
            except InvalidJson as error:
                yield number, Refused(FieldProblem("", f"this is no JSON: {error}"))


def _csv_rows(text: str) -> Iterator[tuple[int, Any]]:
    reader = csv.DictReader(text.lstrip("\ufeff").splitlines(), strict=True)
    try:
        for row in reader:
            if None in row:
                yield reader.line_num, Refused(FieldProblem("", "there are more cells than columns"))
                continue
            # An empty cell counts as left out.
            yield reader.line_num, {n: _cell(n, v) for n, v in row.items() if v not in (None, "")}
    except csv.Error as error:
        yield reader.line_num, Refused(FieldProblem("", f"this is no CSV: {error}"))


def _cell(name: str, value: str) -> str | list[str]:
    """Return the value of a cell: a list, if the column has lists.

    They are separated by spaces, and names, which have spaces, by semicolons.
    """
    if name in _LISTS_OF_NAMES:
        return [each.strip() for each in value.split(";") if each.strip()]
    return value.split() if name in _LISTS else value
