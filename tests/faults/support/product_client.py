"""The gateway's own Python client in the drills, judged like the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from voipbin_ws_client import Event, EventClient, Gap, State, StateChange

from tests.faults.support.oracle import Missed, ReceivedEvent, Started, Story


class ProductClient:
    """Listens by `voipbin_ws_client` until it is stopped."""

    def __init__(
        self,
        name: str,
        customer_id: str,
        url: str,
        token: str,
        patterns: Sequence[str],
        *,
        transport: str = "auto",
    ) -> None:
        self.token = token
        self.story = Story(name, customer_id)
        self.received_at: dict[str, float] = {}
        self.connections = 0
        self.close_codes: list[int] = []
        self.ready = asyncio.Event()
        self._patterns = tuple(patterns)
        self._client = EventClient(
            url,
            token=token,
            topics=patterns,
            transport=transport,
            on_state=self._changed,
            idle_seconds=1,
            answer_seconds=5,
        )
        self._task = asyncio.create_task(self._run(), name=name)

    @property
    def last_seq(self) -> int:
        """Up to where its cursor says that it has received everything."""
        return _seq(self._client.cursor) if self._client.cursor else 0

    @property
    def failure(self) -> BaseException | None:
        """What ended it before its time, such as an unexpected answer."""
        return self._task.exception() if self._task.done() and not self._task.cancelled() else None

    async def stop(self) -> None:
        """End for good."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def drop(self) -> None:
        """It has no say in that: the other clients of the drill are dropped."""

    def _changed(self, change: StateChange) -> None:
        if change.current is State.CONNECTED:
            self.connections += 1
            if not self.story.happenings:
                # No one publishes before all are ready, so this is the cursor of its first ack.
                self.story.happenings.append(Started(self.last_seq, self._patterns))
                self.ready.set()

    async def _run(self) -> None:
        async with self._client as client:
            async for item in client:
                match item:
                    case Event(id=str(event_id), cursor=str(cursor)):
                        self.story.happenings.append(ReceivedEvent(event_id, _seq(cursor), item.topic))
                        self.received_at.setdefault(event_id, time.monotonic())
                    case Gap(cursor=str(cursor)):
                        self.story.happenings.append(Missed(_seq(cursor)))
                    case _:
                        raise AssertionError(f"{self.story.name} was given {item}")


def _seq(cursor: str) -> int:
    return int(cursor.rpartition(".")[2])
