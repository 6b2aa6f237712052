"""The client's codes and cursors, compared with those of the server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voipbin_ws_client import protocol
from voipbin_ws_client.conversation import RATE_LIMITED
from voipbin_ws_client.positions import cursor_of, parse_cursor

from events.domain import cursor
from subscriptions.protocol import messages

logs = st.from_regex(r"[0-9a-f]{12}", fullmatch=True)
positions = st.dictionaries(logs, st.integers(0, 10**18 - 1), min_size=1, max_size=5)


def test_the_close_codes_are_those_of_the_server() -> None:
    assert dict(protocol.CloseCode.__members__) == dict(messages.CloseCode.__members__)


def test_the_actions_and_the_error_code_are_among_those_of_the_server() -> None:
    assert {action.value for action in protocol.Action} <= set(messages.Action)
    assert messages.ErrorCode.RATE_LIMITED == RATE_LIMITED


@given(positions)
def test_a_cursor_is_read_and_written_as_by_the_server(numbers: dict[str, int]) -> None:
    text = cursor.join_positions(cursor.Position(*each) for each in sorted(numbers.items()))
    assert parse_cursor(text) == cursor.parse_cursor(text) == numbers
    assert cursor_of(numbers) == text


@pytest.mark.parametrize(
    "text", ["", "yesterday", "log", "log.", ".1", "log.01", "log.-1", "log.1,", "log.1,log.2"]
)
def test_an_invalid_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no cursor"):
        parse_cursor(text)
