"""Whole days of the simulated contact centre."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre
from voipbin_ws.demo.simulation.model.event_recorder import SimulatedEvent
from voipbin_ws.demo.simulation.model.load_profiles import PROFILES, Profile
from voipbin_ws.demo.simulation.model.tenants import ACME, GLOBEX, tenant_of

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PUBLISHED_TYPES = {
    *("call.created", "call.status", "call.ended", "call.assigned", "message.received", "message.sent"),
    *(
        "message.delivery",
        "activeflow.updated",
        "activeflow.completed",
        "conference.joined",
        "conference.left",
    ),
    *("conference.ended", "queue.joined", "queue.connected", "queue.left", "agent.status"),
    *("recording.started", "recording.completed", "transcription.completed"),
}
BUSY = PROFILES["busy"]
ORDERLY = [profile for profile in PROFILES.values() if not profile.is_unruly]


def centre(seed: object = 1, profile: Profile = BUSY, **more: Any) -> ContactCentre:
    return ContactCentre(
        more.pop("tenant", ACME), profile, seed=str(seed), start=more.pop("start", START), **more
    )


def day(seed: object = 1, minutes: float = 20, profile: Profile = BUSY, **more: Any) -> list[SimulatedEvent]:
    """Return the events of a whole day."""
    recorded = centre(seed, profile, **more)
    return [*recorded.advance(minutes * 60), *recorded.close()]


@dataclass(frozen=True)
class Day:
    """The arguments of a day, short enough to be shown when a test fails."""

    seed: int
    minutes: float
    profile: str
    customer_id: str

    def events(self) -> list[SimulatedEvent]:
        return day(self.seed, self.minutes, PROFILES[self.profile], tenant=tenant_of(self.customer_id))


days = st.builds(
    Day,
    seed=st.integers(),
    minutes=st.floats(0, 30),
    profile=st.sampled_from(sorted(profile.name for profile in ORDERLY)),
    customer_id=st.sampled_from([ACME.id, GLOBEX.id, "00000000-0000-4000-8000-000000000abc"]),
)
# A day is long and cheap, so a few examples suffice.
few = settings(max_examples=25, deadline=None)


def of(events: list[SimulatedEvent], *event_types: str) -> list[SimulatedEvent]:
    return [each for each in events if each.event_type in event_types]
