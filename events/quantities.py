"""Times, durations and sizes as the admin writes them, in the language of the operator.

Counts are written by `localize` of Django, or by the templates.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext

_SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
_DIGITS = 3
"""Of a size; its last ones are zeros otherwise."""


def moment_text(at: datetime) -> str:
    """Return a time in UTC to the second."""
    return f"{date_format(at, 'DATETIME_FORMAT')} UTC"


def age_text(age: timedelta) -> str:
    """Return a duration in its largest unit; a negative one as "0 s"."""
    seconds = max(0, int(age.total_seconds()))
    if days := seconds // 86400:
        return gettext("{days} d").format(days=number_format(days))
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def size_text(size: int) -> str:
    """Return a size in bytes for people, in decimal units and with three digits."""
    for unit, name in _SIZES:
        if size >= unit:
            whole = len(str(size // unit))
            value = round(size / unit, max(0, _DIGITS - whole))
            return f"{number_format(f'{value:.15g}')} {name}"
    return gettext("{count} bytes").format(count=size)
