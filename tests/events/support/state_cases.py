"""The cases of state_cases.json, to which both folds are held: the gateway's and the pages'."""

from __future__ import annotations

import json
from typing import Any

from tests.support.processes import ROOT


def _expanded(content: dict[str, Any]) -> Any:
    """Return the text for which `{"repeat": …, "times": …}` stands."""
    return content["repeat"] * content["times"] if content.keys() == {"repeat", "times"} else content


CASES: list[dict[str, Any]] = json.loads(
    (ROOT / "tests/events/domain/state_cases.json").read_text(), object_hook=_expanded
)
