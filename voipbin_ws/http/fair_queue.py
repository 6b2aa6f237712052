"""Queues that serve their owners in turn: none waits for all items of another."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items, of each owner in their order. Not thread-safe."""

    def __init__(self) -> None:
        self._queues: OrderedDict[str, deque[T]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def __bool__(self) -> bool:
        return bool(self._queues)

    def put(self, owner: str, item: T) -> None:
        """Add an item behind those of its owner."""
        self._queues.setdefault(owner, deque()).append(item)

    def take(self) -> T:
        """Remove and return the first item of the owner whose turn it is.

        Raises:
            StopIteration: There is none.
        """
        owner = next(iter(self._queues))
        queue = self._queues[owner]
        item = queue.popleft()
        if queue:
            self._queues.move_to_end(owner)
        else:
            del self._queues[owner]
        return item


class Lanes(Generic[T]):
    """A few threads in which `work` handles items, those of each owner in their order.

    `work` gets at most `most` items at once, of one owner, which occupies one thread alone. It must not raise.
    """

    def __init__(self, name: str, threads: int, work: Callable[[list[T]], None], *, most: int) -> None:
        self.executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._work = work
        self._most = most
        self._lock = threading.Lock()
        self._queues: dict[str, deque[T]] = {}

    def put(self, owner: str, item: T) -> None:
        """Add an item behind those of its owner."""
        with self._lock:
            is_idle = owner not in self._queues
            self._queues.setdefault(owner, deque()).append(item)
        if is_idle:
            self.executor.submit(self._handle_next, owner)

    def _handle_next(self, owner: str) -> None:
        with self._lock:
            queue = self._queues[owner]
            items = [queue.popleft() for _ in range(min(len(queue), self._most))]
        try:
            self._work(items)
        finally:
            with self._lock:
                has_more = bool(queue)
                if not has_more:
                    del self._queues[owner]
            if has_more:
                # Behind the other owners.
                self.executor.submit(self._handle_next, owner)
