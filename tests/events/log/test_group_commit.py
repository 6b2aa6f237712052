"""Sharing commits: in order, each its own result, and nobody harmed or kept waiting by another."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from events.log.group_commit import MAX_WEIGHT, GroupCommit, Submission
from tests.support.waiting import wait_until

PATIENCE_SECONDS = 20
"""Bounds a failure."""


class Stage:
    """A slow commit, which doubles numbers, and threads that submit them."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.go_on = threading.Event()
        self.fail: Callable[[list[int]], None] = lambda numbers: None
        self.commits = GroupCommit[int, int](self._commit)
        self.answers: dict[int, int | Exception] = {}
        self._threads: list[threading.Thread] = []

    def _commit(self, group: list[Submission[int, int]]) -> None:
        numbers = [submission.work for submission in group]
        self.groups.append(numbers)
        assert self.go_on.wait(PATIENCE_SECONDS)
        self.fail(numbers)
        for submission in group:
            if submission.work < 0:
                submission.error = ValueError(submission.work)
            else:
                submission.result = 2 * submission.work

    def submit(self, number: int, *, weight: int = 1, alone: bool = False) -> None:
        """From a thread of its own, which waits by the time that this returns."""
        waiting = len(self.commits._waiting) + len(self.groups)

        def run() -> None:
            try:
                self.answers[number] = self.commits.submit(number, weight=weight, alone=alone)
            except Exception as error:
                self.answers[number] = error

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()
        wait_until(lambda: len(self.commits._waiting) + len(self.groups) > waiting, "the submission")

    def finish(self) -> None:
        self.go_on.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_one_alone_is_committed_at_once(stage: Stage) -> None:
    stage.go_on.set()
    assert stage.commits.submit(21) == 42
    assert stage.groups == [[21]]


def test_what_comes_during_a_commit_shares_the_next_one_in_its_order(stage: Stage) -> None:
    for number in range(1, 6):
        stage.submit(number)
    stage.finish()
    assert stage.groups == [[1], [2, 3, 4, 5]]
    assert stage.answers == {number: 2 * number for number in range(1, 6)}


def test_a_group_is_bounded(stage: Stage) -> None:
    stage.submit(1)
    for number, weight in ((2, MAX_WEIGHT - 1), (3, 1), (4, 1), (5, 2 * MAX_WEIGHT)):
        stage.submit(number, weight=weight)
    stage.finish()
    assert stage.groups == [[1], [2, 3], [4], [5]]


def test_who_wants_to_be_alone_is_alone(stage: Stage) -> None:
    stage.submit(1)
    for number in (2, 3, 4, 5):
        stage.submit(number, alone=number == 3)
    stage.finish()
    assert stage.groups == [[1], [2], [3], [4, 5]]


def test_the_error_of_one_is_its_own(stage: Stage) -> None:
    for number in (1, 2, -3, 4):
        stage.submit(number)
    stage.finish()
    assert {number: answer for number, answer in stage.answers.items() if number != -3} == {1: 2, 2: 4, 4: 8}
    assert isinstance(stage.answers[-3], ValueError)


def test_where_a_commit_fails_all_of_it_are_told_and_the_next_one_is_tried(stage: Stage) -> None:
    def fail(numbers: list[int]) -> None:
        if 2 in numbers:
            raise OSError("no space left")

    stage.fail = fail
    for number in (1, 2, 3):
        stage.submit(number)
    stage.finish()
    assert stage.answers[1] == 2
    assert isinstance(stage.answers[2], OSError)
    assert stage.answers[3] is stage.answers[2]
    assert stage.commits.submit(4) == 8
