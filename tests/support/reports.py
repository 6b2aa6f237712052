"""What a failed test shows beside its own words: the logs of the processes and the pages that it used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SHOWN_LINES = 150
_EVIDENCE = pytest.StashKey[list[Callable[[], str]]]()


@contextmanager
def shown_on_failure(node: pytest.Item | pytest.Collector, evidence: Callable[[], str]) -> Iterator[None]:
    """Meanwhile, show what `evidence()` says with each failed test of `node`, one test or a file of them."""
    said = node.stash.setdefault(_EVIDENCE, [])
    said.append(evidence)
    try:
        yield
    finally:
        said.remove(evidence)


def end_of_log(log: Path) -> str:
    """The last lines of a log, under its path."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else ["(nothing was written)"]
    return "\n".join([f"{log}:", *lines[-_SHOWN_LINES:]])


def add_evidence(item: pytest.Item, report: pytest.TestReport) -> None:
    """Complete a failure's report."""
    if report.failed:
        report.sections.extend(("evidence", said) for said in _said_of(item))


def _said_of(item: pytest.Item) -> Iterator[str]:
    for node in item.listchain():
        for evidence in node.stash.get(_EVIDENCE, []):
            try:
                yield evidence()
            except Exception as error:
                # The test's own failure matters more.
                yield f"no evidence: {error!r}"
