"""Reading settings from the environment: a bad value stops the start with its name and an example of a good one."""

# Long because every kind of value that a setting can have is read in one place.

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from events.domain.topics import is_canonical_uuid, is_resource_name

DATABASE_SCHEMES = ("sqlite", "postgresql", "postgres", "psql", "pgsql")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
KEY_MIN_CHARACTERS = 32
"""RFC 7518, 3.2: a key of HS256 has at least as many bits as its hash."""

T = TypeVar("T")
N = TypeVar("N", int, float)


def read(name: str, cast: Callable[[str], T], default: T, example: str) -> T:
    """The variable `name`, read by `cast`; `default` where it is unset or empty.

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
    """Hold one number against others.

    Raises:
        ImproperlyConfigured: `value` is below `least`; `why` tells which other setting asks for it.
    """
    if value < least:
        raise ImproperlyConfigured(f"{name}: {value} is not right ({why}). For example: {name}={least}")


def flag(text: str) -> bool:
    """`1` or `0`, or the usual words."""
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("write 1 or 0")


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number from `least` to `most`."""
    return _number(int, least, most, "write a whole number", "")


def seconds(least: float, most: float) -> Callable[[str], float]:
    """A time in seconds from `least` to `most`."""
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
    """A secret as an HTTP header carries it."""
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("letters, digits and signs of ASCII alone")
    return text


def comma_separated(text: str) -> list[str]:
    """Names with commas between them."""
    return [word.strip() for word in text.split(",") if word.strip()]


def origins(text: str) -> list[str]:
    """Origins with commas between them: scheme and host, no path; or `*`."""
    values = comma_separated(text)
    for origin in values:
        scheme, _, host = origin.partition("://")
        if origin != "*" and (not host or "/" in host or not scheme.isalpha()):
            raise ValueError(f"{origin} is no origin: scheme and host without a path")
    return values


def origin(text: str) -> str:
    """One address without a path: scheme, host and, where it is not the usual one, port."""
    scheme, _, host = text.lower().rstrip("/").partition("://")
    parts = urlsplit(f"{scheme}://{host}")
    if scheme not in ("http", "https") or not parts.hostname or parts.netloc != host or parts.port == 0:
        raise ValueError("scheme and host without a path")
    if "@" in host:
        raise ValueError("it names no user")
    return f"{scheme}://{host}"


def networks(text: str) -> list[str]:
    """IP addresses and networks with commas between them."""
    values = comma_separated(text)
    for word in values:
        try:
            ip_network(word)
        except ValueError:
            raise ValueError(f"{word} is no IP address and no network such as 10.0.0.0/8") from None
    return values


def platforms(text: str) -> dict[str, str]:
    """Roots of platforms' APIs with commas between them: one for all customers (under ""), `<customer id>=` for one."""
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
    """Django's settings of one database, from its URL."""
    # Asked before the library is, which warns of other kinds with the whole URL, its password too.
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
    return config


def redis(text: str) -> str:
    """A Redis URL."""
    return _address(text, "a Redis URL", "redis", "rediss", "unix")


def amqp(text: str) -> str:
    """A URL of a RabbitMQ."""
    return _address(text, "an AMQP URL", "amqp", "amqps")


def _address(text: str, what: str, *schemes: str) -> str:
    if not _is_url(text, *schemes):
        raise ValueError(f"write {what}")
    return text


def _is_url(text: str, *schemes: str) -> bool:
    try:
        url = urlsplit(text)
        place = url.path if url.scheme == "unix" else url.hostname
        return url.scheme in schemes and bool(place) and url.port != 0
    except ValueError:
        return False


def level(text: str) -> str:
    """How much is logged."""
    if text.upper() not in LEVELS:
        raise ValueError(f"one of {', '.join(LEVELS)}")
    return text.upper()


def log_format(text: str) -> str:
    """How it is logged."""
    if text not in ("readable", "json"):
        raise ValueError("readable or json")
    return text


def resources(text: str) -> list[str]:
    """Names of resources as they stand in topics, with commas between them."""
    values = comma_separated(text)
    for name in values:
        if not is_resource_name(name):
            raise ValueError(f"{name} is no resource: 1 to 40 lower-case letters, digits and _")
    return values


def keys(text: str) -> list[str]:
    """Secrets that sign or verify tokens, with commas between them."""
    values = comma_separated(text)
    if any(len(key) < KEY_MIN_CHARACTERS for key in values):
        raise ValueError(f"a key has at least {KEY_MIN_CHARACTERS} characters, or it can be guessed")
    return values


def load_or_create_secret(path: Path) -> str:
    """The secret that this checkout keeps in `path`, made on first use and readable by its owner alone."""
    try:
        with contextlib.suppress(FileNotFoundError):
            return path.read_text().strip()
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name) as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            # Of two processes that start at once, one makes the secret and both use it, whole.
            with contextlib.suppress(FileExistsError):
                os.link(file.name, path)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"SECRET_KEY is unset and {path} cannot be kept ({error.strerror}). "
            "For example: SECRET_KEY=a long random text"
        ) from None
