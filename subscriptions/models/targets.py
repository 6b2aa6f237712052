"""Targets of service: fields of a queue, and of its customer as their defaults."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext


class Target(NamedTuple):
    """A target: its default, the range that is accepted, and its meaning."""

    default: int
    least: int
    most: int
    label: str
    meaning: str


TARGETS: Mapping[str, Target] = {
    "target_seconds": Target(20, 1, 86_400, "answer within", "Seconds in which a caller should be answered."),
    "target_percent": Target(80, 1, 100, "share to answer in time", "Per cent of the callers."),
    "wait_alarm_seconds": Target(
        60, 1, 86_400, "wait alarm after", "Seconds after which a wait is too long."
    ),
    "short_abandon_seconds": Target(
        5, 0, 3600, "short abandon", "Seconds of waiting below which a caller who gives up does not count."
    ),
    "wrap_up_seconds": Target(
        0, 0, 3600, "wrap-up", "Seconds that an agent has after a call, before the next one. 0 for none."
    ),
}

DefaultTarget: TypeAlias = "models.PositiveIntegerField[int, int]"
OwnTarget: TypeAlias = "models.PositiveIntegerField[int | None, int | None]"


def default_target(name: str) -> DefaultTarget:
    """Return a customer's field of this target."""
    target = TARGETS[name]
    return models.PositiveIntegerField(
        target.label,
        # In a form, empty means the default.
        blank=True,
        default=target.default,
        db_default=target.default,
        validators=[MinValueValidator(target.least), MaxValueValidator(target.most)],
        help_text=f"{target.meaning} For all queues without an own value.",
    )


def own_target(name: str) -> OwnTarget:
    """Return a queue's field of this target."""
    target = TARGETS[name]
    return models.PositiveIntegerField(
        target.label,
        null=True,
        blank=True,
        validators=[MinValueValidator(target.least), MaxValueValidator(target.most)],
        help_text=f"{target.meaning} Empty for the customer's value.",
    )


def validate_time_zone(name: str) -> None:
    """Check that this is the name of a time zone (IANA).

    Raises:
        ValidationError: It is not.
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ValidationError(
            gettext("%(name)s is no known time zone: write a name such as Europe/Berlin or America/New_York"),
            params={"name": name},
        ) from None
