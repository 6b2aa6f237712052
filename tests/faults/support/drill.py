"""One drill: companies, publishers and subscribers of many kinds around some gateways, and the oracle's verdict."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from types import TracebackType

from tests.faults.support.databases import query
from tests.faults.support.explanations import Receivers, sample
from tests.faults.support.oracle import StoredEvent, Verdict, judge
from tests.faults.support.product_client import ProductClient
from tests.faults.support.programs import ProgramClient, ProgramPublisher, PythonPublisher
from tests.faults.support.publisher import Publisher
from tests.faults.support.subscriber import Subscriber
from tests.journeys.support.cast import Company, company, settle
from tests.support.gateway import Gateway

LONG = bool(os.environ.get("DRILLS"))
"""Whether this is `make drills`."""

SOME = 600 if LONG else 60
"""Events published before, between and after faults."""

PER_SECOND = 200 if LONG else 60
EXPLAINED = 200 if LONG else 20
"""Events that Explain is requested for at the end."""

SETTLE_SECONDS = 60.0
_QUERY = "SELECT customer_id, seq, id, resource, resource_id, agent_ids FROM events_event ORDER BY seq"


class Drill:
    """Use as a context: publishing and listening begin with it; `settle` ends both and judges."""

    def __init__(
        self,
        gateways: Sequence[Gateway],
        *,
        per_second: float = PER_SECOND,
        publish_urls: Sequence[str] | None = None,
        listen_urls: Sequence[str] | None = None,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._settle_seconds = settle_seconds
        self.subscribers: list[Subscriber | ProductClient | ProgramClient] = []
        self._database_url = gateways[0].database_url
        self.companies = [company("Acme"), company("Globex")]
        settle(gateways[0], *self.companies)
        self._publish_urls = publish_urls or [gateway.url for gateway in gateways]
        self._listen_urls = listen_urls or [gateway.ws_url for gateway in gateways]
        self._per_second = per_second
        self.publishers: list[Publisher | PythonPublisher | ProgramPublisher] = []
        self._remembered: dict[str, StoredEvent] = {}

    async def __aenter__(self) -> Drill:
        for each in self.companies:
            self._subscribe_all(each)
        await self.all_ready()
        self.publishers = [
            Publisher(each, self._publish_urls, per_second=self._per_second / len(self.companies))
            for each in self.companies
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(each.stop() for each in self.subscribers))

    def subscribe(
        self,
        owner: Company,
        name: str,
        token: str,
        *patterns: str,
        batch: bool = False,
        cursor: str | None = None,
    ) -> Subscriber:
        """One more client."""
        # Each starts at another gateway, so that all of them have clients.
        turn = len(self.subscribers) % len(self._listen_urls)
        urls = [*self._listen_urls[turn:], *self._listen_urls[:turn]]
        subscriber = Subscriber(
            f"{owner.name}: {name}", owner.id, urls, token, patterns, batch=batch, cursor=cursor
        )
        self.subscribers.append(subscriber)
        return subscriber

    def _subscribe_all(self, owner: Company) -> None:
        customer, agent = f"customer_id:{owner.id}", f"agent_id:{owner.person('granted agent').id}"
        admin, manager = owner.token("admin"), owner.token("manager")
        self.subscribe(owner, "everything", owner.key("of the customer"), f"{customer}:*:*")
        self.subscribe(owner, "everything in batches", admin, f"{customer}:*:*", batch=True)
        self.subscribe(owner, "calls", manager, f"{customer}:call:*")
        self.subscribe(owner, "one call", manager, f"{customer}:call:call-7")
        self.subscribe(owner, "agent", owner.token("granted agent"), f"{agent}:*:*", f"{customer}:message:*")
        url = self._listen_urls[len(self.subscribers) % len(self._listen_urls)]
        own = ProductClient(f"{owner.name}: our client", owner.id, url, manager, [f"{customer}:*:*"])
        self.subscribers.append(own)
        overlapping = ("call:*", "*:call-1", "call:call-1", "queue:*")
        self.subscribe(owner, "overlapping", admin, *(f"{customer}:{each}" for each in overlapping))

    async def all_ready(self) -> None:
        """Wait until every client is subscribed."""
        await until(lambda: all(each.ready.is_set() or each.failure for each in self.subscribers))
        for each in self.subscribers:
            if each.failure:
                raise each.failure

    async def published(self, count: int) -> None:
        """Wait until this many more events were acknowledged."""
        wanted = self._acknowledged_count() + count
        await until(lambda: self._acknowledged_count() >= wanted)

    def statuses(self) -> dict[int, int]:
        """How often publishers got each HTTP status."""
        total: dict[int, int] = {}
        for publisher in self.publishers:
            for status, count in publisher.statuses.items():
                total[status] = total.get(status, 0) + count
        return total

    async def remember(self) -> None:
        """Note what is stored now: before a drill prunes it."""
        stored = await asyncio.to_thread(self._stored)
        self._remembered.update({event.id: event for event in stored})

    async def settle(self) -> Verdict:
        """Stop publishing, wait until every client has come to the end of its log, and judge."""
        await asyncio.wait_for(asyncio.gather(*(each.stop() for each in self.publishers)), SETTLE_SECONDS)
        await self.remember()
        stored = list(self._remembered.values())
        last = {event.customer_id: event.seq for event in stored}
        deadline = time.monotonic() + self._settle_seconds
        # A pong's cursor says that all before it has been sent, so also clients of rare topics come to the end.
        while behind := [
            each.story.name
            for each in self.subscribers
            if each.last_seq < last.get(each.story.customer_id, 0)
        ]:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.05)
        verdict = judge(self.acknowledged(), stored, [each.story for each in self.subscribers])
        verdict.problems += [
            f"{each.story.name} ended: {each.failure!r}" for each in self.subscribers if each.failure
        ]
        await self._compare_explanations(verdict)
        if behind:
            verdict.problems.append(f"{behind} did not come to the end within {self._settle_seconds:.0f} s")
        return verdict

    async def _compare_explanations(self, verdict: Verdict) -> None:
        receivers = Receivers([(each.token, each.story) for each in self.subscribers])
        kept = await asyncio.to_thread(self._stored)
        found = await sample(self._publish_urls, receivers, kept, EXPLAINED, patient=LONG)
        verdict.explained, verdict.unknown = found.answers.total(), found.answers["unknown"]
        verdict.problems += found.problems

    def longest_delay(self) -> float:
        """Seconds from an acknowledgement to its last delivery, at most."""
        acknowledged: dict[str, float] = {}
        for publisher in self.publishers:
            acknowledged |= publisher.acknowledged
        return max(
            (
                received - acknowledged[event]
                for subscriber in self.subscribers
                for event, received in subscriber.received_at.items()
                if event in acknowledged
            ),
            default=0.0,
        )

    def acknowledged(self) -> list[str]:
        """The ids of all events that publishers know to be stored."""
        return [event for publisher in self.publishers for event in publisher.acknowledged]

    def _acknowledged_count(self) -> int:
        return sum(len(publisher.acknowledged) for publisher in self.publishers)

    def _stored(self) -> list[StoredEvent]:
        return [_stored_event(*row) for row in query(self._database_url, _QUERY)]


def _stored_event(
    customer_id: object, seq: int, event_id: object, resource: str, resource_id: str, agent_ids: str
) -> StoredEvent:
    owner = _dashed(customer_id)
    scopes = [f"customer_id:{owner}", *(f"agent_id:{agent_id}" for agent_id in agent_ids.split())]
    topics = frozenset(f"{scope}:{resource}:{resource_id}" for scope in scopes)
    return StoredEvent(owner, seq, _dashed(event_id), topics)


def _dashed(value: object) -> str:
    """A UUID as text: SQLite keeps its 32 digits."""
    digits = str(value).replace("-", "")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


async def until(condition: Callable[[], object]) -> None:
    """Wait for the condition, without holding up the clients that run beside."""
    async with asyncio.timeout(SETTLE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)
