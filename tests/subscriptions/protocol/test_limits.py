"""The limits of a connection are documented."""

from __future__ import annotations

import re
from dataclasses import fields

from subscriptions.protocol.limits import Limits
from tests.support.processes import ROOT


def test_each_limit_of_a_connection_is_in_the_protocol_document() -> None:
    section = (ROOT / "docs" / "protocol.md").read_text().partition("\n## Limits\n")[2].partition("\n## ")[0]
    assert {limit.name.upper() for limit in fields(Limits)} <= set(re.findall("`([A-Z_]+)`", section))
