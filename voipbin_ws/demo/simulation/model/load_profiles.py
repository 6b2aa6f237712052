"""How much happens: the simulator's profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Span = tuple[float, float, float]
"""Seconds: the least, the most, and the most usual."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of day. `rate` is in calls a minute, and everything else that happens keeps step with it.

    Times are a good deal shorter than in life, so that a glance at the dashboard sees calls come and go. A surge
    makes `surge_factor` times as many calls for `surge_seconds` out of every `surge_every` seconds.
    """

    name: str
    rate: float
    talk: Span = (7, 36, 14)
    patience: Span = (10, 75, 35)
    surge_every: float = 60
    surge_seconds: float = 0
    surge_factor: float = 1

    def share_of_peak(self, at: float) -> float:
        """How many calls come at `at` seconds, of those that come in a surge: from 0 to 1."""
        return 1.0 if at % self.surge_every < self.surge_seconds else 1.0 / self.surge_factor


PROFILES: Final[Mapping[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile("quiet", rate=2),
        Profile("steady", rate=11),
        Profile("busy", rate=16),
        Profile("burst", rate=6, surge_every=45, surge_seconds=6, surge_factor=12),
    )
}
