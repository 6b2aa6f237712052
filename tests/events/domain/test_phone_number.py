"""Telephone numbers in every spelling: phone_cases.json, which the pages' module passes too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from events.domain.phone_number import REGIONS, canonical_number, dialing_of

CASES = json.loads((Path(__file__).parent / "phone_cases.json").read_text())


@pytest.mark.parametrize("case", CASES["numbers"], ids=lambda case: ascii(f"{case['text']} {case['region']}"))
def test_every_spelling_is_one_number(case: dict[str, str]) -> None:
    assert canonical_number(case["text"], case["region"]) == case["number"]


@pytest.mark.parametrize("text", ["+999", "+0", "00", "01100", "+12345678901234567890", "1" * 300, "+" * 300])
def test_what_cannot_be_a_number_is_compared_as_it_is(text: str) -> None:
    assert canonical_number(text, "US") == canonical_number(text, "US")


def test_a_region_dials_as_its_numbering_plan_says() -> None:
    assert dialing_of("US") == {
        "country_code": "1",
        "national_prefix": "1",
        "international_prefix": "011",
        "national_digits": 10,
        "national_pattern": "[2-9]\\d{9}|3\\d{6}",
    }
    assert dialing_of("") is dialing_of("XX") is None
    for region in REGIONS:
        dialing = dialing_of(region)
        assert dialing is not None
        assert dialing["country_code"].isdigit()
        assert dialing["international_prefix"].isdigit()
