"""The gateway's database read and changed with the databases' own drivers, behind the gateway's back."""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import urlsplit

import psycopg


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What the statement selects."""
    if url.startswith("sqlite"):
        with sqlite3.connect(urlsplit(url).path, timeout=30) as database:
            return database.execute(statement).fetchall()
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def change(url: str, statement: str) -> None:
    """Carry out a statement that selects nothing."""
    if url.startswith("sqlite"):
        with sqlite3.connect(urlsplit(url).path, timeout=30) as database:
            database.execute(statement)
        return
    with psycopg.connect(url) as connection:
        connection.execute(statement)
