"""The settings of a customer's agent desktops, and their checks.

The admin form and the control API use the same checks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext

MAX_ENTRIES = 50
MAX_LABEL = 80
MAX_REPLY = 1600
"""Characters of a message, as `POST /v1.0/messages` accepts them."""

MAX_AWAY_MINUTES = 24 * 60
MAX_URL = 500
CODE_PATTERN = r"[a-z0-9][a-z0-9_-]{0,39}"
REPLY_VARIABLES = ("name", "number", "agent")
URL_VARIABLES = ("number", "call_id", "name")

_CODE = re.compile(CODE_PATTERN, re.ASCII)
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_SITE = re.compile(r"https?://[^\s/?#@\\{}]+(?=[/?#]|$)", re.IGNORECASE)

Check = Callable[[object], bool]


def _is_text(most: int, controls: str = "") -> Check:
    def check(value: object) -> bool:
        return (
            isinstance(value, str)
            and value.strip() != ""
            and len(value) <= most
            # PostgreSQL stores no NUL and no lone surrogate.
            and all(c in controls or unicodedata.category(c) not in ("Cc", "Cs") for c in value)
        )

    return check


def _is_code(value: object) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def _is_minutes(value: object) -> bool:
    return value is None or (type(value) is int and 1 <= value <= MAX_AWAY_MINUTES)


_CODE_FIELD = (_is_code, "1 to 40 lower-case letters, digits, _ and -")
_LABEL_FIELD = (_is_text(MAX_LABEL), f"1 to {MAX_LABEL} characters of one line")
_MINUTES_FIELD = (_is_minutes, f"whole minutes from 1 to {MAX_AWAY_MINUTES}, or null")
_REPLY_FIELD = (_is_text(MAX_REPLY, "\n"), f"1 to {MAX_REPLY} characters")
Fields = Mapping[str, tuple[Check, str]]


def validate_dispositions(value: object) -> None:
    """Check a list of dispositions.

    Raises:
        ValidationError: It is no list of `{"code": …, "label": …}`, or a code is repeated.
    """
    _check_entries(value, {"code": _CODE_FIELD, "label": _LABEL_FIELD})


def validate_away_reasons(value: object) -> None:
    """Check a list of reasons for being away.

    Raises:
        ValidationError: It is no list of `{"code": …, "label": …, "minutes": …}`, or a code is repeated.
    """
    _check_entries(value, {"code": _CODE_FIELD, "label": _LABEL_FIELD, "minutes": _MINUTES_FIELD})


def validate_quick_replies(value: object) -> None:
    """Check a list of quick replies.

    Raises:
        ValidationError: It is no list of `{"title": …, "text": …}`, a title is repeated, or a variable is unknown.
    """
    for place, entry in enumerate(_check_entries(value, {"title": _LABEL_FIELD, "text": _REPLY_FIELD}), 1):
        _check_variables(entry["text"], REPLY_VARIABLES, f"Entry {place}: ")


def validate_crm_url(value: str) -> None:
    """Check the template of a link.

    Raises:
        ValidationError: It is no address of http or https, or a variable is unknown or in the name of the site.
    """
    if not _SITE.match(value) or any(character.isspace() for character in value):
        raise ValidationError(
            gettext(
                "Write an address that begins with https:// or http://, with variables only after the site, such as "
                "https://crm.example.com/search?q={number}."
            )
        )
    _check_variables(value, URL_VARIABLES)


def _check_variables(text: str, known: Sequence[str], place: str = "") -> None:
    named = ", ".join(f"{{{name}}}" for name in known)
    for name in _VARIABLE.findall(text):
        if name not in known:
            raise ValidationError(
                place
                + gettext("{variable} is unknown: there are {known}.").format(
                    variable=f"{{{name}}}", known=named
                )
            )


def _check_entries(value: object, fields: Fields) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > MAX_ENTRIES:
        raise ValidationError(gettext("Write a list of at most {count} entries.").format(count=MAX_ENTRIES))
    key = next(iter(fields))
    seen = set()
    for place, entry in enumerate(value, 1):
        if not isinstance(entry, dict) or set(entry) != set(fields):
            raise ValidationError(
                gettext("Entry {number}: write an object with {fields}.").format(
                    number=place, fields=", ".join(fields)
                )
            )
        for name, (is_valid, form) in fields.items():
            if not is_valid(entry[name]):
                raise ValidationError(
                    gettext("Entry {number}: {name}: write {form}.").format(
                        number=place, name=name, form=form
                    )
                )
        if entry[key] in seen:
            raise ValidationError(
                gettext("Entry {number}: {name}: {value} is there twice.").format(
                    number=place, name=key, value=entry[key]
                )
            )
        seen.add(entry[key])
    return cast(list[dict[str, Any]], value)


def _entries(*, check: Callable[[object], None], name: str, text: str) -> Any:
    return models.JSONField(
        name,
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        validators=[check],
        help_text=text,
    )


class DeskSettings(models.Model):
    """What a customer sets for the desktops of its agents."""

    dispositions: Any = _entries(
        check=validate_dispositions,
        name="dispositions",
        text="How a call can have gone, for agents to choose from after it.",
    )
    away_reasons: Any = _entries(
        check=validate_away_reasons,
        name="reasons for being away",
        text="For agents to choose from, with the minutes after which they are expected back.",
    )
    quick_replies: Any = _entries(
        check=validate_quick_replies,
        name="quick replies",
        text="Texts that agents insert into a message. {name}, {number} and {agent} are replaced.",
    )
    crm_url = models.CharField(
        "link to the CRM",
        max_length=MAX_URL,
        blank=True,
        default="",
        db_default="",
        validators=[validate_crm_url],
        help_text="An address that agents open from a call. {number}, {call_id} and {name} are replaced.",
    )

    class Meta:
        abstract = True


DESK_FIELDS = ("dispositions", "away_reasons", "quick_replies", "crm_url")
