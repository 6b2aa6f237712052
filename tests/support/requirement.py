"""What a test does about a program that this machine lacks: skips, saying why, or fails where CI=true."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.programs import Program, demanded


def require(program: Program) -> Path:
    """Where `program` is."""
    found = program.find()
    if found is not None:
        return found
    reason = f"no {program.name} here: {program.by} {program.package}"
    if demanded():
        pytest.fail(f"{reason} (CI=true demands it)", pytrace=False)
    pytest.skip(reason)
