"""Publishers that come at the same moment share one commit, which costs many times what an event costs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar, cast

W = TypeVar("W")
R = TypeVar("R")

MAX_WEIGHT = 1000
"""Work in one commit at most: nobody shall wait long for the events of others."""


class Submission(Generic[W, R]):
    """Work of one caller, and what came of it: `result` or `error` is set by whoever commits it."""

    def __init__(self, work: W, *, weight: int, alone: bool) -> None:
        self.work = work
        self.weight = weight
        self.alone = alone
        self.result: R | None = None
        self.error: Exception | None = None

    @property
    def is_done(self) -> bool:
        return self.result is not None or self.error is not None


class GroupCommit(Generic[W, R]):
    """Hands everything that waits to `commit` at once, in the order in which it came, one group after the other.

    There is no thread of its own: whoever comes while nobody commits does it, for all who wait by then. `commit` sets
    each submission's result or error; what it raises is the error of those who have neither.
    """

    def __init__(self, commit: Callable[[list[Submission[W, R]]], None]) -> None:
        self._commit = commit
        self._waiting: deque[Submission[W, R]] = deque()
        self._turn = threading.Lock()

    def submit(self, work: W, *, weight: int = 1, alone: bool = False) -> R:
        """Have the work committed, `alone` or with that of others; returns its result.

        Raises:
            Exception: what it failed with.
        """
        (submission,) = self.submit_all([Submission(work, weight=weight, alone=alone)])
        if submission.error is not None:
            raise submission.error
        return cast(R, submission.result)

    def submit_all(self, submissions: list[Submission[W, R]]) -> list[Submission[W, R]]:
        """Have the work of several callers committed, each by itself what it is; returns them when all are done."""
        self._waiting.extend(submissions)
        for submission in submissions:
            while not submission.is_done:
                with self._turn:
                    if not submission.is_done:
                        self._commit_next()
        return submissions

    def _commit_next(self) -> None:
        group = [self._waiting.popleft()]
        weight = group[0].weight
        while self._waiting and not group[0].alone:
            following = self._waiting[0]
            if following.alone or weight + following.weight > MAX_WEIGHT:
                break
            weight += following.weight
            group.append(self._waiting.popleft())
        try:
            self._commit(group)
        except Exception as error:
            for submission in group:
                if not submission.is_done:
                    submission.error = error
