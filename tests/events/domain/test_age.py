"""Ages in settings and commands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.domain.age import InvalidAge, parse_age


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("30s", timedelta(seconds=30)),
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("4w", timedelta(weeks=4)),
    ],
)
def test_an_age_has_a_unit(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "30", "d", "0s", "-1d", "1.5h", "1y", "3652501d", "9999999w", "1 d"])
def test_what_is_no_age_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(
        InvalidAge, match="is no age: write a whole number above zero and a unit, such as 30d"
    ):
        parse_age(text)
