"""The auto-responder's rules: replies to texts, and errors in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.answering.errors import FatalError
from examples.answering.rules import Rules, read_rules
from examples.auto_responder import main
from subscriptions.platform.opt_outs import START_WORDS, STOP_WORDS
from tests.support.processes import ROOT

RULES = ROOT / "examples" / "auto_responder.toml"
GOOD = """
[stop]
words = ["stop", "opt out"]
reply = "Stopped."
[start]
words = ["start"]
reply = "Started."
[[rules]]
keywords = ["hours", "opening times"]
reply = "9 to 5."
[[rules]]
keywords = ["straße"]
reply = "Bahnhofstraße 1."
"""


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    return rules_from(tmp_path, GOOD)


def rules_from(folder: Path, text: str) -> Rules:
    path = folder / "rules.toml"
    path.write_text(text)
    return read_rules(path)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("What are your hours?", "9 to 5."),
        ("HOURS", "9 to 5."),
        ("your opening  times, please", "9 to 5."),
        ("ｈｏｕｒｓ", "9 to 5."),
        ("STRASSE?", "Bahnhofstraße 1."),
        ("straße and hours", "9 to 5."),
        ("It took hoursandhours", None),
        ("the times of your opening", None),
        ("", None),
    ],
)
def test_the_first_rule_with_a_keyword_among_the_words_answers(
    rules: Rules, text: str, reply: str | None
) -> None:
    assert rules.reply_to(text) == reply


@pytest.mark.parametrize("text", ["stop", "STOP", " Stop! ", "“STOP”", "Opt-out.", "opt  out"])
def test_stop_is_recognised_in_every_spelling(rules: Rules, text: str) -> None:
    assert rules.parse_keyword(text) is rules.stop


@pytest.mark.parametrize("text", ["Please stop by", "stopped", "stop start", "", "…"])
def test_stop_within_a_sentence_is_not_the_keyword(rules: Rules, text: str) -> None:
    assert rules.parse_keyword(text) is None


def test_start_is_recognised(rules: Rules) -> None:
    assert rules.parse_keyword("start") is rules.start


def test_the_bundled_rules_have_all_keywords_of_the_gateway() -> None:
    bundled = read_rules(RULES)
    assert all(bundled.parse_keyword(word) is bundled.stop for word in STOP_WORDS)
    assert all(bundled.parse_keyword(word) is bundled.start for word in START_WORDS)
    assert bundled.reply_to("What are your hours?")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("[stop]", "[stop"), "line 2"),
        (("[start]", "[begin]"), "'begin' is not known: there are answer_within_hours"),
        (('reply = "9 to 5."', ""), "rules, number 1: reply is needed"),
        (('reply = "9 to 5."', f'reply = "{"9" * 1601}"'), "up to 1600 characters"),
        (('keywords = ["straße"]', 'keywords = "straße"'), "rules, number 2: keywords is needed, a list"),
        (('keywords = ["straße"]', 'keywords = ["?!"]'), "there is no word in '?!'"),
        (('words = ["start"]', 'words = ["STOP"]'), "'stop' is one of stop.words as well"),
        (("[stop]", "most_an_hour = 0\n[stop]"), "most_an_hour: write a whole number from 1"),
        (("[stop]", "most_an_hour = true\n[stop]"), "most_an_hour: write a whole number from 1"),
        (("[stop]", 'region = "us"\n[stop]'), "region: write an ISO 3166 code such as US"),
        (("[[rules]]", "[rules]"), "rules"),
    ],
)
def test_an_invalid_file_is_reported_in_one_line(
    tmp_path: Path, change: tuple[str, str], expected: str
) -> None:
    with pytest.raises(FatalError) as error:
        rules_from(tmp_path, GOOD.replace(*change))
    assert str(error.value).startswith(f"{tmp_path}/rules.toml: ")
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=r"none\.toml cannot be read: No such file"):
        read_rules(tmp_path / "none.toml")


SETTINGS = {
    "VOIPBIN_WS_URL": "ws://127.0.0.1:9/v1.0/ws",
    "VOIPBIN_TOKEN": "a token",
    "VOIPBIN_CUSTOMER_ID": "12345678-1234-1234-1234-123456789012",
    "PLATFORM_API_URL": "http://127.0.0.1:9",
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"VOIPBIN_TOKEN": ""}, "Set VOIPBIN_TOKEN: a credential that may subscribe to messages"),
        ({"VOIPBIN_WS_URL": "http://127.0.0.1"}, "is no WebSocket address such as wss://"),
        ({"PLATFORM_API_URL": "api.example.com"}, "'api.example.com' is no address such as https://"),
    ],
)
def test_an_invalid_setting_is_reported_in_one_line(
    tmp_path: Path,
    change: dict[str, str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in (SETTINGS | change).items():
        monkeypatch.setenv(name, value)
    assert main(["--database", str(tmp_path / "kept.sqlite3")]) == 1
    output = capsys.readouterr().err
    assert expected in output
    assert len(output.splitlines()) == 1


def test_a_file_that_is_no_database_is_reported_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "kept.sqlite3"
    path.write_text("This is a letter and no database. " * 50)
    assert main(["--database", str(path)]) == 1
    assert capsys.readouterr().err == f"auto_responder: {path} cannot be used: file is not a database\n"
