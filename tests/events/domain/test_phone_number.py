"""Telephone numbers in every spelling: phone_cases.json, which the pages' module passes too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from events.domain.phone_number import (
    REGIONS,
    canonical_number,
    dialing_of,
    other_name,
    other_party,
    spellings_of,
)

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


@pytest.mark.parametrize(
    ("number", "region", "spelled"),
    [
        ("+15552004711", "US", ["+15552004711", "(555) 200-4711", "1 555 200 4711", "011 1 555 200 4711"]),
        ("+4930123456", "DE", ["+4930123456", "030 123456", "0049 30 123456", "30 123456"]),
        ("+4930123456", "US", ["+4930123456", "004930123456"]),
        ("+15552004711", "", ["+15552004711", "tel:+1-555-200-4711"]),
        ("4711", "US", ["4711"]),
    ],
)
def test_a_number_is_found_however_it_was_stored(number: str, region: str, spelled: list[str]) -> None:
    found = spellings_of(number, region)
    assert {canonical_number(text) for text in spelled} <= found
    assert canonical_number("+15550009999") not in found


def test_nothing_is_no_number() -> None:
    assert spellings_of("", "US") == frozenset()


ANN = {"type": "tel", "target": "(555) 200-4711", "target_name": "Ann"}


@pytest.mark.parametrize(
    ("data", "party", "name"),
    [
        ({"direction": "inbound", "source": ANN, "destination": "+1777"}, "+5552004711", "Ann"),
        ({"source": "+15552004711"}, "+15552004711", None),
        ({"direction": "outbound", "source": "+1777", "destination": ANN}, "+5552004711", "Ann"),
        ({"direction": "outbound", "targets": [{"destination": ANN}, {}]}, "+5552004711", "Ann"),
        ({"direction": "outbound", "targets": []}, None, None),
        ({"direction": "outbound", "targets": "+1777"}, None, None),
        ({"direction": "outbound", "targets": ["+1777"]}, None, None),
        ({"source": {"target": 1, "target_name": ""}}, None, None),
        ({"source": {"target": "Anonymous", "target_name": 1}}, None, None),
        ({"source": "1" * 129}, None, None),
        ({}, None, None),
    ],
)
def test_the_other_party_of_a_call_or_message(
    data: dict[str, object], party: str | None, name: str | None
) -> None:
    assert (other_party(data), other_name(data)) == (party, name)


def test_the_other_party_is_understood_as_dialled_in_the_region() -> None:
    assert other_party({"source": ANN}, "US") == "+15552004711"
