"""Arguments of the management commands, and their error if the database does not answer."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError

from events.domain.age import InvalidAge, parse_age
from events.domain.topics import is_canonical_uuid


def age(text: str) -> dt.timedelta:
    """Parse an age such as 30d.

    Raises:
        argparse.ArgumentTypeError: The text is not an age.
    """
    try:
        return parse_age(text)
    except InvalidAge as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def customer_id(text: str) -> str:
    """Parse the id of a customer.

    Raises:
        argparse.ArgumentTypeError: The text is not a UUID in canonical form.
    """
    if not is_canonical_uuid(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no UUID in lower case with dashes")
    return text


@contextmanager
def needs_database(advice: str = "") -> Iterator[None]:
    """End the command with an error message and advice if the database does not answer.

    Raises:
        CommandError: The database does not answer.
    """
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        raise CommandError(
            "\n".join(filter(None, [f"The database does not answer: {error}", advice]))
        ) from None


RUN_AGAIN = "What was removed so far is removed; run it again for the rest."
"""The advice of commands that delete."""
