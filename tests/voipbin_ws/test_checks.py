"""Each system check finds its problem and is documented; a good configuration has no findings."""

# Long because every check is here, with the configurations that it must find.

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.core import checks

from tests.support.gateway import gateway_environment
from tests.support.ports import free_port
from tests.support.postgres_server import PostgresServer
from tests.support.prefork import prefork

ROOT = Path(__file__).resolve().parents[2]
OURS = ("events", "subscriptions", "voipbin_ws")
LONG = "d0gJm2Xv9-hR4kQ7sZ1wLb8TtYcN5uFa3eGpKxVrBnMiCqWzUyE6HoSjPA_lD2f"
DEPLOYED = {
    "SECRET_KEY": LONG,
    "PUBLIC_URL": "https://ws.example.com",
    "TRUSTED_PROXIES": "127.0.0.1",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}
"""What docs/settings.md requires of a deployment, without a database."""


def test_nothing_is_wrong_where_nothing_is_set() -> None:
    assert _check({}) == []


def test_the_documented_deployment_has_nothing_to_explain() -> None:
    assert _check(DEPLOYED, "--deploy") == []


def test_an_unprepared_deployment_has_all_findings() -> None:
    """Django's own checks confirm that PUBLIC_URL was the missing setting."""
    found = set(_check({"ALLOWED_HOSTS": "*", "WEBSOCKET_ORIGINS": "*"}, "--deploy"))
    assert found >= {f"voipbin_ws.W00{number}" for number in (1, 2, 5, 7)} | {"subscriptions.W001"}
    assert found >= {f"security.{number}" for number in ("W004", "W008", "W012", "W016")}


def _check(environment: dict[str, str], *options: str) -> list[str]:
    """Return the ids of the checks that found something in a new process."""
    everything = gateway_environment("sqlite:////tmp/never-opened.sqlite3", SECRET_KEY="") | environment
    done = prefork.run([sys.executable, "manage.py", "check", *options], everything)
    assert done.returncode == 0, done.stderr
    return re.findall(r"^\?: \((\S+)\)", done.stderr, re.MULTILINE)


def found(**options: Any) -> set[str]:
    """Return the ids of the gateway's checks that find something in this process."""
    return {str(each.id) for each in checks.run_checks(**options) if str(each.id).startswith(OURS)}


BAD_SETTINGS = {
    "voipbin_ws.E001": {"SECRET_KEY": "a long random text"},
    "voipbin_ws.W002": {"PUBLIC_URL": "http://ws.example.com"},
    "voipbin_ws.W003": {"PUBLIC_URL": "https://ws.example.com", "TRUSTED_PROXIES": []},
    "voipbin_ws.W004": {"TRUSTED_PROXIES": ["10.0.0.1", "0.0.0.0/0"]},
    "voipbin_ws.W005": {"ALLOWED_HOSTS": ["*"]},
    "voipbin_ws.W007": {"CHANNEL_LAYERS": {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}},
    "events.W005": {"EVENTS_VOIPBIN_WEBHOOK_SECRET": "fifteen letters"},
    "subscriptions.W001": {"WEBSOCKET_ORIGINS": ["*"]},
    "subscriptions.W002": {"WEBSOCKET_ORIGINS": ["https://a.example.com", "http://b.example.com"]},
    "subscriptions.W003": {"VOIPBIN_JWT_KEYS": ["k" * 32, "k" * 31]},
}
GOOD_SETTINGS = {
    "SECRET_KEY": LONG,
    "PUBLIC_URL": "https://ws.example.com",
    "TRUSTED_PROXIES": ["10.0.0.1", "fd00::/8"],
    "ALLOWED_HOSTS": ["ws.example.com"],
    "CHANNEL_LAYERS": {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}},
    "EVENTS_VOIPBIN_WEBHOOK_SECRET": "sixteen letters!",
    "WEBSOCKET_ORIGINS": ["https://a.example.com"],
    "VOIPBIN_JWT_KEYS": ["k" * 32],
}


@pytest.fixture
def good(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SECRET_KEY", LONG)
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    for name, value in GOOD_SETTINGS.items():
        setattr(settings, name, value)
    return settings


def test_good_settings_are_not_complained_of(good: Any) -> None:
    assert found(include_deployment_checks=True) == set()


@pytest.mark.parametrize("expected", BAD_SETTINGS)
def test_a_bad_setting_is_found_by_its_check_alone(expected: str, good: Any) -> None:
    for name, value in BAD_SETTINGS[expected].items():
        setattr(good, name, value)
    assert found(include_deployment_checks=True) == {expected}


POSTGRESQL = "django.db.backends.postgresql"


def test_an_unset_secret_is_found(good: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", " ")
    assert found(include_deployment_checks=True) == {"voipbin_ws.W001"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ENGINE": POSTGRESQL, "CONN_MAX_AGE": 60}, "events.W001"),
        ({"ENGINE": POSTGRESQL, "CONN_MAX_AGE": None}, "events.W001"),
        ({"OPTIONS": {"init_command": "PRAGMA synchronous=FULL;"}}, "events.W002"),
        ({"OPTIONS": {}}, "events.W002"),
    ],
)
def test_a_database_that_is_set_up_badly_is_found(
    change: dict[str, Any], expected: str, good: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in change.items():
        monkeypatch.setitem(good.DATABASES["default"], name, value)
    assert found(include_deployment_checks=True) == {expected}


@pytest.mark.django_db
def test_a_database_that_could_forget_what_it_was_given_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    only_database = {"tags": [checks.Tags.database], "databases": ["default"]}
    assert found(**only_database) == set()
    for vendor, answers, expected in (
        ("sqlite", {"journal_mode": "delete"}, {"events.W003"}),
        ("sqlite", {"journal_mode": "wal"}, set()),
        ("postgresql", {}, set()),
        ("postgresql", {"fsync": "off"}, {"events.W004"}),
        ("postgresql", {"full_page_writes": "off"}, {"events.W004"}),
        ("postgresql", {"synchronous_commit": "off"}, {"events.W006"}),
        ("postgresql", {"synchronous_commit": "local"}, {"events.W006"}),
        ("postgresql", {"transaction_read_only": "on"}, {"events.E001"}),
    ):
        with monkeypatch.context() as patch:
            patch.setattr("events.checks.connections", {"default": _Answers(vendor, answers)})
            patch.setattr("events.checks.transaction.atomic", lambda _: nullcontext())
            assert found(**only_database) == expected


def test_a_database_without_writes_is_reported_in_one_line(postgres_server: PostgresServer) -> None:
    read_only = f"{postgres_server.url('postgres')}?options=-c%20default_transaction_read_only%3Don"
    away = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    for url, command, expected in (
        (read_only, ["check", "--database", "default"], "events.E001"),
        # Read-only even for root, as the tests may be.
        ("sqlite:////nowhere/db.sqlite3", ["check"], "events.E002"),
        ("sqlite:////nowhere/db.sqlite3", ["check", "--database", "default"], "unable to open database file"),
        (away, ["check", "--database", "default"], "The database cannot be used: couldn't get a connection"),
    ):
        done = prefork.run([sys.executable, "manage.py", *command], gateway_environment(url))
        assert done.returncode == 1
        assert expected in done.stderr
        assert "Traceback" not in done.stderr


class _Answers:
    """A connection with these answers, because this machine has no file system without WAL."""

    def __init__(self, vendor: str, answers: Mapping[str, str]) -> None:
        self.vendor = vendor
        self._answers = {"transaction_read_only": "off", **answers}
        self._shown = ""

    def cursor(self) -> _Answers:
        return self

    def __enter__(self) -> _Answers:
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, statement: str) -> None:
        self._shown = statement.split()[-1]

    def fetchone(self) -> list[str]:
        return [self._answers.get(self._shown, "on")]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("daphne voipbin_ws.asgi:application", {"voipbin_ws.W008"}),
        ("daphne --websocket_timeout 3600 voipbin_ws.asgi:application", {"voipbin_ws.W008"}),
        ("daphne --websocket_timeout -1 voipbin_ws.asgi:application", {"voipbin_ws.W008"}),
        ("daphne --websocket_timeout -1 -v 0 voipbin_ws.asgi:application", set()),
        ("/usr/bin/daphne --websocket_timeout=-1 --verbosity=0 voipbin_ws.asgi:application", set()),
        ("uvicorn voipbin_ws.asgi:application", {"voipbin_ws.W009"}),
        ("manage.py runserver", {"voipbin_ws.W010"}),
        ("manage.py serve --server daphne", set()),
    ],
)
def test_a_way_to_start_that_serves_less_is_found(
    command: str, expected: set[str], good: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", command.split())
    assert found() == expected


@pytest.mark.parametrize(
    ("command", "concurrency", "expected"),
    [
        ("manage.py serve --workers 4", "", {"voipbin_ws.W006"}),
        ("manage.py serve --workers=2", "", {"voipbin_ws.W006"}),
        ("manage.py serve", "2", {"voipbin_ws.W006"}),
        ("manage.py serve --workers 1", "2", set()),
        ("manage.py serve", "many", set()),
        ("manage.py serve --workers", "", set()),
        ("manage.py serve", "", set()),
    ],
)
def test_workers_that_share_nothing_are_found(
    command: str, concurrency: str, expected: set[str], good: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", command.split())
    monkeypatch.setenv("WEB_CONCURRENCY", concurrency)
    assert found() == set()
    good.CHANNEL_LAYERS = BAD_SETTINGS["voipbin_ws.W007"]["CHANNEL_LAYERS"]
    assert found() == expected


def test_every_check_is_documented_once_and_no_other() -> None:
    sources = [(ROOT / app / "checks.py").read_text() for app in OURS]
    in_code = re.findall(r'id="(\w+\.[EW]\d+)"', "".join(sources))
    in_docs = re.findall(
        r"^\| `(\w+\.[EW]\d+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE
    )
    assert sorted(in_code) == sorted(in_docs)
    assert len(set(in_docs)) == len(in_docs) > 10


def test_every_secret_of_the_documentation_is_known_as_one() -> None:
    from voipbin_ws.checks import EXAMPLE_SECRETS

    rows = re.findall(
        r"^\| `(\w*(?:KEY(?!_)|KEYS|SECRET|_TOKEN(?!_))\w*)` \|.*\| `([^|]+)` \|[^|]+\|$",
        (ROOT / "docs" / "settings.md").read_text(),
        re.MULTILINE,
    )
    assert len(rows) >= 5
    for name, example in rows:
        if name != "PLATFORM_API_KEY":  # Issued by the platform, not generated here.
            assert set(example.split(",")) <= set(EXAMPLE_SECRETS), name
