"""Masked telephone numbers: of a number its country code and last two digits stay.

The rule fails closed: in every text that is masked, seven digits or more that only separators divide are a number,
whatever field they are in. Ids, times and small amounts stay.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException

from events.domain.phone_number import MAX_DIGITS, MIN_INTERNATIONAL_DIGITS
from events.domain.strict_json import encode

HIDDEN = "•••"
MIN_DIGITS = 7
"""The fewest digits of a number: shorter ones are extensions and service numbers."""

MIN_ID_DIGITS, MIN_NATIONAL_ID_DIGITS = 11, 9
"""The fewest digits of a number within an id: with a country code, and with a leading zero."""

FEWEST_GUESSED_DIGITS = 3
"""The fewest digits of a value that is compared as a whole: shorter ones are levels and the like."""

MAX_AMOUNT = 2**31
"""What an integer in a field of amounts may reach without being a number."""

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_WHOLE_UUID = re.compile(rf"(?<![0-9A-Za-z]){_UUID}(?![0-9A-Za-z])")
_DATE = r"(?:0001|19\d\d|20\d\d|9999)-(?:0\d|1[0-2])-[0-3]\d"
_CLOCK = r"[0-2]\d:[0-5]\d(?::[0-6]\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)?"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_KEPT = "|".join(
    (
        rf"(?<![0-9A-Za-z]){_UUID}(?![0-9A-Za-z])",
        rf"(?<![\d+]){_DATE}(?:[Tt ]{_CLOCK})?(?![-\d])",
        rf"(?<![\d+:]){_CLOCK}(?![\d:])",
        r"(?<![\d+./])(?:0?[1-9]|[12]\d|3[01])[./](?:0?[1-9]|[12]\d|3[01])[./](?:19|20)\d\d(?![./]?\d)",
        # A cursor, the digests of SHA-1 and SHA-256, a UUID without dashes: not where all of it are digits.
        r"(?<![0-9A-Za-z])(?=\d*[a-f])[0-9a-f]{12}(?:\.\d{1,18}){1,2}(?![0-9A-Za-z.])",
        r"(?<![0-9A-Za-z])(?=\d*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9A-Za-z])",
        rf"(?<![\d.+])(?:{_OCTET}\.){{3}}{_OCTET}(?![\d]|\.\d)",
        # 1.250.000,50 and 1.250.000 EUR
        r"(?<![\d.+])\d{1,3}(?:\.\d{3})+(?=,\d\d(?!\d)|\s?(?:€|EUR\b|\$|USD\b|£|GBP\b))",
    )
)
_SEPARATOR = (
    r"(?:[\s()\[\]{}.\-/\\|^_~*'·…\u00ad\u2010-\u2015\u2018\u2019\u2027\u2043\u2212\u2219\u22c5\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u2064\ufeff]|%(?:2[089A-Fa-f]|5F|7E|0[9AaDd])|%C2%A0"
    r"|&(?:amp;)?(?:nbsp|[a-z]{0,4}thinsp|e[nm]sp|shy|zwnj|#\d{1,5}|#[xX][0-9A-Fa-f]{1,4});)"
)
_NUMBER = rf"(?:\+|%2[Bb])?\(?\d(?:(?:\+|{_SEPARATOR}){{0,6}}\d){{{MIN_DIGITS - 1},}}"
_FOUND = re.compile(rf"(?P<kept>{_KEPT})|{_NUMBER}")
_NOT_A_DIGIT = re.compile(r"%[0-9A-Fa-f]{2}|#[xX]?[0-9A-Fa-f]{1,5};|\D")
_ENCODED_DIGIT = re.compile(r"(?:%3\d)+")

_ID = re.compile(r"(?:id|ids|.*_ids?|topics?|subject|resourceid|agentids|cursor|next)\Z")
_NUMBER_ID = re.compile(
    r"(?:.*_)?(?:caller|callee|called|calling|phone|number|from|to|source|destination|ani|dnis|cli)_ids?\Z"
)
_SPACE = re.compile(r"\s")
_CURSOR = re.compile(r"[0-9a-f]{12}(?:\.\d{1,18}){1,2}(?:,[0-9a-f]{12}\.\d{1,18})*", re.ASCII)
_SECRET_NAMES = frozenset({"token", "secret", "access_key"})
_SECRET = re.compile(r"vb_[A-Za-z0-9]+|eyJ[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_UNIX_ID = re.compile(r"1\d{9}\.\d{1,9}", re.ASCII)
"""Asterisk's ids of channels: the time and a counter."""

_AMOUNT = re.compile(
    r"(?:.*_)?(?:seconds?|milliseconds|ms|minutes|bytes|kilobytes|megabytes|size|count|total|duration|wait|time|amount"
    r"|price|cost|balance|connections|seq|second|length|events|sequence|version|retry_after|from_seq|to_seq)\Z"
)
_TIME_NAME = re.compile(r"(?:tm_.*|.*_at|timestamp|time|created|updated|since|iat|exp|expire|now|date)\Z")
_EPOCHS = ((10**9, 42 * 10**8), (10**12, 42 * 10**11))
"""Unix times of the years 2001 to 2103, in seconds and milliseconds; no number has so few digits or so many."""


def mask_text(text: str, *, in_id: bool = False) -> str:
    """Return a text with all telephone numbers masked; in an id, only what is surely one."""
    plain = text if text.isascii() else "".join(map(_plain, text))
    if "%3" in plain:
        plain = _ENCODED_DIGIT.sub(lambda found: unquote(found[0]), plain)
    masked = _FOUND.sub(_replaced_in_id if in_id else _replaced, plain)
    return text if masked == plain else masked


def has_number(text: str) -> bool:
    """Return whether a text contains what `mask_text` replaces."""
    return mask_text(text) != text


def is_oracle(text: str) -> bool:
    """Return whether a search for such a part of texts could find masked numbers out.

    One digit is enough: with all pairs of digits that a text has, its number is nearly known. UUIDs are no parts.
    """
    return _digits_searched(text) > 0


def may_be_guess(value: str) -> bool:
    """Return whether a value that is compared as a whole could be a guessed number."""
    return _digits_searched(value) >= FEWEST_GUESSED_DIGITS


def _digits_searched(text: str) -> int:
    # A search for a circled ten also finds the digits 1 and 0.
    left = unicodedata.normalize("NFKC", _WHOLE_UUID.sub(" ", text))
    return sum(unicodedata.digit(sign, None) is not None for sign in left)


def mask_id(text: str) -> str:
    """Return an id with the international telephone numbers in it masked.

    Other digits stay, although there may be as many: ids are often numbers. A text with spaces is no id, whatever its
    field is called.
    """
    if text.isalpha() or _UNIX_ID.fullmatch(text) or _CURSOR.fullmatch(text):
        return text
    return mask_text(text, in_id=not _SPACE.search(text))


def mask_json(value: Any, name: str = "") -> Any:
    """Return a decoded JSON value with all telephone numbers masked; `name` is its field's."""
    if isinstance(value, str):
        return _masked_string(value, name)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        digits = str(int(abs(value)))
        is_kept = mask_id(digits) == digits if _is_id(name) else _is_amount(value, name)
        return value if is_kept else _hidden(digits)
    if isinstance(value, list):
        return [mask_json(each, name) for each in value]
    if isinstance(value, dict):
        return _masked_object(value)
    return value


def mask_document(text: str) -> str:
    """Return a JSON document with all telephone numbers masked; the fields keep their order."""
    return encode(mask_json(json.loads(text)))


def _masked_object(value: Mapping[str, Any]) -> dict[str, Any]:
    masked: dict[str, Any] = {}
    for name, each in value.items():
        shown = mask_id(name)
        if shown in masked:
            # Two numbers may be masked alike.
            shown = f"{shown} ({len(masked)})"
        masked[shown] = mask_json(each, name)
    return masked


def _masked_string(text: str, name: str) -> str:
    if name in _SECRET_NAMES and _SECRET.fullmatch(text):
        return text
    if name == "national_pattern" and r"\d" in text:
        return text
    if _is_id(name):
        # The last part of a topic is the id of its resource.
        head, mark, last = text.rpartition(":") if text.count(":") >= 3 else ("", "", text)
        return f"{head}{mark}{mask_id(last)}"
    return mask_text(text)


def _is_id(name: str) -> bool:
    return _ID.match(name) is not None and _NUMBER_ID.match(name) is None


def _is_amount(value: float, name: str) -> bool:
    size = abs(value)
    if size < 10 ** (MIN_DIGITS - 1):
        return True
    if _TIME_NAME.match(name) and any(least <= size < most for least, most in _EPOCHS):
        return True
    return size < MAX_AMOUNT and _AMOUNT.match(name) is not None


def _plain(sign: str) -> str:
    """Return a digit of any script or shape as an ASCII digit, and wide signs as narrow ones."""
    if (digit := unicodedata.digit(sign, None)) is not None:
        return str(digit)
    return {"＋": "+", "﹢": "+"}.get(sign, sign)


def _replaced(found: re.Match[str]) -> str:
    return found[0] if found["kept"] is not None else _hidden(found[0])


def _replaced_in_id(found: re.Match[str]) -> str:
    if found["kept"] is not None:
        return found[0]
    digits = _digits_of(found[0])
    is_number = _is_international(found[0]) or (
        len(digits) >= MIN_NATIONAL_ID_DIGITS
        if digits.startswith("0")
        else len(digits) >= MIN_ID_DIGITS and _country_code(digits, False) is not None
    )
    return _hidden(found[0]) if is_number else found[0]


def _digits_of(spelled: str) -> str:
    return _NOT_A_DIGIT.sub("", spelled)


def _is_international(spelled: str) -> bool:
    return spelled.upper().startswith(("+", "%2B")) or _digits_of(spelled).startswith("00")


def _hidden(spelled: str) -> str:
    digits, is_international = _digits_of(spelled), _is_international(spelled)
    code = _country_code(digits.removeprefix("00") if is_international else digits, is_international)
    return f"+{code} {HIDDEN} {digits[-2:]}" if code else f"{HIDDEN} {digits[-2:]}"


@lru_cache(maxsize=4096)
def _country_code(number: str, is_international: bool) -> int | None:
    """Return the country code of an international number, or of one that can be nothing else."""
    if not is_international:
        if not MIN_INTERNATIONAL_DIGITS <= len(number) <= MAX_DIGITS:
            return None
        try:
            parsed = phonenumbers.parse(f"+{number}")
        except NumberParseException:
            return None
        return parsed.country_code if phonenumbers.is_valid_number(parsed) else None
    for length in (1, 2, 3):
        if not number.startswith("0") and (code := int(number[:length] or 0)) in COUNTRY_CODE_TO_REGION_CODE:
            return code
    return None
