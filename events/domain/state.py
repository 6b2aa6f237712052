"""The state of one resource: its data, status, agents with their phases, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeGuard

from events.domain.topics import is_canonical_uuid, is_nil_uuid

CURRENT_PHASES = frozenset({"offered", "talking"})
"""The phases of the agents who have the resource now."""

_PAST_PHASES: Mapping[str, str] = {"offered": "missed", "talking": "left"}
_END_PHASES: Mapping[str, str] = {"offered": "abandoned", "talking": "ended"}
_CONCERNED_PHASES = CURRENT_PHASES | set(_END_PHASES.values())

MAX_AGENTS = 50
"""The most agents that a state remembers; the agents who have it now always stay."""

MAX_DATA_SIZE = 2**18
"""The most that a state's data may be, as `data_size` counts; the fields of the last event always stay."""

_DETAILS = ("away_reason", "returns_at", "set_by", "set_by_name", "cause")
_NAMES = (("agent_id", "agent_name"), ("queue_id", "queue_name"), *(("status", name) for name in _DETAILS))
"""Fields of the data, with those that belong to the value of the former: names, and details of an agent's status."""


class AgentPhase(NamedTuple):
    """What an agent has to do with the resource, and since when.

    `offered` or `talking`; when it went elsewhere `missed` or `left`; when it ended `abandoned` or `ended`.
    """

    phase: str
    since: str


@dataclass(slots=True)
class State:
    """The state of a resource, or of a call's place in a queue or conference.

    `status` is a call's status, or a place's phase: waiting, connecting, connected, joined. `named_at` is when an event
    last named the agents, `left_at` when a place was left. `inferred` is true if the gateway concluded the end itself,
    `corrected_at` is when a later event corrected that. `truncated` is true if fields of earlier events were dropped,
    `tags` are the publisher's, `size` is at least the size of the data.
    """

    since: str
    live: bool = True
    event_type: str = ""
    updated_at: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    status: str = ""
    status_since: str = ""
    agents: dict[str, AgentPhase] = field(default_factory=dict)
    named_at: str = ""
    ended_at: str = ""
    inferred: bool = False
    corrected_at: str = ""
    truncated: bool = False
    tags: dict[str, str | int | float | bool] = field(default_factory=dict)
    size: int = field(default=0, compare=False)

    def read(self, event_type: str, data: Mapping[str, Any], at: str) -> None:
        """Take over the event's type, time and data."""
        self.event_type = event_type
        self.updated_at = at
        known = self.data
        self.data = {**known, **data}
        for id_field, name_field in _NAMES:
            # The name is that of the id before.
            if (
                name_field in known
                and name_field not in data
                and self.data.get(id_field) != known.get(id_field)
            ):
                del self.data[name_field]
        self.size += data_size(data)
        if self.size > MAX_DATA_SIZE:
            self._truncate(data)

    def _truncate(self, named: Mapping[str, Any]) -> None:
        """Drop the largest fields that the event does not name, until the data is not too large."""
        sizes = {name: data_size({name: value}) for name, value in self.data.items()}
        self.size = sum(sizes.values())
        # Of equal sizes in the order of UTF-16, which is that of JavaScript.
        others = sorted(
            (name for name in sizes if name not in named),
            key=lambda name: (-sizes[name], name.encode("utf-16-be", "surrogatepass")),
        )
        for name in others:
            if self.size <= MAX_DATA_SIZE:
                break
            del self.data[name]
            self.size -= sizes[name]
            self.truncated = True

    def progress(self) -> dict[str, Any]:
        """Return what is not data, as JSON: the fields that have a value."""
        found: dict[str, Any] = {
            "status": self.status,
            "status_since": self.status_since,
            "agents": {agent: list(phase) for agent, phase in self.agents.items()},
            "named_at": self.named_at,
            "ended_at": self.ended_at,
            "inferred": self.inferred,
            "corrected_at": self.corrected_at,
            "truncated": self.truncated,
            "tags": self.tags,
        }
        # Never empty: an empty one was stored by an older version.
        return {name: value for name, value in found.items() if value} or {"status": ""}

    def read_progress(self, progress: Mapping[str, Any]) -> None:
        """Take over what `progress` returned.

        Of a state that an older version stored, conclude it from the data.
        """
        if not progress:
            self._conclude_progress()
            return
        # A newer version may have stored more.
        for name in (
            "status",
            "status_since",
            "named_at",
            "ended_at",
            "inferred",
            "corrected_at",
            "truncated",
            "tags",
        ):
            if name in progress:
                setattr(self, name, progress[name])
        self.agents = {agent: AgentPhase(*phase) for agent, phase in progress.get("agents", {}).items()}

    def _conclude_progress(self) -> None:
        status = self.data.get("status")
        self.status, self.status_since = (status if isinstance(status, str) else ""), self.updated_at
        if not self.live:
            self.ended_at = self.updated_at
            return
        phase = "talking" if status == "answered" else "offered"
        self.agents = {agent: AgentPhase(phase, self.updated_at) for agent in named_in(self.data) or ()}


def data_size(value: Any) -> int:
    """Return the size of JSON data: its characters without quotes and most separators.

    Numbers, true, false and null count as one, so that every language finds the same. It is at most the length of the
    JSON text.
    """
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        size = 0
        # Publishing an event calls this: a loop costs half of a generator, and most values are texts.
        for name, each in value.items():
            size += len(name) + 2 + (len(each) if isinstance(each, str) else data_size(each))
        return size
    if isinstance(value, list):
        return sum(1 + data_size(each) for each in value)
    return 1


def current_agents(state: State | None) -> tuple[str, ...]:
    """Return the agents who have the resource now."""
    if state is None or not state.agents:
        return ()
    return tuple(agent for agent, (phase, _) in state.agents.items() if phase in CURRENT_PHASES)


def agents_of(state: State | None) -> tuple[str, ...]:
    """Return the agents who have the resource, or had it when it ended."""
    if state is None or not state.agents:
        return ()
    return tuple(agent for agent, (phase, _) in state.agents.items() if phase in _CONCERNED_PHASES)


def named_in(data: Mapping[str, Any], named_agents: tuple[str, ...] | None = None) -> list[str] | None:
    """Return the agents that an event names; `None` if it does not say, [] if there is none.

    `agent_id` (null or a nil UUID: none), else the owner where `owner_type` is `agent`; beside it `service_agent_id`
    and `named_agents`, which an agent's frame limits to that agent: [] says that others are named.
    """
    says = named_agents is not None
    found: list[Any] = []
    if "agent_id" in data:
        agent_id = data["agent_id"]
        says = says or agent_id is None or agent_id == "" or _is_uuid(agent_id)
        found.append(agent_id)
    elif data.get("owner_type") == "agent":
        found.append(data.get("owner_id"))
    found += [data.get("service_agent_id"), *(named_agents or ())]
    agents = list(dict.fromkeys(each for each in found if is_agent_id(each)))
    return agents if agents or says else None


def name_agents(state: State, named: list[str], at: str) -> None:
    """Replace the agents who have the resource: offer it to the new ones, release the others.

    An event that is older than the one that named the present agents changes nothing.
    """
    if at < state.named_at:
        return
    state.named_at = at
    for agent in current_agents(state):
        if agent not in named:
            release(state, agent, at)
    for agent in named:
        phase = state.agents.get(agent)
        if phase is None or phase.phase not in CURRENT_PHASES:
            state.agents.pop(agent, None)
            state.agents[agent] = AgentPhase("offered", at)
    _forget_oldest(state)


def release(state: State, agent: str, at: str) -> None:
    """Take the resource from an agent who has it."""
    state.agents[agent] = AgentPhase(_PAST_PHASES[state.agents[agent].phase], at)


def end_agents(state: State, at: str) -> None:
    """End the phases of the agents who have the resource, for it has ended."""
    for agent in current_agents(state):
        state.agents[agent] = AgentPhase(_END_PHASES[state.agents[agent].phase], at)


def restore_agents(state: State, at: str) -> None:
    """Give the resource back to the agents who had it when it ended, for it has not."""
    for agent, (phase, _) in list(state.agents.items()):
        for before, end in _END_PHASES.items():
            if phase == end:
                state.agents[agent] = AgentPhase(before, at)


def _forget_oldest(state: State) -> None:
    past = [agent for agent, (phase, _) in state.agents.items() if phase not in CURRENT_PHASES]
    for agent in past[: max(0, len(state.agents) - MAX_AGENTS)]:
        del state.agents[agent]


def is_agent_id(value: object) -> bool:
    """Return whether a value can be an agent's id: a canonical UUID that is not nil."""
    return _is_uuid(value) and not is_nil_uuid(value)


def _is_uuid(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and is_canonical_uuid(value)
