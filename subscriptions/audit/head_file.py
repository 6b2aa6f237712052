"""The result of the last verification of the audit log, in a file outside the database."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from subscriptions.audit.chain import End

_END = re.compile(r"(0|[1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class LastVerification:
    """When the log was verified, in seconds since 1970, and the number of problems.

    `head` is the chain's head when it was last whole, `None` if it never was.
    """

    at: float
    problems: int
    head: End | None


def parse_end(text: str) -> End | None:
    """Read a head as it is printed: a number, a colon and 64 hex digits.

    Returns `None` if the text is no head.
    """
    parts = _END.fullmatch(text)
    return End(int(parts[1]), parts[2]) if parts else None


def read_last() -> LastVerification | None:
    """Return the last verification, or `None` if there is no readable file."""
    try:
        content = json.loads(Path(settings.AUDIT_HEAD_FILE).read_text())
        head = content["head"] and parse_end(content["head"])
        return LastVerification(float(content["at"]), int(content["problems"]), head or None)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_last(last: LastVerification) -> None:
    """Store the verification; other processes see the old file or the new one, never a part.

    Raises:
        OSError: The file cannot be written.
    """
    path = Path(settings.AUDIT_HEAD_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    head = str(last.head) if last.head else None
    new.write_text(json.dumps({"at": last.at, "problems": last.problems, "head": head}))
    new.replace(path)
