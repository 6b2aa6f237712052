"""Lines of CSV whose cells every spreadsheet takes for text and none for a formula.

Sans-I/O.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet calculate a cell (OWASP, CSV Injection); the last four are the full-width forms."""


def cell(text: str) -> str:
    """The text as a cell: with an apostrophe before it where it would be taken for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_BEGINS) else text


def lines(rows: Iterable[Iterable[str]]) -> str:
    """Rows as CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows([cell(each) for each in row] for row in rows)
    return text.getvalue()
