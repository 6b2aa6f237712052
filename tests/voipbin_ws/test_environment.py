"""A bad setting stops the start with one line: name, problem, and an example of a good value."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.support.prefork import prefork
from voipbin_ws.environment import (
    comma_separated,
    database,
    flag,
    keys,
    level,
    load_or_create_secret,
    origins,
    platforms,
    read,
    redis,
    resources,
    seconds,
    whole,
)

# A bad value for each setting, and a part of the message.
BAD = [
    ("DEBUG", "maybe", "write 1 or 0"),
    ("DATABASE_URL", "somewhere", "sqlite:/// and postgresql://"),
    ("DATABASE_URL", "mysql://u:hunter2@db/x", "sqlite:/// and postgresql://"),
    ("DATABASE_URL", "sqlite://:memory:", "in memory"),
    ("DATABASE_URL", "postgresql://u:hunter2@db:5432/", "names no database"),
    ("DATABASE_URL", "postgresql://u:hunter2@db:port/x", "write a database URL"),
    ("REDIS_URL", "redis://cache:0/hunter2", "Redis"),
    ("AMQP_URL", "amqp://mq:0/hunter2", "AMQP"),
    ("WEBHOOK_REPEAT_SECONDS", "-1", "from 0"),
    ("HTTP_PATIENCE_SECONDS", "0", "from 0.5"),
    ("CUSTOMER_EVENTS_PER_SECOND", "many", "whole number"),
    ("PUBLISH_BURST_SECONDS", "0", "from 1 to 3600"),
    ("CUSTOMER_MAX_STORED_BYTES", "5GB", "whole number"),
    ("REDIS_URL", "http://cache:hunter2", "Redis"),
    ("REDIS_URL", "redis://cache:hunter2", "Redis"),
    ("AMQP_URL", "http://mq:hunter2", "AMQP"),
    ("AMQP_URL", "amqp://u:hunter2@", "AMQP"),
    ("CSRF_TRUSTED_ORIGINS", "ws.example.com", "no origin"),
    ("WEBSOCKET_ORIGINS", "https://desk.example.com/path", "without a path"),
    ("PUBLIC_URL", "ws.example.com", "scheme and host"),
    ("PUBLIC_URL", "https://ws.example.com/hunter2", "without a path"),
    ("PUBLIC_URL", "ws://ws.example.com", "scheme and host"),
    ("PUBLIC_URL", "https://ws.example.com:0", "scheme and host"),
    ("PUBLIC_URL", "https://u:hunter2@ws.example.com", "names no user"),
    ("TRUSTED_PROXIES", "10.0.0.1,the-proxy", "the-proxy is no IP address"),
    ("LOG_FORMAT", "xml", "readable or json"),
    ("EXTRA_RESOURCES", "fax,Voice Mail", "lower-case"),
    ("JWT_KEYS", "hunter2", "32 characters"),
    ("VOIPBIN_TOKEN_ROLES", "agent,king", "king is no role"),
    ("JWT_LIFETIME_SECONDS", "59", "from 60"),
    ("MESSAGE_MAX_BYTES", "64k", "whole number"),
    ("OUTBOX_MAX_BYTES", "1", "from 2097152"),
    ("OUTBOX_MAX_SECONDS", "soon", "seconds"),
    ("CHECK_INTERVAL_SECONDS", "nan", "from 0.1"),
    ("LOG_LEVEL", "chatty", "INFO"),
    ("PLATFORM_API_URL", "api.hunter2.example", "root of an HTTP API"),
    ("PLATFORM_API_URL", "https://u:hunter2@api.example.com", "without a query or a password"),
    ("PLATFORM_API_URL", "acme=https://hunter2.example.com", "customer's UUID"),
    ("PLATFORM_API_URL", "https://hunter2.example.com,https://b.example.com", "one address for all"),
    ("PLATFORM_API_KEY", "hunter2 €", "ASCII"),
    ("PLATFORM_API_KEY", "hunter2 twice", "ASCII"),
    ("PLATFORM_API_KEY", "hunter2€", "ASCII"),
    ("PLATFORM_ANSWER_SECONDS", "0", "from 0.5"),
    # Valid alone, and invalid with another setting.
    ("EVENT_MAX_BYTES", "8388608", "EVENT_MAX_BYTES"),
    ("MESSAGE_MAX_TOPICS", "2000", "MESSAGE_MAX_TOPICS"),
]


def check(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    own = {"SECRET_KEY": "a secret of this test", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    return prefork.run([sys.executable, "manage.py", "check"], inherited | own | variables)


@pytest.mark.parametrize(("name", "value", "why"), BAD, ids=[f"{name}={value}" for name, value, _ in BAD])
def test_a_bad_value_is_reported_in_one_line_with_an_example(
    tmp_path: Path, name: str, value: str, why: str
) -> None:
    done = check(tmp_path, **{name: value})
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode != 0
    assert len(lines) == 1, "\n".join(lines)
    assert name in lines[0]
    assert why in lines[0]
    assert "For example: " in lines[0]
    assert "hunter2" not in lines[0], "a secret was shown"


@pytest.mark.parametrize("name", ["MESSAGE_MAX_TOPICS", "EVENT_MAX_BYTES", "PUBLIC_URL", "LOG_LEVEL"])
def test_its_own_example_is_a_good_value(tmp_path: Path, name: str) -> None:
    bad = next(value for each, value, _ in BAD if each == name)
    said = check(tmp_path, **{name: bad}).stderr
    example_of, _, example = said.rpartition("For example: ")[2].strip().partition("=")
    assert check(tmp_path, **{name: bad, example_of: example}).returncode == 0


def test_an_empty_value_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SETTING", "  ")
    assert read("A_SETTING", whole(1, 9), 5, "7") == 5
    monkeypatch.setenv("A_SETTING", " 7 ")
    assert read("A_SETTING", whole(1, 9), 5, "7") == 7


def test_a_value_that_is_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "hunter2")
    with pytest.raises(ImproperlyConfigured) as refused:
        read("SOME_KEY", whole(1, 9), 5, "7")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("cast", "text", "value"),
    [
        (flag, "on", True),
        (flag, "NO", False),
        (whole(0, 10), "10", 10),
        (seconds(0, 1), "0.5", 0.5),
        (comma_separated, " a, ,b ", ["a", "b"]),
        (origins, "https://a.example.com,*,http://b:8000", ["https://a.example.com", "*", "http://b:8000"]),
        (origins, "HTTPS://Desk.Example.com:443", ["https://desk.example.com"]),
        (origins, "http://desk.example.com:80", ["http://desk.example.com"]),
        (
            origins,
            "https://bücher.example,https://straße.example",
            ["https://xn--bcher-kva.example", "https://xn--strae-oqa.example"],
        ),
        (origins, "http://[0::1]:8080", ["http://[::1]:8080"]),
        (origins, "chrome-extension://abcdefghijklmnop", ["chrome-extension://abcdefghijklmnop"]),
        (origins, "safari-web-extension://E4A5-0B", ["safari-web-extension://e4a5-0b"]),
        (origins, "capacitor://localhost", ["capacitor://localhost"]),
        (redis, "rediss://:pw@cache:6380/1", "rediss://:pw@cache:6380/1"),
        (redis, "unix:///run/redis.sock", "unix:///run/redis.sock"),
        (level, "debug", "DEBUG"),
        (resources, "fax, voice_mail2", ["fax", "voice_mail2"]),
        (keys, "k" * 32 + "," + "l" * 40, ["k" * 32, "l" * 40]),
    ],
)
def test_a_good_value_is_read(cast: object, text: str, value: object) -> None:
    assert cast(text) == value  # type: ignore[operator]


@pytest.mark.parametrize(
    ("cast", "text"),
    [
        (flag, "2"),
        (whole(0, 10), "11"),
        (whole(0, 10), "-1"),
        (whole(0, 10), "1.5"),
        (whole(0, 10), "9" * 5000),
        (seconds(0, 1), "inf"),
        (seconds(0, 1), "nan"),
        (origins, "https://"),
        (origins, "https://*.example.com"),
        (origins, "https://desk.example.com/"),
        (origins, "https://desk.example.com:99999"),
        (origins, "https://me@desk.example.com"),
        (origins, "https://[::1"),
        (origins, "https://[::1]x"),
        (origins, "https://a b"),
        (origins, "null"),
        (origins, "//host"),
        (redis, "redis://"),
        (redis, "redis://[::1"),
        (redis, "unix://"),
        (resources, "a:b"),
        (keys, "k" * 32 + ",short"),
    ],
)
def test_a_bad_value_is_refused(cast: object, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        cast(text)  # type: ignore[operator]


def test_database_urls_are_read() -> None:
    postgres = database("postgresql://u:p%40ss@db.example.com:5433/voipbin")
    assert (postgres["HOST"], str(postgres["PORT"]), postgres["NAME"]) == (
        "db.example.com",
        "5433",
        "voipbin",
    )
    assert postgres["PASSWORD"] == "p@ss"
    assert database("sqlite:////var/lib/x.sqlite3")["NAME"] == "/var/lib/x.sqlite3"


def test_the_secret_is_created_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret_key"
    first = load_or_create_secret(path)
    assert len(first) >= 50
    assert load_or_create_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["secret_key"]


def test_processes_that_start_at_once_share_one_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    start, found = threading.Barrier(8), []

    def take() -> None:
        start.wait()
        found.append(load_or_create_secret(path))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {path.read_text()}


def test_a_secret_that_cannot_be_stored_is_reported(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("in the way")
    with pytest.raises(ImproperlyConfigured, match=r"^SECRET_KEY is unset .* For example: SECRET_KEY="):
        load_or_create_secret(tmp_path / "var" / "secret_key")


def test_platforms_are_one_for_all_and_some_of_their_own() -> None:
    acme = "5e4a0680-804e-11ec-8477-2fea5968d85b"
    text = f"https://api.example.com/, {acme} = http://127.0.0.1:9000/v2"
    assert platforms(text) == {"": "https://api.example.com", acme: "http://127.0.0.1:9000/v2"}
