"""Messages without an answer yet, and the calls of the application that wait for one.

Sans-I/O.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from voipbin_ws_client.protocol import Action
from voipbin_ws_client.updates import Frame, Refusal

CHUNK = 100
"""Topics in one message: the default limit of a gateway."""


def chunks(topics: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split topics into the groups of one message each."""
    for start in range(0, len(topics), CHUNK):
        yield topics[start : start + CHUNK]


@dataclass(slots=True)
class Request:
    """A sent message, and its topics without an answer yet."""

    action: Action
    unanswered: set[str]
    resumes: bool = False
    """Whether its topics were granted on an earlier connection."""
    since: str | None = None
    filter: Frame | None = None
    """The filter of all its topics."""
    opening: bool = False
    """Whether the client counts as connected only after the answer."""
    tries: int = 0
    reason: str | None = None
    """Why the topics cannot resume, if the server has already refused the cursor."""
    acked: bool = False


class PendingRequests:
    """The unanswered requests of one connection."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}
        self._ids = itertools.count(1)

    @property
    def resuming(self) -> bool:
        """Whether resumed topics still wait for their ack."""
        return any(request.resumes and not request.acked for request in self._requests.values())

    @property
    def opening(self) -> bool:
        """Whether requests that were sent when the connection opened still wait for an answer."""
        return any(request.opening for request in self._requests.values())

    def add(self, request: Request, topics: Sequence[str]) -> Frame:
        """Add a request; return its message."""
        request_id = next(self._ids)
        self._requests[request_id] = request
        message: Frame = {"type": request.action, "topics": list(topics), "request_id": request_id}
        if request.since is not None:
            message["since"] = request.since
        if request.filter is not None:
            message["filter"] = request.filter
        return message

    def find(self, frame: Frame, topics: Collection[str]) -> Request | None:
        """Return the request that a frame answers; `None` if there is no such request.

        Servers that send no request id are matched by action and topics.
        """
        request_id = frame.get("request_id")
        if isinstance(request_id, int):
            return self._requests.get(request_id)
        for request in self._requests.values():
            if request.action == frame.get("action") and request.unanswered.issuperset(topics):
                return request
        return None

    def without_request(self, action: Action, topics: Iterable[str]) -> list[str]:
        """Return the topics that no pending request with this action has."""
        requested = {
            topic for each in self._requests.values() if each.action == action for topic in each.unanswered
        }
        return [topic for topic in topics if topic not in requested]

    def settle(self, request: Request, topics: Iterable[str]) -> None:
        """Record the answer for some topics of a request."""
        request.unanswered.difference_update(topics)
        if not request.unanswered:
            self._requests = {
                request_id: each for request_id, each in self._requests.items() if each is not request
            }

    def clear(self) -> None:
        """Discard all requests."""
        self._requests.clear()


@dataclass(eq=False, slots=True)
class Waiter:
    """A call that waits for the answers for its topics; the last one calls `done`."""

    topics: set[str]
    done: Callable[[], None]
    refusals: list[Refusal] = field(default_factory=list)
    is_abandoned: bool = False
    """Whether the client ended before the answer."""


class Waiters:
    """The calls that wait for the answers to one action."""

    def __init__(self) -> None:
        self._waiters: list[Waiter] = []

    def __bool__(self) -> bool:
        return bool(self._waiters)

    @property
    def topics(self) -> set[str]:
        """The topics that the calls wait for."""
        return {topic for waiter in self._waiters for topic in waiter.topics}

    def add(self, topics: Iterable[str], done: Callable[[], None]) -> Waiter:
        """Add a call; without topics it is done at once."""
        waiter = Waiter(set(topics), done)
        if waiter.topics:
            self._waiters.append(waiter)
        else:
            done()
        return waiter

    def remove(self, waiter: Waiter) -> None:
        """Remove a call without calling its `done`."""
        self._waiters = [each for each in self._waiters if each is not waiter]

    def end(self) -> None:
        """Release all calls, marked as abandoned."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.is_abandoned = True
            waiter.done()

    def settle(self, topics: Iterable[str], refusal: Refusal | None = None) -> set[str]:
        """Record the answer for topics; return those that a call waited for."""
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
