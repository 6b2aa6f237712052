"""A queue misses its target, and meets it again only with a margin."""

from __future__ import annotations

import pytest

from events.summary.counts import Counts
from events.summary.profile import Targets
from events.summary.service_breaches import is_breached


@pytest.mark.parametrize(
    ("in_time", "late", "abandoned", "target", "before", "after"),
    [
        (0, 4, 0, 80, False, False),
        (0, 5, 0, 80, False, True),
        (4, 1, 0, 80, False, False),
        (3, 1, 1, 80, False, True),
        (0, 1, 0, 80, True, True),
        (80, 20, 0, 80, True, True),
        (81, 19, 0, 80, True, True),
        (82, 18, 0, 80, True, False),
        (99, 1, 0, 100, True, True),
        (100, 0, 0, 100, True, False),
        (0, 0, 0, 80, True, False),
        (0, 0, 0, 80, False, False),
    ],
)
def test_a_queue_is_breached_below_its_target_until_it_is_above_the_margin(
    in_time: int, late: int, abandoned: int, target: int, *, before: bool, after: bool
) -> None:
    counts = Counts(answered=in_time + late, in_time=in_time, abandoned=abandoned)
    assert is_breached(counts, Targets(target_percent=target), was_breached=before) is after
