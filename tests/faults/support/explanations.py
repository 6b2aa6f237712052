"""What `GET /v1.0/explain` says of some events at the end of a drill, beside what the clients received."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from tests.faults.support.oracle import Missed, ReceivedEvent, StoredEvent, Story

CONFIRMED_SECONDS = 30.0
"""A process has reported by then what it sent, if it works."""


@dataclass
class Sample:
    """How often each answer was given, and which of them contradict what the clients received."""

    answers: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class Receivers:
    """The clients by credential: Explain answers for all clients of one."""

    def __init__(self, clients: Sequence[tuple[str, Story]]) -> None:
        self._stories: dict[str, list[Story]] = {}
        for token, story in clients:
            self._stories.setdefault(token, []).append(story)

    def pairs(self, stored: Sequence[StoredEvent], count: int) -> list[tuple[str, StoredEvent]]:
        """Draw so many credentials, each with an event of its customer."""
        tokens = random.choices(list(self._stories), k=count)
        logs = {
            token: [event for event in stored if event.customer_id == self._stories[token][0].customer_id]
            for token in set(tokens)
        }
        return [(token, random.choice(logs[token])) for token in tokens if logs[token]]

    def contradiction(self, token: str, event: StoredEvent, answer: str) -> str | None:
        """What is wrong with the answer."""
        stories = self._stories[token]
        received = any(
            isinstance(each, ReceivedEvent) and each.id == event.id
            for story in stories
            for each in story.happenings
        )
        if answer == "false" and received:
            return "was delivered"
        # It was sent over a connection that broke, and what the client missed was not recovered: it was notified.
        in_gap = any(
            isinstance(each, Missed) and event.seq <= each.seq
            for story in stories
            for each in story.happenings
        )
        return "was never delivered" if answer == "true" and not received and not in_gap else None


async def sample(
    urls: Sequence[str], receivers: Receivers, stored: Sequence[StoredEvent], count: int, *, patient: bool
) -> Sample:
    """Have so many events explained; a patient one waits until what is sent is confirmed."""
    found = Sample()
    deadline = time.monotonic() + (CONFIRMED_SECONDS if patient else 0)
    async with httpx.AsyncClient(timeout=20) as client:
        for token, event in receivers.pairs(stored, count):
            while True:
                body = await _explain(client, urls, token, event)
                if body["rule"] != "not-confirmed" or time.monotonic() > deadline:
                    break
                await asyncio.sleep(0.2)
            answer = {True: "true", False: "false", None: "unknown"}[body["delivered"]]
            found.answers[answer] += 1
            if problem := receivers.contradiction(token, event, answer):
                found.problems.append(
                    f"Explain says {answer} ({body['rule']}: {body['reason']}) of {event}, which {problem}"
                )
    return found


async def _explain(
    client: httpx.AsyncClient, urls: Sequence[str], token: str, event: StoredEvent
) -> dict[str, object]:
    for url in itertools.islice(itertools.cycle(urls), 100):
        try:
            response = await client.get(
                f"{url}/v1.0/explain",
                params={"event": event.id},
                headers={"Authorization": f"Bearer {token}"},
            )
        except httpx.TransportError:
            continue
        if response.status_code == 200:
            return response.json()
        assert response.status_code in (502, 503), response.text
        await asyncio.sleep(0.1)
    raise AssertionError(f"{urls} do not answer")
