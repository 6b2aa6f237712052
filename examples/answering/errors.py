"""What goes wrong: what ends the responder, and for the rest how it is told of and how long it waits."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 30.0


class FatalError(Exception):
    """It cannot go on before somebody does something; the message says what, in one line."""


def retry_delays() -> Iterator[float]:
    """Seconds to wait after the first failure, the second and so on."""
    seconds = FIRST_SECONDS
    while True:
        yield seconds
        seconds = min(seconds * 2, LONGEST_SECONDS)


def error_message(response: httpx.Response) -> str:
    """A refusal in its own words, where it has some."""
    try:
        message = response.json()["message"]
    except (ValueError, KeyError, TypeError):
        message = response.reason_phrase
    return f"{response.status_code} {str(message)[:200]}"


def log(text: str) -> None:
    """A line for whoever watches."""
    print(text, flush=True)
