"""The pages compare telephone numbers and keywords as the server does: tests/events/domain/phone_cases.json."""

from __future__ import annotations

import json

from events.domain.phone_number import dialing_of
from subscriptions.platform.opt_outs import opts_out
from tests.support.processes import ROOT
from tests.voipbin_ws.static.support.page_models import PageModels

CASES = json.loads((ROOT / "tests/events/domain/phone_cases.json").read_text())


def test_the_pages_read_every_spelling_as_the_server_does() -> None:
    models = PageModels()
    commands = [
        {"command": "number", "text": case["text"], "dialing": dialing_of(case["region"])}
        for case in CASES["numbers"]
    ]
    found = models.compute(commands)
    models.end()
    wanted = {str(case): case["number"] for case in CASES["numbers"]}
    assert dict(zip(wanted, found, strict=True)) == wanted


def test_the_pages_and_the_server_know_the_same_keywords() -> None:
    models = PageModels()
    found = models.compute([{"command": "keyword", "text": case["text"]} for case in CASES["keywords"]])
    models.end()
    wanted = {repr(case["text"]): case["opts_out"] for case in CASES["keywords"]}
    assert dict(zip(wanted, found, strict=True)) == wanted
    assert {repr(case["text"]): opts_out(case["text"]) for case in CASES["keywords"]} == wanted
