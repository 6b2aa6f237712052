"""The warning that no connection can be accepted, because all files are open.

Neither server logs it: daphne's and uvicorn's event loops close such connections silently.
"""

from __future__ import annotations

import errno
import logging
import os
import resource

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0
"""Time between two warnings."""


class OpenFilesWarning:
    """Logs when the limit of open files is used up. `check` is called every few seconds."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    def check(self, now: float) -> None:
        """Try to open one more file; `now` is in seconds of a monotonic clock."""
        if now < self._silent_until:
            return
        try:
            os.close(os.dup(0))
        except OSError as error:
            if error.errno != errno.EMFILE:
                return
            self._silent_until = now + PAUSE_SECONDS
            limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            logger.error(
                "New connections are refused: all %d files that this process may open are open. "
                "Raise the limit (LimitNOFILE of systemd, ulimit -n), or add a process",
                limit,
            )
