"""Messages that an answer is expected to, and those who wait for one.

Sans-I/O.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from voipbin_ws_client.protocol import Action
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

    action: Action
    unanswered: set[str]
    resumes: bool = False
    """Whether its topics were held before."""
    since: str | None = None
    opening: bool = False
    """Whether the connection is not ready before it is answered."""
    tries: int = 0
    reason: str | None = None
    """Why it cannot resume after all, where that is known beforehand."""
    acked: bool = False


class PendingRequests:
    """The requests of one connection."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}
        self._ids = itertools.count(1)

    @property
    def resuming(self) -> bool:
        """Whether topics that were held before are not live yet."""
        return any(request.resumes and not request.acked for request in self._requests.values())

    @property
    def opening(self) -> bool:
        """Whether the connection is not ready yet."""
        return any(request.opening for request in self._requests.values())

    def add(self, request: Request, topics: Sequence[str]) -> Frame:
        """The message of a new request."""
        request_id = next(self._ids)
        self._requests[request_id] = request
        message: Frame = {"type": request.action, "topics": list(topics), "request_id": request_id}
        if request.since is not None:
            message["since"] = request.since
        return message

    def find(self, frame: Frame, topics: Collection[str]) -> Request | None:
        """The request that a frame answers: by its id, or where the server sends none by action and topics."""
        request_id = frame.get("request_id")
        if isinstance(request_id, int):
            return self._requests.get(request_id)
        for request in self._requests.values():
            if request.action == frame.get("action") and request.unanswered.issuperset(topics):
                return request
        return None

    def without_request(self, action: Action, topics: Iterable[str]) -> list[str]:
        """Those of the topics that no request with this action is under way for."""
        requested = {
            topic for each in self._requests.values() if each.action == action for topic in each.unanswered
        }
        return [topic for topic in topics if topic not in requested]

    def settle(self, request: Request, topics: Iterable[str]) -> None:
        """Note the answer for these of its topics."""
        request.unanswered.difference_update(topics)
        if not request.unanswered:
            self._requests = {
                request_id: each for request_id, each in self._requests.items() if each is not request
            }

    def clear(self) -> None:
        """The connection is over, and with it all that was asked."""
        self._requests.clear()


@dataclass(eq=False, slots=True)
class Waiter:
    """Somebody waits until each of these topics is answered; then `done` is called, once."""

    topics: set[str]
    done: Callable[[], None]
    refusals: list[Refusal] = field(default_factory=list)
    is_abandoned: bool = False
    """Whether there will be no answer, as there will be no connection."""


class Waiters:
    """All who wait for the answers to one action."""

    def __init__(self) -> None:
        self._waiters: list[Waiter] = []

    def __bool__(self) -> bool:
        return bool(self._waiters)

    @property
    def topics(self) -> set[str]:
        """What is waited for."""
        return {topic for waiter in self._waiters for topic in waiter.topics}

    def add(self, topics: Iterable[str], done: Callable[[], None]) -> Waiter:
        """Somebody waits for these; where there are none, for nothing."""
        waiter = Waiter(set(topics), done)
        if waiter.topics:
            self._waiters.append(waiter)
        else:
            done()
        return waiter

    def remove(self, waiter: Waiter) -> None:
        """This one waits no more."""
        self._waiters = [each for each in self._waiters if each is not waiter]

    def end(self) -> None:
        """There will be no answers: nobody waits in vain."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.is_abandoned = True
            waiter.done()

    def settle(self, topics: Iterable[str], refusal: Refusal | None = None) -> set[str]:
        """Tell those who wait for these topics; returns the topics that somebody waited for."""
        notified: set[str] = set()
        for waiter in list(self._waiters):
            answered = waiter.topics.intersection(topics)
            if not answered:
                continue
            notified |= answered
            waiter.topics -= answered
            if refusal is not None:
                refused = tuple(topic for topic in refusal.topics if topic in answered)
                waiter.refusals.append(replace(refusal, topics=refused))
            if not waiter.topics:
                self.remove(waiter)
                waiter.done()
        return notified
