"""JSON at the door: what is taken comes back as the same value, what cannot be passed on is refused with a reason."""

import json

import pytest
from hypothesis import given

from events.domain.strict_json import MAX_DEPTH, InvalidJson, decode, encode
from tests.events.support.json_values import json_values

VALID = [
    ("null", None),
    (" [1, 2.5, true] ", [1, 2.5, True]),
    ('{"a": {"b": "c"}}', {"a": {"b": "c"}}),
    # The numbers themselves, as documented.
    ("-9007199254740991", -(2**53) + 1),
    ("9007199254740991", 2**53 - 1),
    ("\ufeff{}", {}),
    ("[" * 32 + "]" * 32, None),
    ("1.7e308", 1.7e308),
    ("1e-400", 0.0),
    (r'"\ud83d\ude00"', "😀"),
    (r'"\u0001 \\u0000"', "\x01 \\u0000"),
    ('{"a": {"k": 1}, "b": {"k": 2}}', {"a": {"k": 1}, "b": {"k": 2}}),
    ("[" * MAX_DEPTH + "]" * MAX_DEPTH, None),
    ('{"a":' * MAX_DEPTH + '"deep"' + "}" * MAX_DEPTH, None),
    ("[" * MAX_DEPTH + r'"\u0041", 7' + "]" * MAX_DEPTH, None),
    (json.dumps([[]] * 1000), [[]] * 1000),
]

INVALID = [
    ("", "not JSON: Expecting value at line 1 column 1"),
    ("{'a': 1}", "not JSON: Expecting property name enclosed in double quotes at line 1 column 2"),
    ("[1,\n2,]", "at line 2 column"),
    ("{} {}", "not JSON: Extra data at line 1 column 4"),
    ("\ufeff\ufeff{}", "not JSON"),
    ("{}".encode("utf-16"), "UTF-16, by its byte-order mark: send UTF-8"),
    ("{}".encode("utf-16-le"), "UTF-16, by its zero bytes: send UTF-8"),
    ("{}".encode("utf-16-be"), "UTF-16, by its zero bytes: send UTF-8"),
    ("{}".encode("utf-32"), "send UTF-8"),
    ('"a\0b"', "not JSON: Invalid control character"),
    (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
    (b'"\xed\xa0\x80"', "not UTF-8 at byte 1"),
    ('{"a": NaN}', "NaN is no JSON value: send null or a string"),
    ("-Infinity", "-Infinity is no JSON value: send null or a string"),
    ("[1e400]", "the number 1e400 is too large for a 64-bit float: send it as a string"),
    ("9007199254740992", "the integer 9007199254740992 is beyond ±9007199254740991 (2^53 - 1)"),
    ('{"a": [-9007199254740992]}', "where JavaScript rounds: send a string"),
    ("18446744073709551615", "the integer 18446744073709551615 is beyond"),
    ("9" * 1_000_000, "the integer 999999999999999999999999 is beyond"),
    # Not by the constants, so that a wrong limit is found.
    ("[" * 33 + "]" * 33, "nested deeper than 32 levels"),
    ('{"id": 1, "id": 1}', 'the key "id" stands twice in one object'),
    ('[{"a": {"x": 1, "y": 2, "x": 3}}]', 'the key "x" stands twice in one object'),
    (r'{"a": 1, "\u0061": 2}', 'the key "a" stands twice in one object'),
    (r'["\ud83d"]', "half of a surrogate pair (\\ud800 to \\udfff alone): send whole characters"),
    (r'{"\udc00": 1}', "half of a surrogate pair"),
    (r'{"a": "b\u0000c"}', "a string holds U+0000, which databases refuse: leave it out"),
    (r'{"\u0000": 1}', "a string holds U+0000"),
    ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "nested deeper than 32 levels"),
    ('{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), "nested deeper than 32 levels"),
    ("[" * 100_000 + "]" * 100_000, "nested deeper than 32 levels"),
    ('[{"a":' * 50_000, "nested deeper than 32 levels"),
    ("[" * MAX_DEPTH + r'"\ud83d"' + "]" * MAX_DEPTH, "half of a surrogate pair"),
]


def shown(value: object) -> str:
    return repr(value)[:40]


@pytest.mark.parametrize(("text", "value"), VALID, ids=shown)
def test_what_every_reader_reads_alike_is_taken(text: str, value: object) -> None:
    expected = json.loads(text) if value is None else value
    assert decode(text) == expected
    assert decode(text.encode()) == expected


@pytest.mark.parametrize(("text", "message"), INVALID, ids=shown)
def test_what_readers_read_differently_is_refused_and_the_message_says_what_is_right(
    text: str | bytes, message: str
) -> None:
    with pytest.raises(InvalidJson) as refusal:
        decode(text)
    assert message in str(refusal.value)
    assert len(str(refusal.value)) < 200


def test_a_long_key_is_shown_short() -> None:
    with pytest.raises(InvalidJson) as refusal:
        decode(f'{{"{"k" * 5000}": 1, "{"k" * 5000}": 2}}')
    assert len(str(refusal.value)) < 200


def test_json_is_written_as_the_published_examples_are() -> None:
    assert encode({"id": "ü😀", "status": [1, None]}) == '{"id": "ü😀", "status": [1, null]}'


@given(json_values)
def test_what_was_written_reads_back_as_the_same_value(value: object) -> None:
    # As text, because True equals 1 and 0.0 equals -0.0.
    assert repr(decode(encode(value))) == repr(value)
