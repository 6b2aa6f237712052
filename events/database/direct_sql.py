"""Statements without the ORM's query building, for publishing, audit and credentials.

The statements are those of the ORM. Building one takes the ORM several times as long as the database takes to execute
it; docs/performance.md has the figures.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from django.db import connections, router
from django.db.models import AutoField, Field, Model

_AS_THEY_ARE = frozenset({"BigIntegerField", "BooleanField", "CharField", "TextField"})
"""Field types whose Python values both databases accept unchanged."""

M = TypeVar("M", bound=Model)


def find_rows(
    model: type[M], where: Mapping[str, Collection[Any]], *, lock: bool = False, skip_locked: bool = False
) -> list[M]:
    """Return the rows with one of these values in each column, ordered by the first column.

    `lock` locks the rows in that order until the end of the transaction; `skip_locked` leaves out those that another
    transaction has locked.
    """
    if not all(where.values()):
        return []
    database = connections[router.db_for_write(model) if lock else router.db_for_read(model)]
    shape = _shape(cast(Any, model), database.vendor)
    fields: list[Any] = [model._meta.get_field(name) for name in where]
    conditions = [
        f'"{field.column}" IN ({", ".join(["%s"] * len(values))})'
        for field, values in zip(fields, where.values(), strict=True)
    ]
    wanted = [
        field.get_db_prep_value(value, database)
        for field, values in zip(fields, where.values(), strict=True)
        for value in values
    ]
    # SQLite has no row locks: its transactions lock the database at their start.
    locking = " FOR UPDATE" if lock and database.features.has_select_for_update else ""
    if locking and skip_locked:
        locking += " SKIP LOCKED"
    statement = f'{shape.select} WHERE {" AND ".join(conditions)} ORDER BY "{fields[0].column}"{locking}'
    with database.cursor() as cursor:
        cursor.execute(statement, wanted)
        return [
            model.from_db(database.alias, shape.names, shape.read(row, database)) for row in cursor.fetchall()
        ]


def insert_rows(rows: Sequence[Model]) -> None:
    """Insert these rows of one model; values are not validated.

    Raises:
        django.db.DatabaseError: The database refuses a row.
    """
    if not rows:
        return
    database, shape = _of(rows)
    values = _values(shape.written, rows, database)
    with database.cursor() as cursor:
        if database.vendor == "postgresql" and len(rows) > 1:
            # COPY costs half of what INSERTs cost, and has one response to wait for.
            statement = f'COPY "{rows[0]._meta.db_table}" ({shape.columns}) FROM STDIN'
            with database.wrap_database_errors, cursor.copy(statement) as copy:
                for row in values:
                    copy.write_row(row)
        else:
            cursor.executemany(shape.insert, values)


def insert_or_update_rows(rows: Sequence[Model], *, unique: Sequence[str], changed: Sequence[str]) -> None:
    """Insert these rows, or update the `changed` columns of those with equal `unique` ones.

    Raises:
        django.db.DatabaseError: The database refuses a row.
    """
    if not rows:
        return
    keys = ", ".join(f'"{name}"' for name in unique)
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in changed)
    database, shape = _of(rows)
    with database.cursor() as cursor:
        cursor.executemany(
            f"{shape.insert} ON CONFLICT ({keys}) DO UPDATE SET {updates}",
            _values(shape.written, rows, database),
        )


def update_rows(rows: Sequence[Model], *, changed: Sequence[str]) -> None:
    """Update the `changed` columns of these existing rows.

    Raises:
        django.db.DatabaseError: The database refuses a row.
    """
    if not rows:
        return
    database, _ = _of(rows)
    meta = rows[0]._meta
    fields: list[Any] = [meta.get_field(name) for name in changed]
    updates = ", ".join(f'"{field.column}" = %s' for field in fields)
    # Names are our own models'; every value is a parameter.
    statement = f'UPDATE "{meta.db_table}" SET {updates} WHERE "{meta.pk.column}" = %s'  # noqa: S608
    with database.cursor() as cursor:
        cursor.executemany(statement, _values([*fields, meta.pk], rows, database))


def _of(rows: Sequence[Model]) -> tuple[Any, _Shape]:
    """Return the database into which these rows are written, and their shape."""
    model = type(rows[0])
    database = connections[router.db_for_write(model)]
    return database, _shape(cast(Any, model), database.vendor)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The prepared statements of a model, and the conversions of its values.

    `written` are the inserted fields: all but a primary key that the database generates.
    """

    select: str
    names: tuple[str, ...]
    converters: tuple[tuple[int, Any, Any], ...]
    written: tuple[Any, ...]
    columns: str
    insert: str

    def read(self, row: Sequence[Any], database: Any) -> Sequence[Any]:
        """Convert the values of a row to Python."""
        values = list(row)
        for place, convert, expression in self.converters:
            values[place] = convert(values[place], expression, database)
        return values


@cache
def _shape(model: Any, vendor: str) -> _Shape:
    database = next(each for each in connections.all() if each.vendor == vendor)
    table, fields = model._meta.db_table, model._meta.concrete_fields
    converters = []
    for place, field in enumerate(fields):
        expression = field.get_col(table)
        for convert in (*database.ops.get_db_converters(expression), *field.get_db_converters(database)):
            converters.append((place, convert, expression))
    written = tuple(field for field in fields if not isinstance(field, AutoField))
    columns = ", ".join(f'"{field.column}"' for field in written)
    # Names are our own models'; every value is a parameter.
    return _Shape(
        'SELECT {} FROM "{}"'.format(", ".join(f'"{field.column}"' for field in fields), table),  # noqa: S608
        tuple(field.attname for field in fields),
        tuple(converters),
        written,
        columns,
        f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join(["%s"] * len(written))})',  # noqa: S608
    )


def _values(fields: Sequence[Any], rows: Sequence[Model], database: Any) -> list[tuple[Any, ...]]:
    """Return the rows' values of these fields, prepared for the database."""
    columns = [_column(field, [getattr(row, field.attname) for row in rows], database) for field in fields]
    return list(zip(*columns, strict=True))


def _column(field: Field[Any, Any], values: list[Any], database: Any) -> list[Any]:
    if field.get_internal_type() in _AS_THEY_ARE:
        return values
    # Values repeat: each is prepared once.
    prepared = {value: field.get_db_prep_save(value, connection=database) for value in set(values)}
    return [prepared[value] for value in values]
