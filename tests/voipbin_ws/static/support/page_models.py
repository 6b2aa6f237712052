"""The pages' models in one Node process, which lives as long as the tests of a file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.programs import NODE
from tests.support.requirement import require

DRIVER = Path(__file__).with_name("page_driver.mjs")


class PageModels:
    """A Node process that computes states, boards and desks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(require(NODE)), str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def compute(self, commands: Sequence[dict[str, Any]]) -> list[Any]:
        """Return the answer to each command; see `page_driver.mjs`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(commands) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the driver failed: its error is on stderr"
        answers: list[Any] = json.loads(line)
        return answers

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()
