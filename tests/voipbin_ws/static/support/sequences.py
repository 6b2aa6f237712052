"""Sequences of events as platforms publish them: late, repeated, shuffled, incomplete. Hypothesis strategies."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st

from events.domain.event import Draft
from events.domain.resource_state import changes_state, ends_call
from tests.events.support.stored import draft

# Not random: Hypothesis repeats what failed before.
CUSTOMER, ANNA, BEN, CHLOE, SUPPORT, SALES = (
    f"{digit * 8}-1111-4111-8111-111111111111" for digit in "1abc23"
)
STRANGER = "99999999-1111-4111-8111-111111111111"  # An agent of another customer.
CALLS = ("x", "y")
TIMES = tuple(f"2026-01-01T10:00:{second:02}.000000Z" for second in range(60))
NIL = "00000000-0000-0000-0000-000000000000"

_STATUSES = ("dialing", "ringing", "answered", "canceling", "on_hold", "")
_FINAL = ("hangup", "busy", "canceled")
_CALL_EVENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    *(("call.status", {"status": status}) for status in (*_STATUSES, *_FINAL)),
    *(("call.status", {"status": status}) for status in ("answered", "answered", "ringing")),
    ("call.status", {"status": ["answered"]}),
    ("call.created", {}),
    ("call.created", {"status": "ringing", "direction": "inbound", "source": {"target": "+15550001"}}),
    ("call.created", {"status": "dialing", "direction": "outbound", "destination": {"target": "+15550002"}}),
    ("call.created", {"status": "hangup"}),
    *(("call.assigned", {"status": status, "direction": "inbound"}) for status in ("ringing", "answered")),
    ("call.assigned", {}),
    ("call.updated", {"note": "x"}),
    ("call.test", {"status": "answered"}),
    ("call.noted", {"note": "y"}),
    ("call.noted", {"disposition": "sold", "status": "hangup"}),
    ("call.billed", {"price": "0.02"}),
    ("call.ended", {}),
    ("call.ended", {"status": "hangup"}),
    ("call.completed", {}),
    ("call.deleted", {}),
    (
        "call.ended",
        {"inferred": True, "reason": "silence", "status": "hangup", "previous_status": "answered"},
    ),
)
_PLACE_EVENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("queue.joined", {}),
    ("queue.joined", {"source": {"target": "+15550003"}, "queue_name": "Night"}),
    ("queue.joined", {"tm_join": "2026-01-01 09:59:00"}),
    ("queue.connecting", {}),
    ("queue.connected", {}),
    ("queue.connected", {"tm_connect": "2026-01-01 10:00:01"}),
    ("queue.updated", {"position": 2}),
    *(("queue.left", {"reason": each}) for each in ("abandoned", "transferred", "voicemail", "serviced")),
    ("queue.left", {}),
    ("queue.ended", {}),
)
_OTHERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("queue.deleted", {"queue_id": SUPPORT}),
    ("queue.updated", {"queue_id": SALES, "name": "Sales"}),
    *((f"conference.{action}", {"conference_id": "f", "call_id": "x"}) for action in ("joined", "left")),
    ("conference.ended", {"conference_id": "f"}),
    *(("agent.status", {"agent_id": ANNA, "status": status}) for status in ("available", "busy", "lunch")),
    ("agent.status", {"agent_id": ANNA, "status": "away", "away_reason": "Lunch", "set_by": BEN}),
    ("agent.status", {"agent_id": STRANGER, "status": "available", "name": "Stranger"}),
    ("agent.deleted", {"agent_id": STRANGER}),
    ("recording.started", {"id": "r", "call_id": "x"}),
    ("recording.completed", {"id": "r", "call_id": "x"}),
    ("activeflow.updated", {"id": "a", "status": "running"}),
    ("message.sent", {"id": "m", "status": "sent"}),
)
_AGENT_FIELDS: tuple[dict[str, Any], ...] = (
    *({} for _ in range(6)),
    *({"agent_id": agent} for agent in (ANNA, BEN, CHLOE) for _ in range(2)),
    *({"agent_id": agent} for agent in (None, NIL, "", "unknown", STRANGER)),
    {"owner_type": "agent", "owner_id": BEN},
    {"owner_type": "agent", "owner_id": NIL},
    {"agent_id": None, "owner_type": "agent", "owner_id": ANNA},
    {"agent_id": ANNA, "service_agent_id": BEN},
    {"agent_id": BEN, "agent_name": "Benjamin"},
    {"missed_by": ANNA},
    {"agent_id": BEN, "missed_by": ANNA},
)
_NAMED: tuple[tuple[str, ...], ...] = (*(() for _ in range(8)), (ANNA,), (ANNA, BEN), (CHLOE,))


class Published(NamedTuple):
    """A sequence of events, and where the page reads the calls, and then the rest."""

    drafts: list[Draft]
    calls_read_after: int
    rest_read_after: int

    def __repr__(self) -> str:
        lines = [
            f"{number} {each.timestamp:%S} {each.event_type} {each.data} {each.agent_ids or ''}"
            if each.timestamp
            else f"{number} -- {each.event_type} {each.data} {each.agent_ids or ''}"
            for number, each in enumerate(self.drafts, start=1)
        ]
        return "\n".join([f"read after {self.calls_read_after} and {self.rest_read_after}:", *lines])


def _made(kind: Any, call: str, queue: str, agents: dict[str, Any], named: tuple[str, ...]) -> Any:
    event_type, data = kind
    if kind in _OTHERS:
        return event_type, dict(data), ()
    if event_type.startswith("queue."):
        return event_type, {"queue_id": queue, "call_id": call, **data, **agents}, ()
    return event_type, {"id": call, **data, **agents}, named


_EVENTS = st.builds(
    _made,
    st.one_of(*(st.sampled_from(kinds) for kinds in (_CALL_EVENTS, _CALL_EVENTS, _PLACE_EVENTS, _OTHERS))),
    st.sampled_from((CALLS[0], *CALLS)),
    st.sampled_from((SUPPORT, SUPPORT, SALES)),
    st.sampled_from(_AGENT_FIELDS),
    st.sampled_from(_NAMED),
)


_Event = tuple[str, dict[str, Any], tuple[str, ...]]


def _call(action: str, agents: dict[str, Any] | None = None, **data: Any) -> _Event:
    return f"call.{action}", {"id": "x", **data, **(agents or {})}, ()


def _place(action: str, agents: dict[str, Any] | None = None, queue: str = SUPPORT, **data: Any) -> _Event:
    return f"queue.{action}", {"queue_id": queue, "call_id": "x", **data, **(agents or {})}, ()


_TO_ANNA, _TO_BEN, _TO_NONE = {"agent_id": ANNA}, {"agent_id": BEN}, {"agent_id": None}
_STORIES: tuple[tuple[_Event, ...], ...] = (
    (),
    (
        _call("created", status="ringing", direction="inbound"),
        _place("joined"),
        _call("assigned", _TO_ANNA, status="ringing"),
        _call("status", {**_TO_NONE, "missed_by": ANNA}, status="ringing"),
        _call("assigned", _TO_BEN, status="ringing"),
        _place("connected", _TO_BEN),
        _call("status", _TO_BEN, status="answered"),
        _place("left"),
        _call("ended", status="hangup"),
    ),
    (
        _call("created", status="answered"),
        _place("joined"),
        _place("connecting", _TO_ANNA),
        _call("assigned", _TO_ANNA, status="answered"),
        _place("left"),
        _place("connected", _TO_ANNA),
        _call("assigned", _TO_BEN, status="answered"),
        _call("status", status="answered"),
        _place("joined", queue=SALES),
        _place("connected", _TO_BEN, queue=SALES),
        _place("joined", queue=SALES),
        _call("ended"),
        _call("billed", price="0.02"),
    ),
    (
        _call("created", _TO_ANNA, status="dialing", direction="outbound"),
        _call("status", status="ringing"),
        _call("status", status="answered"),
        _call("ended", inferred=True, reason="silence", status="hangup", previous_status="answered"),
        _call("status", status="answered"),
        _call("status", status="hangup"),
        _call("created", status="ringing"),
        _call("assigned", _TO_ANNA, status="ringing"),
    ),
)


@st.composite
def published(draw: st.DrawFn) -> Published:
    """Draw a sequence: a call's story and other events, in order, late, or with the gateway's time; some come twice."""
    events: list[_Event] = list(draw(st.sampled_from(_STORIES)))
    for event, place in draw(st.lists(st.tuples(_EVENTS, st.integers(0, 20)), max_size=12)):
        events.insert(min(place, len(events)), event)
    order = draw(st.sampled_from(("as it happened", "as it happened", "any", "none", "mixed")))
    places = st.integers(0, max(0, len(events) - 1))
    times = list(range(len(events)))
    for one, other in draw(st.lists(st.tuples(places, places), max_size=4)) if events else ():
        for each in (events, times):
            each[one], each[other] = each[other], each[one]
    lucks = draw(st.lists(st.integers(0, 19), min_size=len(events), max_size=len(events)))
    drafts: list[Draft] = []
    live = set()
    for (event_type, data, named), time, luck in zip(events, times, lucks, strict=True):
        if data.get("inferred") and data["id"] not in live:
            continue  # The gateway ends only calls that are live.
        if ends_call(event_type, data):
            live.discard(data["id"])
        elif event_type.startswith("call.") and changes_state(event_type):
            live.add(data["id"])
        has_none = order == "none" or (order == "mixed" and luck < 6)
        at = None if has_none else TIMES[luck if order == "any" else time]
        made = draft(CUSTOMER, event_type, data, timestamp=at, agent_ids=list(named))
        drafts += [made, made] if luck == 19 else [made]
        if luck == 18 and len(drafts) > 3 and "inferred" not in drafts[-3].data:
            drafts.append(drafts[-3])
    first, second = sorted((draw(st.integers(0, len(drafts))), draw(st.integers(0, len(drafts)))))
    return Published(drafts, first, min(second, first + 3))
