"""The states of one customer in memory, for the fold without a database."""

from __future__ import annotations

from events.domain.resource_state import Key
from events.domain.state import State


class Memory(dict[Key, State]):
    """The states of one customer."""

    def put(self, key: Key, state: State) -> None:
        self[key] = state

    def places_of(self, call_id: str) -> list[tuple[Key, State]]:
        return [each for each in self.items() if each[0].member_id == call_id and each[1].live]

    def members_of(self, resource: str, resource_id: str) -> list[tuple[Key, State]]:
        return [
            each
            for each in self.items()
            if each[0][:2] == (resource, resource_id) and each[0][2] and each[1].live
        ]
