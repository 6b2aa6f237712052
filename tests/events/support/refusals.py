"""What every refusal to publish has in common."""

from __future__ import annotations

from typing import Any

from events.models import CustomerLog, Event
from tests.events.support.people import Answer


def refused(answer: Answer, status: int, code: str) -> list[dict[str, Any]]:
    """The errors of a refusal, which must leave nothing behind."""
    assert (answer.status, answer.body["code"]) == (status, code), answer.text
    assert answer.body["message"]
    assert not Event.objects.exists()
    assert not CustomerLog.objects.exists()
    errors: list[dict[str, Any]] = answer.body.get("errors", [])
    return errors
