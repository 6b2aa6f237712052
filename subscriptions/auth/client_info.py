"""Where a request or a connection comes from, as the network and the client tell, fit for any database.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MAX_ADDRESS_CHARACTERS = 64
MAX_CLIENT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """The address that a request came from, and what the client calls itself."""

    address: str = ""
    client: str = ""

    @classmethod
    def of(cls, address: str, headers: Mapping[str, str]) -> ClientInfo:
        """Of a request with these headers, by their names in lower case."""
        return cls(
            storable(address, MAX_ADDRESS_CHARACTERS),
            storable(headers.get("user-agent", ""), MAX_CLIENT_CHARACTERS),
        )


UNKNOWN = ClientInfo()
"""Nobody who is to be noted."""


def storable(text: str, max_characters: int) -> str:
    """What a client sent, as any database takes it: PostgreSQL refuses U+0000."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:max_characters]
