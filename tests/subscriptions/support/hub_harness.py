"""A hub with real log and layer, whose announcements the test sends, drops and reorders."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from channels.layers import get_channel_layer

from events.announcements.announcement import announcements, group_of
from events.database.threads import in_database_thread
from events.domain.event import Draft, Entry
from events.domain.event_parser import read_event
from events.domain.topics import known_resources, parse_pattern
from events.filters.event_filter import NO_FILTER, EventFilter
from events.log.publish import publish
from subscriptions.delivery.hub import Hub
from subscriptions.delivery.outbox import Flusher, Outbox
from subscriptions.delivery.replayer import Replayer
from subscriptions.delivery.subscriber import Subscriber
from subscriptions.delivery.transport import AsgiTransport
from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.effects import HeldTopic
from tests.support.frames import check_received

T = TypeVar("T")
RESOURCES = known_resources()
NEVER = 3600.0
PATIENCE_SECONDS = 20
"""The time-out of a failing test; no passing test takes as long."""


async def until(condition: Callable[[], T], what: str = "the condition") -> T:
    """Wait for a condition."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (answer := condition()):
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"after {PATIENCE_SECONDS} seconds still waiting for {what}") from None
    return answer


def held(text: str, customer_id: str, chosen: EventFilter = NO_FILTER) -> HeldTopic:
    return HeldTopic(text, parse_pattern(text, RESOURCES), customer_id, chosen)


class Reader:
    """The client's end of a connection. `reads` is whether it reads."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.reads = asyncio.Event()
        self.reads.set()

    async def send(self, message: Mapping[str, Any]) -> None:
        await self.reads.wait()
        check_received(json.loads(message["text"]))
        self.texts.append(message["text"])


class Client:
    """A subscriber of the hub, with what it received and how it was closed."""

    def __init__(self, harness: HubHarness, *, max_bytes: int = 4 * 2**20, reads: bool = True) -> None:
        self.closed: list[CloseCode] = []
        self.reader = Reader()
        if not reads:
            self.reader.reads.clear()
        self._harness = harness
        self.outbox = Outbox(
            AsgiTransport(self.reader.send),
            harness.flusher,
            max_bytes=max_bytes,
            batch=False,
            on_slow=lambda: self._close(CloseCode.TOO_SLOW, ""),
        )
        self.subscriber = Subscriber(self.outbox, self._close)
        self.replaying: asyncio.Task[None] | None = None

    def _close(self, code: CloseCode, message: str) -> None:
        self.closed.append(code)
        self._harness.hub.leave(self.subscriber)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.reader.texts]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the received events, in order."""
        return [int(event["cursor"].partition(".")[2]) for event in self.events]

    async def subscribe(
        self, *topics: str, customer_id: str, since: str | None = None, chosen: EventFilter = NO_FILTER
    ) -> str | None:
        """Subscribe as `Connection` does; returns why `since` is not recovered, else `None`."""
        hub, wanted = self._harness.hub, [held(topic, customer_id, chosen) for topic in topics]
        feeds = await hub.open([customer_id])
        if since is not None:
            epoch, _, seq = since.partition(".")
            recovery = await self._harness.replayer.recovery(feeds, {epoch: int(seq)})
            if recovery.reason is not None:
                return recovery.reason
            self._harness.replayer.begin(self.subscriber, wanted, recovery.starts)
            self.replaying = asyncio.ensure_future(self._harness.replayer.run(self.subscriber))
        else:
            hub.attach(self.subscriber, wanted)
        return None

    async def replayed(self) -> None:
        """Wait for the end of the replay, and raise its exception."""
        assert self.replaying is not None
        await asyncio.wait_for(self.replaying, 30)

    def unsubscribe(self, *topics: str, customer_id: str) -> None:
        self._harness.hub.detach(self.subscriber, [held(topic, customer_id) for topic in topics])


class HubHarness:
    """One process's hub, and the log; announcements are sent by `announce` alone."""

    def __init__(self, *, check_seconds: float = NEVER, max_stalled_seconds: float = NEVER) -> None:
        self.flusher = Flusher()
        self.hub = Hub(
            self.flusher,
            check_seconds=check_seconds,
            max_stalled_seconds=max_stalled_seconds,
            on_access_changed=lambda: None,
        )
        self.replayer = Replayer(self.hub, max_events=1000, at_once=2)
        self._unannounced: list[tuple[str, str, list[Entry]]] = []

    def hold_back(self, customer_id: str, epoch: str, entries: Sequence[Entry]) -> None:
        """Replaces the announcer: keeps what is to be announced."""
        self._unannounced.append((customer_id, epoch, list(entries)))

    async def start(self) -> None:
        self.hub.start()
        await until(lambda: self.hub.layer._channel, "the channel")

    async def store(self, customer_id: str, count: int = 1, **fields: Any) -> list[dict[str, Any]]:
        """Store events; returns their announcements, one for each, and does not send them."""
        for _ in range(count):
            await in_database_thread(publish, [draft(customer_id, **fields)])
        made = [
            message
            for customer, epoch, entries in self._unannounced
            for message in announcements(customer, epoch, entries)
        ]
        self._unannounced.clear()
        return made

    async def announce(self, *messages: dict[str, Any]) -> None:
        """Send announcements through the layer."""
        for message in messages:
            group = group_of(message["announcement"]["customer_id"])
            await get_channel_layer().group_send(group, message)

    async def publish(self, customer_id: str, count: int = 1, **fields: Any) -> None:
        """Store and announce events."""
        await self.announce(*await self.store(customer_id, count, **fields))


def draft(customer_id: str, event_type: str = "call.status", **data: Any) -> Draft:
    item = {"event_type": event_type, "data": {"id": "c1"} | data}
    return read_event(item, customer_id=customer_id, resources=RESOURCES, max_bytes=2**20)


def new_customer() -> str:
    return str(uuid.uuid4())


def everything(customer_id: str) -> str:
    """The topic of all events of a customer."""
    return f"customer_id:{customer_id}:*:*"


def members(customer_id: str) -> int:
    """The number of channels in the customer's group."""
    return len(get_channel_layer().groups.get(group_of(customer_id), {}))


async def subscribed(harness: HubHarness, customer_id: str, *topics: str, **options: Any) -> Client:
    """A client with these topics, or with all events of the customer."""
    client = Client(harness, **options)
    await client.subscribe(*(topics or (everything(customer_id),)), customer_id=customer_id)
    return client
