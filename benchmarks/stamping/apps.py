"""Records the mark and the time of each event between its commit and its announcement."""

from __future__ import annotations

import os
import re
import struct
import time
from collections.abc import Sequence

from django.apps import AppConfig

from events.announcements.announcer import Announcer
from events.domain.event import Entry

_MARK = re.compile(r"@@(\d{10})")


class StampingConfig(AppConfig):
    """Records the time in front of the announcer."""

    name = "benchmarks.stamping"

    def ready(self) -> None:
        stamps = os.open(os.environ["STAMPS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        announce = Announcer.announce

        def stamped(announcer: Announcer, customer_id: str, epoch: str, entries: Sequence[Entry]) -> None:
            now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            marks = [int(found[1]) for entry in entries if (found := _MARK.search(entry.tail))]
            announce(announcer, customer_id, epoch, entries)
            os.write(stamps, b"".join(struct.pack("<QQ", mark, now) for mark in marks))

        Announcer.announce = stamped  # type: ignore[assignment, method-assign]
