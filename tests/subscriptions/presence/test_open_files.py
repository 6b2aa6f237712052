"""The warning that the limit of open files is used up: one line a minute, however long it lasts."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator

import pytest

from subscriptions.presence.open_files import PAUSE_SECONDS, OpenFilesWarning


@pytest.fixture
def _no_more_files() -> Iterator[None]:
    free = os.dup(0)
    os.close(free)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("_no_more_files")
def test_it_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    warning = OpenFilesWarning()
    for now in (100.0, 104.0, 100 + PAUSE_SECONDS - 0.1):
        warning.check(now)
    assert len(caplog.records) == 1
    warning.check(100 + PAUSE_SECONDS)
    assert len(caplog.records) == 2


def test_nothing_is_logged_while_there_are_files(caplog: pytest.LogCaptureFixture) -> None:
    OpenFilesWarning().check(100)
    assert caplog.records == []
