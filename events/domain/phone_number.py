"""Telephone numbers in E.164, in which every spelling of one is equal (ITU-T E.164).

The pages compare with shared/phone-number.js; tests/events/domain/phone_cases.json holds both to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypedDict

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberFormat

MIN_INTERNATIONAL_DIGITS = 8
MAX_DIGITS = 15
"""The most digits of an E.164 number. Fewer than the minimum are a short code."""

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""The ISO 3166 codes of the regions whose national numbers can be understood."""

PARTY_RESOURCES = frozenset({"call", "message"})
"""The resources that have another party."""

MAX_PARTY = 128
_ANONYMOUS = frozenset({"", "anonymous", "unknown", "restricted", "private", "unavailable"})
"""What platforms write where the other party withholds its number."""

_SCHEME = re.compile(r"(?:tel|sips?|callto):", re.IGNORECASE)
_AFTER_USER = re.compile(r"[@;?]")
_SEPARATORS = re.compile(r"[\s().\-/\u2010-\u2015\u2212]+")
_TRUNK_ZERO = "(0)"


class Dialing(TypedDict):
    """How a region dials.

    `national_digits` are the fewest of a national number, `national_pattern` a regular expression of all such numbers.
    """

    country_code: str
    national_prefix: str
    international_prefix: str
    national_digits: int
    national_pattern: str


def canonical_number(text: str, region: str = "") -> str:
    """Return the number in E.164; other texts in lower case without separators.

    `region` is the ISO 3166 code of the customer's region. Without it a national number is not understood: eight digits
    or more are taken as an international number.
    """
    # A digit of any script has a decimal value.
    visible = "".join(
        str(unicodedata.decimal(c, c))
        for c in unicodedata.normalize("NFKC", text)
        if unicodedata.category(c) != "Cf"
    )
    user = _AFTER_USER.split(_SCHEME.sub("", visible.strip(), count=1), maxsplit=1)[0]
    dialing = dialing_of(region)
    plain = _SEPARATORS.sub("", user.replace(_TRUNK_ZERO, "") if user.startswith(("+", "00")) else user)
    digits = plain.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return plain.lower()
    if plain.startswith("+"):
        return _formatted(f"+{digits}", region)
    for prefix in ("00", dialing["international_prefix"] if dialing else "00"):
        if digits.startswith(prefix):
            return _formatted(f"+{digits.removeprefix(prefix)}", region)
    if dialing and _is_possible(digits, region):
        return _formatted(digits, region)
    return f"+{digits}" if MIN_INTERNATIONAL_DIGITS <= len(digits) <= MAX_DIGITS else digits


def spellings_of(number: str, region: str) -> frozenset[str]:
    """Return what `canonical_number` makes of all spellings of a number without a region.

    They are what a search by number compares with where numbers were stored before the region was known.
    """
    canonical = canonical_number(number, region)
    dialing = dialing_of(region)
    found = {canonical, canonical_number(number)}
    if dialing and canonical.startswith(f"+{dialing['country_code']}"):
        national = canonical.removeprefix(f"+{dialing['country_code']}")
        found |= {canonical_number(national), canonical_number(dialing["national_prefix"] + national)}
        found.add(canonical_number(dialing["international_prefix"] + canonical.removeprefix("+")))
    return frozenset(found - {""})


def other_party(data: Mapping[str, Any], region: str = "") -> str | None:
    """Return the number of the other party of a call or message.

    By it the state is found again. It is in E.164, as far as that needs no region if none is given, and `None` if it is
    withheld.
    """
    address = _other_address(data)
    number = address.get("target") if isinstance(address, Mapping) else address
    return _party(number, region) if isinstance(number, str) and len(number) <= MAX_PARTY else None


def other_name(data: Mapping[str, Any]) -> str | None:
    """Return the name of the other party of a call or message; `None` if there is none."""
    address = _other_address(data)
    name = address.get("target_name") if isinstance(address, Mapping) else None
    return name if isinstance(name, str) and name else None


def _other_address(data: Mapping[str, Any]) -> Any:
    if data.get("direction") == "outbound":
        return data.get("destination", _first_target(data))
    return data.get("source")


def _first_target(data: Mapping[str, Any]) -> Any:
    """Return the first address of a message to several numbers."""
    targets = data.get("targets")
    first = targets[0] if isinstance(targets, list) and targets else None
    return first.get("destination") if isinstance(first, Mapping) else None


@lru_cache(maxsize=4096)
def _party(number: str, region: str) -> str | None:
    canonical = canonical_number(number, region)
    return None if canonical in _ANONYMOUS else canonical[:MAX_PARTY]


def dialing_of(region: str) -> Dialing | None:
    """Return how numbers are dialled in a region, or `None` for "" and unknown regions."""
    metadata: Any = PhoneMetadata.metadata_for_region(region) if region in REGIONS else None
    if metadata is None:
        return None
    international = metadata.preferred_international_prefix or metadata.international_prefix or ""
    return Dialing(
        country_code=str(metadata.country_code),
        national_prefix=metadata.national_prefix or "",
        international_prefix=international if international.isdigit() else "00",
        national_digits=min(metadata.general_desc.possible_length),
        national_pattern=metadata.general_desc.national_number_pattern,
    )


def _is_possible(digits: str, region: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(digits, region))
    except NumberParseException:
        return False


def _formatted(number: str, region: str) -> str:
    try:
        return str(
            phonenumbers.format_number(phonenumbers.parse(number, region or None), PhoneNumberFormat.E164)
        )
    except NumberParseException:
        return number
