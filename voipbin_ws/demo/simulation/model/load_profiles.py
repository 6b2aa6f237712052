"""Load profiles: how many calls come, and how long they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Span = tuple[float, float, float]
"""Seconds: minimum, maximum and mode of a triangular distribution."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of day. `rate` is in calls a minute; all other arrivals are proportional to it.

    Times are far shorter than in reality, so that a glance at the dashboard shows calls come and go. A surge multiplies
    the rate by `surge_factor` for `surge_seconds` out of every `surge_every` seconds.
    """

    name: str
    rate: float
    talk: Span = (7, 36, 14)
    patience: Span = (10, 75, 35)
    surge_every: float = 60
    surge_seconds: float = 0
    surge_factor: float = 1
    is_unruly: bool = False
    """Whether events come late, twice, shuffled, in the platform's words or not at all."""

    def share_of_peak(self, at: float) -> float:
        """Return the rate at `at` seconds as a share of the rate in a surge, from 0 to 1."""
        return 1.0 if at % self.surge_every < self.surge_seconds else 1.0 / self.surge_factor


PROFILES: Final[Mapping[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile("quiet", rate=2),
        Profile("steady", rate=11),
        Profile("busy", rate=16),
        Profile("burst", rate=6, surge_every=45, surge_seconds=6, surge_factor=12),
        Profile("unruly", rate=11, is_unruly=True),
    )
}
