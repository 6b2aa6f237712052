"""A backend of the drills: publishes steadily, tries again with the same key, and notes what it knows to be stored."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
import uuid
from collections.abc import Sequence
from typing import Any

import httpx

from tests.journeys.support.cast import Company

RESOURCES = ("call", "message", "queue", "agent", "conference", "recording")


class Publisher:
    """Publishes for one company, `per_second` events at a time in lists and one by one, until it is stopped."""

    def __init__(self, owner: Company, urls: Sequence[str], *, per_second: float, tasks: int = 4) -> None:
        self.acknowledged: dict[str, float] = {}
        self.statuses: dict[int, int] = {}
        self._owner = owner
        self._urls = itertools.cycle(urls)
        self._pause = tasks / per_second
        self._stopping = False
        self._client = httpx.AsyncClient(
            timeout=20, headers={"Authorization": f"Bearer {owner.key('that publishes')}"}
        )
        self._tasks = [asyncio.create_task(self._publish()) for _ in range(tasks)]

    async def stop(self) -> None:
        """Finish what is under way, until each of it is acknowledged."""
        self._stopping = True
        await asyncio.gather(*self._tasks)
        await self._client.aclose()

    async def _publish(self) -> None:
        while not self._stopping:
            count = random.choice((1, 1, 1, 5))
            items = [self._event() for _ in range(count)]
            await self._until_acknowledged(items)
            await asyncio.sleep(self._pause * count * random.uniform(0.5, 1.5))

    async def _until_acknowledged(self, items: list[dict[str, Any]]) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError):
                response = await self._client.post(f"{next(self._urls)}/v1.0/events", json=items)
                self.statuses[response.status_code] = self.statuses.get(response.status_code, 0) + 1
                if response.status_code == 201:
                    now = time.monotonic()
                    self.acknowledged.update((receipt["id"], now) for receipt in response.json())
                    return
                # A proxy's 502 is as good as a lost connection: it had no answer to pass on.
                assert response.status_code in (502, 503), response.text
            await asyncio.sleep(random.uniform(0.05, 0.2))

    def _event(self) -> dict[str, Any]:
        resource = random.choice(RESOURCES)
        data: dict[str, Any] = {
            "id": f"{resource}-{random.randrange(20)}",
            "note": "x" * random.randrange(400),
        }
        if resource == "queue":
            data["queue_id"] = self._owner.queues[0]
        event: dict[str, Any] = {
            "event_type": f"{resource}.status",
            "data": data,
            "idempotency_key": uuid.uuid4().hex,
        }
        if random.random() < 0.3:
            event["agent_ids"] = [self._owner.person("granted agent").id]
        return event
