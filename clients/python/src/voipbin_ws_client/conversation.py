"""The client's side of the protocol: messages to send, and the meaning of frames.

Sans-I/O. Each method returns a Step: messages to send and entries for the inbox, both in order.
"""

# Long because the meaning of a frame depends on all messages before it, which is easiest to check in one place.

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from voipbin_ws_client.pending_requests import PendingRequests, Request, Waiter, Waiters, chunks
from voipbin_ws_client.positions import Positions
from voipbin_ws_client.protocol import Action, CloseCode
from voipbin_ws_client.updates import Frame, Gap, Item, Refusal, read_event, read_positions

logger = logging.getLogger(__name__)

RATE_LIMITED = "RATE_LIMITED"
RATE_LIMIT_TRIES = 5
MAX_RETRY_SECONDS = 60.0
NO_CURSOR = "the server keeps no cursor"
NOT_RESUMED = "the server does not resume"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the inbox: an item or `None`, and the positions reached with it."""

    item: Item | None
    positions: Mapping[str, int] = field(default_factory=dict)
    complete: bool = False
    """Whether `positions` names all logs of the connection, and so replaces the earlier positions."""


@dataclass(frozen=True, slots=True)
class Step:
    """Actions for the connection."""

    messages: Sequence[Frame] = ()
    entries: Sequence[Entry] = ()
    later: tuple[float, Frame] | None = None
    """A delay in seconds, and the message to send after it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended."""

    reason: str
    code: int | None = None
    retry: bool = True


class Conversation:
    """The client's side of the protocol, across all of its connections.

    The initial topics resume from the cursor of `positions`, if there is one. A topic that is added later is live from
    its ack on.
    """

    def __init__(self, topics: Iterable[str], positions: Positions) -> None:
        self.announced_end: Ending | None = None
        """The content of the error frame that precedes a close."""
        self.recovered: bool | None = None
        """Whether this connection resumed without a gap; `None` if it had nothing to resume."""
        self._positions = positions
        self._topics = dict.fromkeys(topics, positions.cursor is not None)
        self._filters: dict[str, Frame | None] = {}
        self._live: set[str] = set()
        self._requests = PendingRequests()
        self._subscribe_waiters = Waiters()
        self._unsubscribe_waiters = Waiters()
        self._is_open = False

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that are subscribed, or will be once there is a connection."""
        return tuple(self._topics)

    @property
    def is_ready(self) -> bool:
        """Whether all requests that were sent when the connection opened are answered."""
        return self._is_open and not self._requests.opening

    @property
    def has_waiters(self) -> bool:
        """Whether a call of `subscribe` or `unsubscribe` waits for its answer."""
        return bool(self._subscribe_waiters or self._unsubscribe_waiters)

    # --- The connection ---

    def connection_opened(self) -> Step:
        """Resume the topics that were granted before, and subscribe the new ones."""
        self._is_open, self.announced_end, self.recovered = True, None, None
        self._positions.start_connection()
        since = self._positions.cursor
        granted = [topic for topic, was_granted in self._topics.items() if was_granted]
        new = [topic for topic, was_granted in self._topics.items() if not was_granted]
        resume = self._requests_of(Action.SUBSCRIBE, granted, resumes=True, since=since, opening=True)
        return Step([*resume, *self._requests_of(Action.SUBSCRIBE, new, opening=True)])

    def connection_lost(self) -> None:
        """Discard the state of the connection.

        Pending unsubscriptions are complete, because the topics are gone from `topics`. Pending subscriptions are sent
        again with the next connection.
        """
        self._is_open = False
        self._requests.clear()
        self._live.clear()
        self._unsubscribe_waiters.settle(self._unsubscribe_waiters.topics)

    def client_ended(self) -> None:
        """Release all waiters: there will be no other connection."""
        self.connection_lost()
        self._subscribe_waiters.end()

    # --- The application ---

    def subscribe(
        self, topics: Sequence[str], done: Callable[[], None], chosen: Frame | None = None
    ) -> tuple[Waiter, Step]:
        """Add topics with a filter, or replace that of topics.

        `done` is called after all are granted or refused, or at once.
        """
        new = [
            topic
            for topic in dict.fromkeys(topics)
            if topic not in self._topics or self._filters.get(topic) != chosen
        ]
        for topic in new:
            self._topics.setdefault(topic, False)
            self._filters[topic] = chosen
        self._live.difference_update(new)
        waiter = self._subscribe_waiters.add((topic for topic in topics if topic not in self._live), done)
        return waiter, self._request(Action.SUBSCRIBE, new)

    def unsubscribe(self, topics: Sequence[str], done: Callable[[], None]) -> tuple[Waiter, Step]:
        """Remove topics; `done` is called once the server has acknowledged that."""
        removed = [topic for topic in dict.fromkeys(topics) if self._topics.pop(topic, None) is not None]
        self._live.difference_update(removed)
        waiter = self._unsubscribe_waiters.add(removed if self._is_open else (), done)
        if not self._is_open:
            self._subscribe_waiters.settle(removed)
        return waiter, self._request(Action.UNSUBSCRIBE, removed)

    def withdraw(self, waiter: Waiter) -> Step:
        """Remove a waiter; unsubscribe its topics that are not granted and have no other."""
        self._subscribe_waiters.remove(waiter)
        self._unsubscribe_waiters.remove(waiter)
        withdrawn = [
            topic
            for topic in waiter.topics - self._subscribe_waiters.topics
            if self._topics.get(topic) is False
        ]
        return self.unsubscribe(withdrawn, lambda: None)[1]

    def _request(self, action: Action, topics: Sequence[str]) -> Step:
        return Step(self._requests_of(action, topics)) if self._is_open else Step()

    def _requests_of(self, action: Action, topics: Sequence[str], **details: Any) -> list[Frame]:
        together: list[tuple[Frame | None, list[str]]] = []
        for topic in topics:
            chosen = self._filters.get(topic) if action is Action.SUBSCRIBE else None
            same = next((group for each, group in together if each == chosen), None)
            if same is None:
                together.append((chosen, same := []))
            same.append(topic)
        return [
            self._requests.add(Request(action, set(chunk), filter=chosen, **details), chunk)
            for chosen, group in together
            for chunk in chunks(group)
        ]

    # --- The server ---

    def receive(self, frame: Frame) -> Step:
        """Handle one frame. Unknown types are ignored: newer servers may send them."""
        if "event_type" in frame:
            return self._event(frame)
        match frame.get("type"):
            case "ack":
                return self._ack(frame)
            case "error":
                return self._error(frame)
            case "pong":
                positions = self._complete_positions(frame)
                return Step() if positions is None else Step(entries=[Entry(None, positions, complete=True)])
        return Step()

    def _event(self, frame: Frame) -> Step:
        event = read_event(frame)
        if event is None:
            return Step()
        if frame.get("ephemeral"):
            # It is not stored: its cursor says where its content holds.
            return Step(entries=[Entry(event)])
        positions = read_positions(event.cursor) or {}
        if self._positions.is_duplicate(positions):
            return Step()
        resuming = self._requests.resuming
        self._positions.deliver(positions, resuming=resuming)
        return Step(entries=[Entry(event, {} if resuming else positions)])

    def _complete_positions(self, frame: Frame) -> Mapping[str, int] | None:
        """Return the frame's positions if all events up to them have arrived.

        That is not so while the replay of a resumed topic has not started.
        """
        positions = read_positions(frame.get("cursor"))
        if positions is None or self._requests.resuming:
            return None
        self._positions.reach(positions)
        return positions

    def _ack(self, frame: Frame) -> Step:
        topics = _strings(frame.get("topics"))
        request = self._requests.find(frame, topics)
        if request is not None:
            request.acked = True
            self._requests.settle(request, topics)
        if frame.get("action") == Action.UNSUBSCRIBE:
            self._unsubscribe_waiters.settle(topics)
        if frame.get("action") != Action.SUBSCRIBE:
            return Step()
        gap = self._gap_of(request, frame, topics) if request is not None and request.resumes else None
        positions = self._complete_positions(frame)
        wanted = [topic for topic in topics if topic in self._topics]
        self._topics.update(dict.fromkeys(wanted, True))
        self._live.update(wanted)
        self._subscribe_waiters.settle(topics)
        # Removed while the request was pending, or waited to be sent again.
        unwanted = [topic for topic in topics if topic not in self._topics]
        step = self._request(Action.UNSUBSCRIBE, self._requests.without_request(Action.UNSUBSCRIBE, unwanted))
        return Step(step.messages, [Entry(gap, positions or {}, complete=positions is not None)])

    def _gap_of(self, request: Request, frame: Frame, topics: Sequence[str]) -> Gap | None:
        if frame.get("recovered") is True:
            self.recovered = self.recovered is not False
            return None
        self.recovered = False
        self._positions.restart_logs(read_positions(frame.get("cursor")) or {})
        reason = request.reason or frame.get("reason") or (NOT_RESUMED if request.since else NO_CURSOR)
        cursor = frame.get("cursor")
        return Gap(tuple(topics), str(reason), cursor if isinstance(cursor, str) and cursor else None)

    def _error(self, frame: Frame) -> Step:
        topics = _strings(frame.get("topics"))
        request = self._requests.find(frame, topics)
        retry, retry_after = frame.get("retry"), frame.get("retry_after")
        refusal = Refusal(
            tuple(topics),
            str(frame.get("code") or ""),
            str(frame.get("message") or ""),
            retry if isinstance(retry, bool) else None,
            float(retry_after) if isinstance(retry_after, int | float) else None,
        )
        if request is not None:
            return self._refused(request, refusal)
        if topics:
            # Not an answer to a request: the server withdraws the topics.
            return self._remove(refusal)
        close_code = CloseCode.__members__.get(refusal.code)
        if close_code is not None or refusal.retry is not None:
            self.announced_end = Ending(refusal.message, close_code, refusal.retry is not False)
        else:
            logger.warning("The server says %s: %s", refusal.code, refusal.message)
        return Step()

    def _refused(self, request: Request, refusal: Refusal) -> Step:
        if not refusal.topics:
            # The server refused the whole message. The reason may be the cursor, if another server issued it.
            topics = sorted(request.unanswered)
            if request.since is not None:
                again = replace(request, unanswered=set(topics), since=None, tries=0, reason=refusal.message)
                self._requests.settle(request, topics)
                return Step([self._requests.add(again, topics)])
            refusal = replace(refusal, topics=tuple(topics))
        topics = list(refusal.topics)
        self._requests.settle(request, topics)
        if request.action == Action.UNSUBSCRIBE:
            self._unsubscribe_waiters.settle(topics, refusal)
            return Step()
        if (
            refusal.code == RATE_LIMITED
            and request.tries < RATE_LIMIT_TRIES
            and self._subscribe_waiters.topics.isdisjoint(topics)
        ):
            # No waiter can receive the refusal, and the server only asks for a lower rate.
            again = replace(request, unanswered=set(topics), tries=request.tries + 1, acked=False)
            delay = max(2.0**request.tries, min(refusal.retry_after or 0.0, MAX_RETRY_SECONDS))
            return Step(later=(delay, self._requests.add(again, topics)))
        return self._remove(refusal)

    def _remove(self, refusal: Refusal) -> Step:
        """Remove refused topics; notify their waiters, or put the refusal into the inbox."""
        for topic in refusal.topics:
            self._topics.pop(topic, None)
            self._live.discard(topic)
        notified = self._subscribe_waiters.settle(refusal.topics, refusal)
        remaining = tuple(topic for topic in refusal.topics if topic not in notified)
        if not remaining:
            return Step()
        return Step(entries=[Entry(replace(refusal, topics=remaining))])


def _strings(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
