"""Cells that a spreadsheet takes for text."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest

from subscriptions.admin.audit.csv_export import _text, cell, lines


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "=", "＝1+1", "\0=1"],
)
def test_what_would_be_calculated_is_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("hours", [0, 9, -5])
def test_a_time_is_one_for_a_spreadsheet(hours: int) -> None:
    zone = dt.timezone(dt.timedelta(hours=hours))
    moment = dt.datetime(2026, 1, 5, 23, 30, 0, 123456, dt.UTC).astimezone(zone)
    assert _text(moment) == "2026-01-05 23:30:00.123"
    assert _text(moment.replace(microsecond=0)) == "2026-01-05 23:30:00.000"
    assert cell(_text(moment)) == _text(moment)


@pytest.mark.parametrize("text", ["", "a=1", "customer_id:x:call:*", "192.0.2.7", "a,b", "key vb_1", "1-2"])
def test_what_is_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


def test_rows_are_read_back_as_they_were_written() -> None:
    rows = [["a", 'b "quoted", and\nin two lines', ""], ["ä", "☎", "=x"]]
    read = list(csv.reader(io.StringIO(lines(rows))))
    assert read == [rows[0], ["ä", "☎", "'=x"]]
