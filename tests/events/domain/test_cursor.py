"""The cursor: it reads back as it was written, and what was never given is no cursor."""

import pytest

from events.domain.cursor import (
    NO_EPOCH,
    InvalidCursor,
    Mark,
    Position,
    join_positions,
    number_in,
    parse_cursor,
)

VALID = [
    ("0123456789ab.0", {"0123456789ab": 0}),
    ("0123456789ab.17", {"0123456789ab": 17}),
    ("0123456789ab.999999999999999999", {"0123456789ab": 999_999_999_999_999_999}),
    ("0123456789ab.17,ffffffffffff.4", {"0123456789ab": 17, "ffffffffffff": 4}),
    # The documented number, not the constant, so that a wrong constant is found.
    (",".join(f"{n:012x}.{n}" for n in range(1000)), {f"{n:012x}": n for n in range(1000)}),
]

INVALID = [
    "",
    "17",
    "0123456789ab",
    "0123456789ab.",
    "0123456789ab.-1",
    "0123456789ab.017",
    "0123456789ab.1e3",
    "0123456789ab.1000000000000000000",
    "0123456789AB.17",
    "0123456789a.17",
    "0123456789abc.17",
    "0123456789ab.١٧",
    " 0123456789ab.17",
    "0123456789ab.17\n",
    "0123456789ab.17,",
    ",0123456789ab.17",
    "0123456789ab.17, ffffffffffff.4",
    "0123456789ab.17;ffffffffffff.4",
    "0123456789ab.17,0123456789ab.17",
    "0123456789ab.17,0123456789ab.18",
    ",".join(f"{n:012x}.{n}" for n in range(1001)),
    "," * 1_000_000,
    "9" * 1_000_000,
]


@pytest.mark.parametrize(("text", "positions"), VALID, ids=lambda value: str(value)[:40])
def test_a_cursor_reads_back_as_it_was_given(text: str, positions: dict[str, int]) -> None:
    assert parse_cursor(text) == positions
    assert join_positions(Position(epoch, seq) for epoch, seq in positions.items()) == text


@pytest.mark.parametrize("text", INVALID, ids=lambda text: repr(text)[:40])
def test_what_was_never_given_is_no_cursor_and_the_message_says_what_to_send(text: str) -> None:
    with pytest.raises(InvalidCursor, match="send one back exactly as an ack, an event or a pong gave it"):
        parse_cursor(text)


def test_a_cursor_holds_a_number_for_its_own_logs_and_the_beginning_for_one_that_did_not_exist() -> None:
    cursor = {"0123456789ab": 17}
    assert number_in(cursor, "0123456789ab") == 17
    assert number_in(cursor, "ffffffffffff") is None
    assert number_in({NO_EPOCH: 0}, "0123456789ab") == 0
    assert number_in({NO_EPOCH: 7}, "0123456789ab") is None
    assert number_in(cursor | {NO_EPOCH: 0}, "0123456789ab") == 17


KNOWN = Mark("a" * 12, 5, {3: "three", 5: "five"})


@pytest.mark.parametrize(
    ("epoch", "last_seq", "floor", "ids", "contradicts"),
    [
        ("a" * 12, 5, 0, {3: "three", 4: "four", 5: "five"}, False),
        ("a" * 12, 9, 0, {3: "three", 5: "five"}, False),
        ("b" * 12, 1, 0, {}, False),  # Another log.
        ("a" * 12, 4, 0, {3: "three", 5: "five"}, True),  # Fewer numbers than were given.
        ("a" * 12, 9, 0, {3: "three", 5: "another"}, True),  # Given anew.
        ("a" * 12, 9, 0, {3: "another", 5: "five"}, True),
        ("a" * 12, 9, 0, {3: "three"}, True),  # Missing.
        ("a" * 12, 9, 3, {5: "five"}, False),  # Pruned.
        ("a" * 12, 9, 5, {}, False),
    ],
)
def test_a_log_that_lacks_what_is_known_of_it_went_backwards(
    epoch: str, last_seq: int, floor: int, ids: dict[int, str], contradicts: bool
) -> None:
    assert KNOWN.contradicts(epoch, last_seq, floor, ids) is contradicts


def test_the_ids_of_a_mark_are_joined_in_the_order_of_their_numbers() -> None:
    mark = Mark("0" * 12, 3, {2: "bb-b", 1: "a-a", 10: "c"})
    assert mark.joined_ids == "aabbbc"
