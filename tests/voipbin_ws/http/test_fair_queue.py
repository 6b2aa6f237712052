"""Queues that serve their owners in turn."""

from __future__ import annotations

import threading

import pytest

from tests.support.waiting import wait_until
from voipbin_ws.http.fair_queue import FairQueue, Lanes


def test_owners_are_served_in_turn_and_each_in_its_order() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "a3", "b1", "c1", "b2"):
        queue.put(item[0], item)
    assert [queue.take() for _ in range(4)] == ["a1", "b1", "c1", "a2"]
    queue.put("c", "c2")
    assert [queue.take() for _ in range(3)] == ["b2", "a3", "c2"]
    assert not queue
    with pytest.raises(StopIteration):
        queue.take()


class Work:
    """Handles items when it is allowed to, and notes the batches."""

    def __init__(self) -> None:
        self.go_on = threading.Semaphore(0)
        self.batches: list[list[str]] = []
        self.running = 0

    def __call__(self, items: list[str]) -> None:
        self.running += 1
        self.go_on.acquire()
        self.batches.append(items)
        self.running -= 1


def test_an_owner_has_one_lane_and_the_others_go_before_its_next_items() -> None:
    work = Work()
    lanes = Lanes("test", 1, work, most=2)
    for item in ("a1", "a2", "a3", "b1"):
        lanes.put(item[0], item)
    work.go_on.release(4)
    wait_until(lambda: len(work.batches) == 3, "three batches")
    assert [batch[0] for batch in work.batches] == ["a1", "b1", "a2"] or work.batches == [
        ["a1", "a2"],
        ["b1"],
        ["a3"],
    ]
    assert sorted(item for batch in work.batches for item in batch) == ["a1", "a2", "a3", "b1"]
    lanes.executor.shutdown()


def test_an_owner_occupies_one_thread_alone() -> None:
    work = Work()
    lanes = Lanes("test", 3, work, most=1)
    for item in ("a1", "a2", "a3", "b1"):
        lanes.put(item[0], item)
    wait_until(lambda: work.running == 2, "a and b are handled")
    assert work.batches == []
    work.go_on.release(4)
    wait_until(lambda: len(work.batches) == 4, "all are handled")
    assert [batch for batch in work.batches if batch[0].startswith("a")] == [["a1"], ["a2"], ["a3"]]
    lanes.put("a", "a4")
    work.go_on.release()
    wait_until(lambda: len(work.batches) == 5, "a comes back")
    lanes.executor.shutdown()
