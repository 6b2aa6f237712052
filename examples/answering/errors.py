"""Fatal errors, delays between retries, and the output of the program."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 30.0


class FatalError(Exception):
    """An error that only the operator can correct; the message says how, in one line."""


def retry_delays() -> Iterator[float]:
    """Yield the delay in seconds after each consecutive failure."""
    seconds = FIRST_SECONDS
    while True:
        yield seconds
        seconds = min(seconds * 2, LONGEST_SECONDS)


def error_message(response: httpx.Response) -> str:
    """Return status and message of a refusal."""
    try:
        message = response.json()["message"]
    except (ValueError, KeyError, TypeError):
        message = response.reason_phrase
    return f"{response.status_code} {str(message)[:200]}"


def log(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)
