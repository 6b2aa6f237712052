"""Masked telephone numbers: every spelling is hidden, and ids, times and amounts stay."""

import json
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from events.masks.number_mask import (
    has_number,
    is_oracle,
    mask_document,
    mask_id,
    mask_json,
    mask_text,
    may_be_guess,
)

ID = "5371e9db-d035-4db6-a8d6-0994d33e7480"

SPELLINGS = {
    "+491701234567": "+49 ••• 67",
    "+49 170 1234567": "+49 ••• 67",
    "0049170 1234567": "+49 ••• 67",
    "0049-170-123-45-67": "+49 ••• 67",
    "+49 (0)170 1234567": "+49 ••• 67",
    "+49.170.1234567": "+49 ••• 67",
    "+49/170/1234567": "+49 ••• 67",
    "[+49]170 1234567": "[+49 ••• 67",
    "491701234567": "+49 ••• 67",
    "(0170) 123 45 67": "••• 67",
    "0170/1234567": "••• 67",
    "tel:+491701234567": "tel:+49 ••• 67",
    "sip:+491701234567@10.0.0.1;user=phone": "sip:+49 ••• 67@10.0.0.1;user=phone",
    "%2B491701234567": "+49 ••• 67",
    "%2b49%20170%201234567": "+49 ••• 67",
    "+49+170+1234567": "+49 ••• 67",
    "%34%39%31%37%30%31%32%33%34%35%36%37": "+49 ••• 67",
    "call491701234567now": "call+49 ••• 67now",
    "+49\u00a0170\u20111234567": "+49 ••• 67",
    "+49&nbsp;170&nbsp;1234567": "+49 ••• 67",
    "0170'123'45 67": "••• 67",
    "+49 170 123&#8239;4567": "+49 ••• 67",
    "0170 \u2043 123 \u2026 4567": "••• 67",
    "+49|170\\123^4567": "+49 ••• 67",
    "+49 (170) {123} 4567": "+49 ••• 67",
    "+49\u200b170\u200b1234567": "+49 ••• 67",
    "+49\n170\n1234567": "+49 ••• 67",
    "+4 9 1 7 0 1 2 3 4 5 6 7": "+49 ••• 67",
    "٤٩١٧٠١٢٣٤٥٦٧": "+49 ••• 67",
    "＋４９１７０１２３４５６７": "+49 ••• 67",
    "①⁷⁰¹₂₃₄₅₆₇": "••• 67",
    "+49 170 - 123 - 4567": "+49 ••• 67",
    "Ring +49 170 1234567 or +1 555 123 4567.": "Ring +49 ••• 67 or +1 ••• 67.",
    "+999 1234567": "••• 67",
    "00": "00",
    "12345678901234567890": "••• 90",
    "+0001234567": "••• 67",
}

KEPT = (
    "5371e9db-d035-4db6-a8d6-0994d33e7480",
    "12345678-1234-1234-1234-123456789012",
    "2024-01-15T10:30:00.000000Z",
    "2024-01-15 10:30:07.500000",
    "2024-01-15T12:30:00+02:00",
    "9999-01-01 00:00:00.000000",
    "0001-01-01T00:00:00Z",
    "2026-11-28",
    "28.11.2026 18:22",
    "11/28/2026",
    "at 10:30:05.123456 and",
    "1.250.000,50 or 1.250.000 EUR",
    "1,250,000.00 USD",
    "192.168.100.200",
    "a1b2c3d4e5f6.1234567",
    "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
    "Order 123456, 12 of 34, 5 m²",
    "call.status",
)


@pytest.mark.parametrize(("text", "masked"), SPELLINGS.items())
def test_a_number_is_masked_in_every_spelling(text: str, masked: str) -> None:
    assert mask_text(text) == masked
    assert has_number(text) == (text != masked)
    assert mask_text(masked) == masked


@pytest.mark.parametrize(("text", "masked"), SPELLINGS.items())
def test_a_page_has_no_more_of_a_number_than_its_text(text: str, masked: str) -> None:
    """Pages escape what they show, so that other signs divide the digits."""
    assert unescape(mask_text(escape(text))) == masked


@pytest.mark.parametrize("text", KEPT)
def test_ids_times_and_amounts_stay(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("source", "+491701234567", "+49 ••• 67"),
        ("anything", 491701234567, "+49 ••• 67"),
        ("anything", 491701234567.0, "+49 ••• 67"),
        ("anything", -4917012, "••• 12"),
        ("anything", 123456, 123456),
        ("anything", 1.5, 1.5),
        ("anything", None, None),
        ("anything", True, True),
        ("size", 20_000_000, 20_000_000),
        ("duration", 491701234567, "+49 ••• 67"),
        ("timestamp", 1700000000, 1700000000),
        ("tm_ms_at", 1700000000123, 1700000000123),
        ("timestamp", 491701234567, "+49 ••• 67"),
        ("call_id", "1700000000.1234567", "1700000000.1234567"),
        ("call_id", "call-491701234567", "call-+49 ••• 67"),
        ("call_id", "call-1732819200123-45", None),
        ("call_id", "12345678", None),
        ("id", 123456789, None),
        ("id", 491701234567, "+49 ••• 67"),
        ("id", "01701234567", "••• 67"),
        ("id", "01701234", None),
        (
            "id",
            f"{ID} 0049 170 1234567",
            f"{ID} +49 ••• 67",
        ),
        ("call_id", "+491701234567", "+49 ••• 67"),
        ("subject", "Ring me: 170 123 45 67", "Ring me: ••• 67"),
        ("phone_ids", ["1701234567"], ["••• 67"]),
        ("customer_number_id", "1701234567", "••• 67"),
        ("id", "sip:491701234567@host", "sip:+49 ••• 67@host"),
        ("caller_id", "Anna 491701234567", "Anna +49 ••• 67"),
        ("topic", "customer_id:12345678-1234-1234-1234-123456789012:call:1", None),
        ("topic", "agent_id:12345678-1234-1234-1234-123456789012:call:+491701234567", "…:call:+49 ••• 67"),
        ("cursor", "491701234567.1234567", None),
        ("next", "a1b2c3d4e5f6.1234567.7654321", None),
        ("token", "eyJhbGciOiJIUzI1.eyJzdWIiOjEyMzQ1Njc4.x1234567890", None),
        ("token", "+491701234567", "+49 ••• 67"),
        ("national_pattern", r"(?:[2-9]\d{6}|3\d[0-9 1234567])", None),
        ("targets", ["+491701234567", {"to": ["0049 170 1234567"]}], ["+49 ••• 67", {"to": ["+49 ••• 67"]}]),
        (
            "by",
            {"+491701234567": 1, "+491709999967": 2, "name": 3},
            {"+49 ••• 67": 1, "+49 ••• 67 (1)": 2, "name": 3},
        ),
    ],
)
def test_values_are_masked_by_their_kind_and_field(name: str, value: Any, masked: Any) -> None:
    wanted = value if masked is None else masked
    if isinstance(wanted, str) and wanted.startswith("…"):
        assert mask_json(value, name).endswith(wanted[1:])
    else:
        assert mask_json({name: value}) == {name: wanted}


def test_real_payloads_lose_their_numbers_alone() -> None:
    path = Path(__file__).parents[2] / "fixtures" / "voipbin_webhooks.jsonl"
    for line in path.read_text().splitlines():
        differences = list(_differences(json.loads(line), json.loads(mask_document(line))))
        assert {name for name, _ in differences} <= {"target", "number"}
        assert all(value.startswith("+") for _, value in differences)


def _differences(before: Any, after: Any, name: str = "") -> Any:
    if isinstance(before, dict):
        assert list(before) == list(after)
        for key, value in before.items():
            yield from _differences(value, after[key], key)
    elif isinstance(before, list):
        for value, other in zip(before, after, strict=True):
            yield from _differences(value, other, name)
    elif before != after:
        yield name, before


def test_a_document_keeps_the_order_of_its_fields() -> None:
    text = '{"data": {"source": "+491701234567"}, "id": "1", "cursor": "a1b2c3d4e5f6.7"}'
    assert mask_document(text) == text.replace("+491701234567", "+49 ••• 67")


def test_a_search_for_one_digit_could_find_a_number_out() -> None:
    """All pairs of its digits nearly are a number; a circled ten is found where a one and a nought are."""
    assert all(
        map(is_oracle, ("+49 1", "a1b2c3", "7", "Anna 12", "\u0664", "\u2469", "2026-11-28", "17.0.9.8"))
    )
    assert not any(map(is_oracle, ("Anna", "+ (", "", "5371e9db-d035-4db6-a8d6-0994d33e7480")))
    assert [may_be_guess(value) for value in ("12", "123", "\u2469\u2469")] == [False, True, True]


@pytest.mark.parametrize(
    "text",
    ["1 ( " * 9000, "0" * 40000, "1.234." * 9000, "eyJabcdefgh." * 9000, "1      " * 9000, "(" * 40000],
)
def test_no_text_takes_long(text: str) -> None:
    mask_text(text)


def test_an_id_without_digits_or_with_letters_stays() -> None:
    assert [mask_id(text) for text in ("", "abc", "call-1234567890")] == ["", "abc", "call-1234567890"]
