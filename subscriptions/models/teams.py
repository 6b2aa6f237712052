"""The teams of an agent: short names, compared without case.

The admin form, the control API and the import use the same checks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

MAX_TEAMS = 20
MAX_TEAM_CHARACTERS = 40
SEPARATORS = ",;"
"""Between names in the admin form and in CSV, and so in no name."""


def validate_teams(value: object) -> None:
    """Check the teams of an agent.

    Raises:
        ValidationError: It is no list of different names of teams.
    """
    if not isinstance(value, list) or len(value) > MAX_TEAMS:
        raise ValidationError(_("Write a list of at most %(most)d teams."), params={"most": MAX_TEAMS})
    seen = set()
    for place, name in enumerate(value, 1):
        if not _is_name(name):
            raise ValidationError(
                _(
                    "Team %(place)d: write 1 to %(most)d characters of one line, without comma and semicolon, and "
                    "without spaces at the ends."
                ),
                params={"place": place, "most": MAX_TEAM_CHARACTERS},
            )
        if name.casefold() in seen:
            raise ValidationError(
                _("Team %(place)d: %(name)s is there twice."), params={"place": place, "name": name}
            )
        seen.add(name.casefold())


def _is_name(value: object) -> bool:
    return (
        isinstance(value, str)
        and 1 <= len(value) <= MAX_TEAM_CHARACTERS
        and value == value.strip()
        # PostgreSQL stores no NUL and no lone surrogate.
        and all(c not in SEPARATORS and unicodedata.category(c) not in ("Cc", "Cs") for c in value)
    )


def split_teams(text: str) -> list[str]:
    """Return the names in a text such as `Support, Night shift`."""
    return [name for part in text.replace(";", ",").split(",") if (name := part.strip())]


def names_of_teams(lists: Iterable[list[str]]) -> list[str]:
    """Return the names in these lists in their order, each in its first spelling."""
    names: dict[str, str] = {}
    for teams in lists:
        for name in teams:
            names.setdefault(name.casefold(), name)
    return [names[key] for key in sorted(names)]


def is_in_team(teams: Iterable[str], name: str) -> bool:
    """Return whether one of the teams has this name, in any case."""
    return name.casefold() in map(str.casefold, teams)


def teams_field() -> Any:
    """Return the field of an agent's teams."""
    return models.JSONField(
        _("teams"),
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        validators=[validate_teams],
        help_text=_("Names such as Support or Night shift, by which agents are found on the dashboard."),
    )
