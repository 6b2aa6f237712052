"""Reading settings from the environment: a bad value stops the start with its name and an example of a good one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

_env = environ.Env()


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


def flag(text: str) -> bool:
    """`1` or `0`, or the usual words."""
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("write 1 or 0")


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number from `least` to `most`."""

    def cast(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("write a whole number") from None
        if not least <= number <= most:
            raise ValueError(f"from {least} to {most}")
        return number

    return cast


def seconds(least: float, most: float) -> Callable[[str], float]:
    """A time in seconds from `least` to `most`."""

    def cast(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise ValueError("write seconds as a number") from None
        if not least <= number <= most:
            raise ValueError(f"from {least} to {most} seconds")
        return number

    return cast


def text(value: str) -> str:
    """Any text."""
    return value


def words(text: str) -> list[str]:
    """Names with commas between them."""
    return [word.strip() for word in text.split(",") if word.strip()]


def origins(text: str) -> list[str]:
    """Origins with commas between them: scheme and host, no path; or `*`."""
    found = words(text)
    for origin in found:
        scheme, _, host = origin.partition("://")
        if origin != "*" and (not host or "/" in host or not scheme.isalpha()):
            raise ValueError(f"{origin} is no origin: scheme and host without a path")
    return found


def database(text: str) -> dict[str, Any]:
    """Django's settings of one database, from its URL."""
    try:
        config = dict(environ.Env.db_url_config(text))
    except Exception:
        raise ValueError("write a database URL") from None
    engine = str(config.get("ENGINE", ""))
    if not engine.endswith((".sqlite3", ".postgresql")):
        raise ValueError("sqlite:/// and postgresql:// are supported")
    return config


def redis(text: str) -> str:
    """A Redis URL."""
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("write a Redis URL")
    return text


def kept_secret(path: Path) -> str:
    """The secret that this checkout keeps in `path`, made on first use and readable by its owner alone."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # O_EXCL: of two processes that start at once, one makes the secret and both use it.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text().strip()
