"""Ages in settings and commands, such as 30d."""

from __future__ import annotations

import re
from datetime import timedelta

_AGE = re.compile(r"([0-9]{1,7})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=36_500)


class InvalidAge(ValueError):
    """The text is not an age. The message has the format."""


def parse_age(text: str) -> timedelta:
    """Parse an age such as `30d`.

    Raises:
        InvalidAge: The text is not an age, or not above zero.
    """
    found = _AGE.fullmatch(text)
    age = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < age <= _LONGEST:
        raise InvalidAge(
            f"{text!r} is no age: write a whole number above zero and a unit, "
            "such as 30d (days), 12h (hours), 90m (minutes), 30s (seconds) or 4w (weeks), up to a hundred years"
        )
    return age
