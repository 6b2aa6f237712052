"""Messages that an answer is expected to, and those who wait for one.

Sans-I/O.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from voipbin_ws_client.updates import Frame, Refusal

CHUNK = 100
"""Topics in one message: what a gateway takes by default."""


def chunks(topics: Sequence[str]) -> Iterator[Sequence[str]]:
    """The topics as they go into messages."""
    for start in range(0, len(topics), CHUNK):
        yield topics[start : start + CHUNK]


@dataclass(slots=True)
class Request:
    """A message under way, and the topics in it that are not answered yet."""

    action: str
    waiting: set[str]
    resumes: bool = False
    """Whether its topics were held before."""
    since: str | None = None
    opening: bool = False
    """Whether the connection is not ready before it is answered."""
    tries: int = 0
    reason: str | None = None
    """Why it cannot resume after all, where that is known beforehand."""
    acked: bool = False


class Requests:
    """The requests of one connection."""

    def __init__(self) -> None:
        self._by_number: dict[int, Request] = {}
        self._numbers = itertools.count(1)

    @property
    def resuming(self) -> bool:
        """Whether topics that were held before are not live yet."""
        return any(request.resumes and not request.acked for request in self._by_number.values())

    @property
    def opening(self) -> bool:
        """Whether the connection is not ready yet."""
        return any(request.opening for request in self._by_number.values())

    def message(self, request: Request, topics: Sequence[str]) -> Frame:
        """The message of a new request."""
        number = next(self._numbers)
        self._by_number[number] = request
        message: Frame = {"type": request.action, "topics": list(topics), "request_id": number}
        if request.since is not None:
            message["since"] = request.since
        return message

    def answered_by(self, frame: Frame, topics: Collection[str]) -> Request | None:
        """The request that a frame answers: by its id, or where the server sends none by action and topics."""
        number = frame.get("request_id")
        if isinstance(number, int):
            return self._by_number.get(number)
        for request in self._by_number.values():
            if request.action == frame.get("action") and request.waiting.issuperset(topics):
                return request
        return None

    def unasked(self, action: str, topics: Iterable[str]) -> list[str]:
        """Those of the topics that no request with this action is under way for."""
        asked = {
            topic for each in self._by_number.values() if each.action == action for topic in each.waiting
        }
        return [topic for topic in topics if topic not in asked]

    def settle(self, request: Request, topics: Iterable[str]) -> None:
        """Note the answer for these of its topics."""
        request.waiting.difference_update(topics)
        if not request.waiting:
            self._by_number = {
                number: each for number, each in self._by_number.items() if each is not request
            }

    def clear(self) -> None:
        """The connection is over, and with it all that was asked."""
        self._by_number.clear()


@dataclass(eq=False, slots=True)
class Call:
    """Somebody waits until each of these topics is answered; then `done` is called, once."""

    topics: set[str]
    done: Callable[[], None]
    refusals: list[Refusal] = field(default_factory=list)
    is_unanswered: bool = False
    """Whether there will be no answer, as there will be no connection."""


class Calls:
    """All who wait for the answers to one action."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def topics(self) -> set[str]:
        """What is waited for."""
        return {topic for call in self._calls for topic in call.topics}

    def add(self, topics: Iterable[str], done: Callable[[], None]) -> Call:
        """Somebody waits for these; where there are none, for nothing."""
        call = Call(set(topics), done)
        if call.topics:
            self._calls.append(call)
        else:
            done()
        return call

    def remove(self, call: Call) -> None:
        """This one waits no more."""
        self._calls = [each for each in self._calls if each is not call]

    def end(self) -> None:
        """There will be no answers: nobody waits in vain."""
        calls, self._calls = self._calls, []
        for call in calls:
            call.is_unanswered = True
            call.done()

    def settle(self, topics: Iterable[str], refusal: Refusal | None = None) -> set[str]:
        """Tell those who wait for these topics; returns the topics that somebody waited for."""
        told: set[str] = set()
        for call in list(self._calls):
            answered = call.topics.intersection(topics)
            if not answered:
                continue
            told |= answered
            call.topics -= answered
            if refusal is not None:
                mine = tuple(topic for topic in refusal.topics if topic in answered)
                call.refusals.append(replace(refusal, topics=mine))
            if not call.topics:
                self.remove(call)
                call.done()
        return told
