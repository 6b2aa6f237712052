"""What to say to the server, and what its frames mean: topics held, resuming, refusals. No socket, no clock.

Sans-I/O. Each method returns a Step: messages to send, in order, and entries for the caller's stream, in order.
"""

# Long because what one frame means depends on all that was said before, and that is easiest to check in one place.

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from voipbin_ws_client.pending_requests import Call, Calls, Request, Requests, chunks
from voipbin_ws_client.positions import Progress
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

    def __init__(self, topics: Iterable[str], progress: Progress) -> None:
        self.notice: Ending | None = None
        """What the server says just before it closes the connection."""
        self.recovered: bool | None = None
        """Whether this connection went on where the last one ended; none where there was nothing to go on from."""
        self._progress = progress
        self._topics = dict.fromkeys(topics, progress.cursor is not None)
        self._live: set[str] = set()
        self._requests = Requests()
        self._subscribing = Calls()
        self._unsubscribing = Calls()
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
    def is_awaited(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._subscribing or self._unsubscribing)

    # --- The connection ---

    def opened(self) -> Step:
        """A connection was opened: go on with what was held, then subscribe what is new."""
        self._is_open, self.notice, self.recovered = True, None, None
        self._progress.begin()
        since = self._progress.cursor
        messages = []
        for chunk in chunks([topic for topic, was_held in self._topics.items() if was_held]):
            request = Request("subscribe", set(chunk), resumes=True, since=since, opening=True)
            messages.append(self._requests.message(request, chunk))
        for chunk in chunks([topic for topic, was_held in self._topics.items() if not was_held]):
            request = Request("subscribe", set(chunk), opening=True)
            messages.append(self._requests.message(request, chunk))
        return Step(messages)

    def lost(self) -> None:
        """The connection is over. What was to be unsubscribed is; what was to be subscribed will be."""
        self._is_open = False
        self._requests.clear()
        self._live.clear()
        self._unsubscribing.settle(self._unsubscribing.topics)

    def ended(self) -> None:
        """There will be no connection any more."""
        self.lost()
        self._subscribing.end()

    # --- The caller ---

    def subscribe(self, topics: Sequence[str], done: Callable[[], None]) -> tuple[Call, Step]:
        """Want these topics; `done` is called when each is held or refused, at once where there is nothing to do."""
        fresh = [topic for topic in dict.fromkeys(topics) if topic not in self._topics]
        self._topics.update(dict.fromkeys(fresh, False))
        call = self._subscribing.add((topic for topic in topics if topic not in self._live), done)
        return call, self._ask("subscribe", fresh)

    def unsubscribe(self, topics: Sequence[str], done: Callable[[], None]) -> tuple[Call, Step]:
        """Want these topics no more."""
        held = [topic for topic in dict.fromkeys(topics) if self._topics.pop(topic, None) is not None]
        self._live.difference_update(held)
        call = self._unsubscribing.add(held if self._is_open else (), done)
        if not self._is_open:
            self._subscribing.settle(held)
        return call, self._ask("unsubscribe", held)

    def abandon(self, call: Call) -> Step:
        """Nobody waits for this any more: withdraw what was asked and not granted yet, unless others wait for it."""
        self._subscribing.remove(call)
        self._unsubscribing.remove(call)
        withdrawn = [
            topic for topic in call.topics - self._subscribing.topics if self._topics.get(topic) is False
        ]
        return self.unsubscribe(withdrawn, lambda: None)[1]

    def _ask(self, action: str, topics: Sequence[str]) -> Step:
        if not self._is_open:
            return Step()
        return Step([self._requests.message(Request(action, set(chunk)), chunk) for chunk in chunks(topics)])

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
                positions = self._reached(frame)
                return Step() if positions is None else Step(entries=[Entry(None, positions, complete=True)])
        return Step()

    def _event(self, frame: Frame) -> Step:
        event = read_event(frame)
        if event is None:
            return Step()
        positions = read_positions(event.cursor) or {}
        if self._progress.is_repetition(positions):
            return Step()
        resuming = self._requests.resuming
        self._progress.delivered(positions, resuming=resuming)
        return Step(entries=[Entry(event, {} if resuming else positions)])

    def _reached(self, frame: Frame) -> Mapping[str, int] | None:
        """Up to where all has come, where the frame says so and no topic that is being resumed has yet to begin."""
        positions = read_positions(frame.get("cursor"))
        if positions is None or self._requests.resuming:
            return None
        self._progress.complete(positions)
        return positions

    def _ack(self, frame: Frame) -> Step:
        topics = _strings(frame.get("topics"))
        request = self._requests.answered_by(frame, topics)
        if request is not None:
            request.acked = True
            self._requests.settle(request, topics)
        if frame.get("action") == Action.UNSUBSCRIBE:
            self._unsubscribing.settle(topics)
        if frame.get("action") != Action.SUBSCRIBE:
            return Step()
        gap = self._resumed(request, frame, topics) if request is not None and request.resumes else None
        positions = self._reached(frame)
        wanted = [topic for topic in topics if topic in self._topics]
        self._topics.update(dict.fromkeys(wanted, True))
        self._live.update(wanted)
        self._subscribing.settle(topics)
        # Withdrawn while the request was under way, or waited to be sent again.
        unwanted = [topic for topic in topics if topic not in self._topics]
        step = self._ask("unsubscribe", self._requests.unasked("unsubscribe", unwanted))
        return Step(step.messages, [Entry(gap, positions or {}, complete=positions is not None)])

    def _resumed(self, request: Request, frame: Frame, topics: Sequence[str]) -> Gap | None:
        if frame.get("recovered") is True:
            self.recovered = self.recovered is not False
            return None
        self.recovered = False
        self._progress.not_recovered(read_positions(frame.get("cursor")) or {})
        reason = request.reason or frame.get("reason") or (NOT_RESUMED if request.since else NO_CURSOR)
        cursor = frame.get("cursor")
        return Gap(tuple(topics), str(reason), cursor if isinstance(cursor, str) and cursor else None)

    def _error(self, frame: Frame) -> Step:
        topics = _strings(frame.get("topics"))
        request = self._requests.answered_by(frame, topics)
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
            return self._drop(refusal)
        close_code = CloseCode.__members__.get(refusal.code)
        if close_code is not None or refusal.retry is not None:
            self.notice = Ending(refusal.message, close_code, refusal.retry is not False)
        else:
            logger.warning("The server says %s: %s", refusal.code, refusal.message)
        return Step()

    def _refused(self, request: Request, refusal: Refusal) -> Step:
        if not refusal.topics:
            # The message as a whole was not accepted: it may be for its cursor, which another kind of server gave.
            topics = sorted(request.waiting)
            if request.since is not None:
                again = replace(request, waiting=set(topics), since=None, tries=0, reason=refusal.message)
                self._requests.settle(request, topics)
                return Step([self._requests.message(again, topics)])
            refusal = replace(refusal, topics=tuple(topics))
        topics = list(refusal.topics)
        self._requests.settle(request, topics)
        if request.action == Action.UNSUBSCRIBE:
            self._unsubscribing.settle(topics, refusal)
            return Step()
        if (
            refusal.code == ErrorCode.RATE_LIMITED
            and request.tries < RATE_LIMIT_TRIES
            and self._subscribing.topics.isdisjoint(topics)
        ):
            # Nobody waits who could be told, and the server only wants it slower.
            again = replace(request, waiting=set(topics), tries=request.tries + 1, acked=False)
            return Step(later=(float(2**request.tries), self._requests.message(again, topics)))
        return self._drop(refusal)

    def _drop(self, refusal: Refusal) -> Step:
        """These topics are not heard: whoever waits for them is told, or else whoever reads the stream."""
        for topic in refusal.topics:
            self._topics.pop(topic, None)
            self._live.discard(topic)
        told = self._subscribing.settle(refusal.topics, refusal)
        untold = tuple(topic for topic in refusal.topics if topic not in told)
        if not untold:
            return Step()
        return Step(entries=[Entry(replace(refusal, topics=untold))])


def _strings(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
