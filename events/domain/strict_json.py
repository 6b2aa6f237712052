"""Strict JSON: only what every client decodes to the same value.

RFC 8259 leaves duplicate keys, huge numbers and lone surrogates to the decoder, and Python's decoder accepts NaN. Some
subscribers would receive other values, or none: so such documents are refused.
"""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 32
"""The most levels of nested arrays and objects."""

MAX_INTEGER = 2**53 - 1
"""The largest integer that every client reads exactly: JavaScript has 64-bit floats alone (RFC 8259, 6)."""

_MARK = "\ufeff"


class InvalidJson(ValueError):
    """The text is no JSON that every client decodes alike; the message has the reason."""


def decode(text: str | bytes) -> Any:
    """Decode one JSON document.

    Raises:
        InvalidJson: The text is not UTF-8 or not JSON, or contains NaN, an integer beyond ±MAX_INTEGER, a number that
            no 64-bit float holds, a duplicate key, a lone surrogate, U+0000, or more than 32 levels.
    """
    if isinstance(text, bytes):
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InvalidJson("not UTF-8 but UTF-16, by its byte-order mark: send UTF-8")
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidJson(f"not UTF-8 at byte {error.start}") from None
    text = text.removeprefix(_MARK)  # As RFC 8259, 8.1, allows: editors write it.
    if "\0" in text[:2]:
        raise InvalidJson("not UTF-8 but UTF-16, by its zero bytes: send UTF-8")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise InvalidJson(f"nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        raise InvalidJson(f"not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    # Depth and escapes need a walk over the value, which costs as much as decoding it: only if needed.
    if text.count("[") + text.count("{") > MAX_DEPTH or "\\u" in text:
        _check(value)
    return value


def encode(value: Any) -> str:
    """Encode a value of `decode`, with `, ` and `: ` as in the published examples."""
    return _ENCODER.encode(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InvalidJson(f"the key {json.dumps(twice[:64])} stands twice in one object")
    return value


def _integer(digits: str) -> int:
    # The length first: int() of a million digits takes quadratic time.
    if len(digits) > 17 or not -MAX_INTEGER <= (number := int(digits)) <= MAX_INTEGER:
        raise InvalidJson(
            f"the integer {digits[:24]} is beyond ±{MAX_INTEGER} (2^53 - 1), where JavaScript rounds: send a string"
        )
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise InvalidJson(f"the number {digits[:24]} is too large for a 64-bit float: send it as a string")
    return number


def _constant(name: str) -> float:
    raise InvalidJson(f"{name} is no JSON value: send null or a string")


def _check(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                for key in item:
                    _check_text(key)
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        level = inner
        if not level:
            return
    if any(isinstance(item, dict | list) for item in level):
        raise InvalidJson(f"nested deeper than {MAX_DEPTH} levels")
    for item in level:
        if isinstance(item, str):
            _check_text(item)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise InvalidJson("a string holds U+0000, which databases refuse: leave it out")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidJson(
            "a string holds half of a surrogate pair (\\ud800 to \\udfff alone): send whole characters"
        ) from None


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
