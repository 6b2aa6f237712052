"""Settings from environment variables; a bad value stops the start with an example."""

# Long because all kinds of values that a setting can have are parsed here.

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from events.domain.age import parse_age
from events.domain.call_state import CallStage
from events.domain.topics import is_canonical_uuid, is_resource_name
from subscriptions.checks import KEY_MIN_CHARACTERS
from subscriptions.connections.origins import EVERY, normalise
from subscriptions.protocol.permissions import Role

DATABASE_SCHEMES = ("sqlite", "postgresql", "postgres", "psql", "pgsql")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

T = TypeVar("T")
N = TypeVar("N", int, float)


def read(name: str, cast: Callable[[str], T], default: T, example: str) -> T:
    """Return the variable `name`, parsed by `cast`, or `default` if it is unset or empty.

    Raises:
        ImproperlyConfigured: `cast` raised ValueError.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        return cast(text)
    except ValueError as error:
        shown = "its value" if any(word in name for word in ("KEY", "SECRET", "URL")) else repr(text)
        raise ImproperlyConfigured(
            f"{name}: {shown} is not right ({error}). For example: {name}={example}"
        ) from None


def require_at_least(name: str, value: int, least: int, why: str) -> None:
    """Check one number against a minimum that follows from other settings.

    Raises:
        ImproperlyConfigured: `value` is below `least`; `why` names the other setting.
    """
    if value < least:
        raise ImproperlyConfigured(f"{name}: {value} is not right ({why}). For example: {name}={least}")


def flag(text: str) -> bool:
    """Parse `1` or `0`, or the usual words."""
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("write 1 or 0")


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `least` to `most`."""
    return _number(int, least, most, "write a whole number", "")


def seconds(least: float, most: float) -> Callable[[str], float]:
    """Return a parser of seconds from `least` to `most`."""
    return _number(float, least, most, "write seconds as a number", " seconds")


def _number(kind: Callable[[str], N], least: N, most: N, advice: str, unit: str) -> Callable[[str], N]:
    def cast(text: str) -> N:
        try:
            number = kind(text)
        except ValueError:
            raise ValueError(advice) from None
        if not least <= number <= most:
            raise ValueError(f"from {least} to {most}{unit}")
        return number

    return cast


def credential(text: str) -> str:
    """Check a secret that is sent in an HTTP header."""
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("letters, digits and signs of ASCII alone")
    return text


def comma_separated(text: str) -> list[str]:
    """Parse a comma-separated list of names."""
    return [word.strip() for word in text.split(",") if word.strip()]


def call_silence(text: str) -> dict[CallStage, timedelta]:
    """Parse `off`, or `stage=age` pairs: how long a call may be silent until it is ended."""
    if text == "off":
        return {}
    found = {}
    for pair in comma_separated(text):
        stage, _, age = pair.partition("=")
        if stage not in list(CallStage):
            raise ValueError(f"{stage!r} is no stage: there are {', '.join(CallStage)}; or write off")
        found[CallStage(stage)] = parse_age(age)
    return found


def origins(text: str) -> list[str]:
    """Parse comma-separated origins, written as browsers send them; or `*`."""
    return [each if each == EVERY else normalise(each) for each in comma_separated(text)]


def origin(text: str) -> str:
    """Parse one origin: scheme, host and, if it is not the default, port."""
    scheme, _, host = text.lower().rstrip("/").partition("://")
    parts = urlsplit(f"{scheme}://{host}")
    if scheme not in ("http", "https") or not parts.hostname or parts.netloc != host or parts.port == 0:
        raise ValueError("scheme and host without a path")
    if "@" in host:
        raise ValueError("it names no user")
    return f"{scheme}://{host}"


def networks(text: str) -> list[str]:
    """Parse comma-separated IP addresses and networks."""
    values = comma_separated(text)
    for word in values:
        try:
            ip_network(word)
        except ValueError:
            raise ValueError(f"{word} is no IP address and no network such as 10.0.0.0/8") from None
    return values


def platforms(text: str) -> dict[str, str]:
    """Parse roots of platform APIs, comma-separated, by customer id; "" is for all others.

    Each is `<url>`, for all customers, or `<customer id>=<url>`.
    """
    values: dict[str, str] = {}
    for word in comma_separated(text):
        name, _, address = word.rpartition("=")
        customer_id, address = name.strip(), address.strip().rstrip("/")
        if customer_id and not is_canonical_uuid(customer_id):
            raise ValueError("before = stands a customer's UUID")
        parts = urlsplit(address) if _is_url(address, "http", "https") else None
        if parts is None or parts.query or parts.fragment or parts.username is not None:
            raise ValueError("write the root of an HTTP API, without a query or a password")
        if customer_id in values:
            raise ValueError("one address for all customers, and one for each that has its own")
        values[customer_id] = address
    return values


def database(text: str) -> dict[str, Any]:
    """Parse a database URL into Django's settings of a database."""
    # Checked first, because the library warns of other schemes with the whole URL and its password.
    if text.partition("://")[0] not in DATABASE_SCHEMES:
        raise ValueError("sqlite:/// and postgresql:// are supported")
    try:
        config = dict(environ.Env.db_url_config(text))
    except Exception:
        raise ValueError("write a database URL") from None
    engine = str(config["ENGINE"])
    name = str(config.get("NAME") or "")
    if not name:
        raise ValueError("it names no database")
    if engine.endswith(".sqlite3") and ":memory:" in name:
        raise ValueError("a database in memory is seen by one connection alone: name a file")
    # libpq's form of a Unix socket: its folder as the host, percent-encoded.
    config["HOST"] = unquote(str(config.get("HOST") or ""))
    return config


def _url(what: str, *schemes: str) -> Callable[[str], str]:
    def cast(text: str) -> str:
        if not _is_url(text, *schemes):
            raise ValueError(f"write {what}")
        return text

    return cast


redis = _url("a Redis URL", "redis", "rediss", "unix")
amqp = _url("an AMQP URL", "amqp", "amqps")


def _is_url(text: str, *schemes: str) -> bool:
    try:
        url = urlsplit(text)
        place = url.path if url.scheme == "unix" else url.hostname
        return url.scheme in schemes and bool(place) and url.port != 0
    except ValueError:
        return False


def level(text: str) -> str:
    """Parse a log level."""
    if text.upper() not in LEVELS:
        raise ValueError(f"one of {', '.join(LEVELS)}")
    return text.upper()


def log_format(text: str) -> str:
    """Check a log format."""
    if text not in ("readable", "json"):
        raise ValueError("readable or json")
    return text


def resources(text: str) -> list[str]:
    """Parse comma-separated names of resources as in topics."""
    values = comma_separated(text)
    for name in values:
        if not is_resource_name(name):
            raise ValueError(f"{name} is no resource: 1 to 40 lower-case letters, digits and _")
    return values


def roles(text: str) -> list[str]:
    """Parse comma-separated roles of agents."""
    values = comma_separated(text)
    known = [role.value for role in Role]
    for name in values:
        if name not in known:
            raise ValueError(f"{name} is no role: write some of {', '.join(known)}")
    return values


def keys(text: str) -> list[str]:
    """Parse comma-separated keys that sign or verify tokens."""
    values = comma_separated(text)
    if any(len(key) < KEY_MIN_CHARACTERS for key in values):
        raise ValueError(f"a key has at least {KEY_MIN_CHARACTERS} characters, or it can be guessed")
    return values


def load_or_create_secret(path: Path) -> str:
    """Return the secret in `path`, which is created on first use, readable by its owner alone."""
    try:
        with contextlib.suppress(FileNotFoundError):
            return path.read_text().strip()
        # The SQLite file with sessions and hashes will be there too.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name) as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            # Of two processes that start at once, one creates the secret and both read it, complete.
            with contextlib.suppress(FileExistsError):
                os.link(file.name, path)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"SECRET_KEY is unset and {path} cannot be kept ({error.strerror}). "
            "For example: SECRET_KEY=a long random text"
        ) from None
