"""What to say to the server, and what its frames mean: topics held, resuming, refusals. No socket, no clock.

Sans-I/O. Each method returns a Step: messages to send, in order, and entries for the caller's stream, in order.
"""

# Long because what one frame means depends on all that was said before, and that is easiest to check in one place.

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from voipbin_ws_client.pending_requests import PendingRequests, Request, Waiter, Waiters, chunks
from voipbin_ws_client.positions import Positions
from voipbin_ws_client.protocol import Action, CloseCode, ErrorCode
from voipbin_ws_client.updates import Frame, Gap, Item, Refusal, read_event, read_positions

logger = logging.getLogger(__name__)

RATE_LIMIT_TRIES = 5
NO_CURSOR = "the server keeps no cursor"
NOT_RESUMED = "the server does not resume"


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of the caller's stream: an item where there is one, and what its cursor moves to."""

    item: Item | None
    positions: Mapping[str, int] = field(default_factory=dict)
    complete: bool = False
    """Whether `positions` is of all logs, or only of those named."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done."""

    messages: Sequence[Frame] = ()
    entries: Sequence[Entry] = ()
    later: tuple[float, Frame] | None = None
    """A message to send after so many seconds."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended."""

    reason: str
    code: int | None = None
    retry: bool = True


class Conversation:
    """A client's side, over all of its connections.

    Topics that are there from the start are held from the progress's cursor on, where it has one. A topic that is
    added later is heard from its acknowledgement on.
    """

    def __init__(self, topics: Iterable[str], positions: Positions) -> None:
        self.announced_end: Ending | None = None
        """What the server says just before it closes the connection."""
        self.recovered: bool | None = None
        """Whether this connection went on where the last one ended; none where there was nothing to go on from."""
        self._positions = positions
        self._topics = dict.fromkeys(topics, positions.cursor is not None)
        self._live: set[str] = set()
        self._requests = PendingRequests()
        self._subscribe_waiters = Waiters()
        self._unsubscribe_waiters = Waiters()
        self._is_open = False

    @property
    def topics(self) -> tuple[str, ...]:
        """What is subscribed, or will be as soon as there is a connection."""
        return tuple(self._topics)

    @property
    def is_ready(self) -> bool:
        """Whether every topic that was to be subscribed when this connection opened has been answered."""
        return self._is_open and not self._requests.opening

    @property
    def has_waiters(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._subscribe_waiters or self._unsubscribe_waiters)

    # --- The connection ---

    def connection_opened(self) -> Step:
        """A connection was opened: go on with what was held, then subscribe what is new."""
        self._is_open, self.announced_end, self.recovered = True, None, None
        self._positions.start_connection()
        since = self._positions.cursor
        messages = []
        for chunk in chunks([topic for topic, was_granted in self._topics.items() if was_granted]):
            request = Request(Action.SUBSCRIBE, set(chunk), resumes=True, since=since, opening=True)
            messages.append(self._requests.add(request, chunk))
        for chunk in chunks([topic for topic, was_granted in self._topics.items() if not was_granted]):
            request = Request(Action.SUBSCRIBE, set(chunk), opening=True)
            messages.append(self._requests.add(request, chunk))
        return Step(messages)

    def connection_lost(self) -> None:
        """The connection is over. What was to be unsubscribed is; what was to be subscribed will be."""
        self._is_open = False
        self._requests.clear()
        self._live.clear()
        self._unsubscribe_waiters.settle(self._unsubscribe_waiters.topics)

    def client_ended(self) -> None:
        """There will be no connection any more."""
        self.connection_lost()
        self._subscribe_waiters.end()

    # --- The caller ---

    def subscribe(self, topics: Sequence[str], done: Callable[[], None]) -> tuple[Waiter, Step]:
        """Want these topics; `done` is called when each is held or refused, at once where there is nothing to do."""
        new = [topic for topic in dict.fromkeys(topics) if topic not in self._topics]
        self._topics.update(dict.fromkeys(new, False))
        waiter = self._subscribe_waiters.add((topic for topic in topics if topic not in self._live), done)
        return waiter, self._request(Action.SUBSCRIBE, new)

    def unsubscribe(self, topics: Sequence[str], done: Callable[[], None]) -> tuple[Waiter, Step]:
        """Want these topics no more."""
        removed = [topic for topic in dict.fromkeys(topics) if self._topics.pop(topic, None) is not None]
        self._live.difference_update(removed)
        waiter = self._unsubscribe_waiters.add(removed if self._is_open else (), done)
        if not self._is_open:
            self._subscribe_waiters.settle(removed)
        return waiter, self._request(Action.UNSUBSCRIBE, removed)

    def withdraw(self, waiter: Waiter) -> Step:
        """Nobody waits for this any more: withdraw what was asked and not granted yet, unless others wait for it."""
        self._subscribe_waiters.remove(waiter)
        self._unsubscribe_waiters.remove(waiter)
        withdrawn = [
            topic
            for topic in waiter.topics - self._subscribe_waiters.topics
            if self._topics.get(topic) is False
        ]
        return self.unsubscribe(withdrawn, lambda: None)[1]

    def _request(self, action: Action, topics: Sequence[str]) -> Step:
        if not self._is_open:
            return Step()
        return Step([self._requests.add(Request(action, set(chunk)), chunk) for chunk in chunks(topics)])

    # --- The server ---

    def receive(self, frame: Frame) -> Step:
        """Act on one frame. What is of no known kind is ignored: a newer server may say more."""
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
        positions = read_positions(event.cursor) or {}
        if self._positions.is_duplicate(positions):
            return Step()
        resuming = self._requests.resuming
        self._positions.deliver(positions, resuming=resuming)
        return Step(entries=[Entry(event, {} if resuming else positions)])

    def _complete_positions(self, frame: Frame) -> Mapping[str, int] | None:
        """Up to where all has come, where the frame says so and no topic that is being resumed has yet to begin."""
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
        # Withdrawn while the request was under way, or waited to be sent again.
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
        retry = frame.get("retry")
        refusal = Refusal(
            tuple(topics),
            str(frame.get("code") or ""),
            str(frame.get("message") or ""),
            retry if isinstance(retry, bool) else None,
        )
        if request is not None:
            return self._refused(request, refusal)
        if topics:
            # Not an answer: the server takes them away.
            return self._remove(refusal)
        close_code = CloseCode.__members__.get(refusal.code)
        if close_code is not None or refusal.retry is not None:
            self.announced_end = Ending(refusal.message, close_code, refusal.retry is not False)
        else:
            logger.warning("The server says %s: %s", refusal.code, refusal.message)
        return Step()

    def _refused(self, request: Request, refusal: Refusal) -> Step:
        if not refusal.topics:
            # The message as a whole was not accepted: it may be for its cursor, which another kind of server gave.
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
            refusal.code == ErrorCode.RATE_LIMITED
            and request.tries < RATE_LIMIT_TRIES
            and self._subscribe_waiters.topics.isdisjoint(topics)
        ):
            # Nobody waits who could be told, and the server only wants it slower.
            again = replace(request, unanswered=set(topics), tries=request.tries + 1, acked=False)
            return Step(later=(float(2**request.tries), self._requests.add(again, topics)))
        return self._remove(refusal)

    def _remove(self, refusal: Refusal) -> Step:
        """These topics are not heard: whoever waits for them is told, or else whoever reads the stream."""
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
