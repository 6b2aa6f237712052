"""The address and name of a client, in a form that every database stores.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from events.redaction import redact_secrets

MAX_ADDRESS_CHARACTERS = 64
MAX_CLIENT_CHARACTERS = 200
MAX_TOPIC_CHARACTERS = 260


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """The address that a request came from, and its User-Agent."""

    address: str = ""
    client: str = ""

    @classmethod
    def of(cls, address: str, headers: Mapping[str, str]) -> ClientInfo:
        """Take the name from the headers, by their names in lower case, and shorten both."""
        return cls(
            storable(address, MAX_ADDRESS_CHARACTERS),
            storable(headers.get("user-agent", ""), MAX_CLIENT_CHARACTERS),
        )


UNKNOWN = ClientInfo()
"""A client that is not to be recorded."""


def storable(text: str, max_characters: int) -> str:
    """Shorten a text from a client, without credentials and what PostgreSQL refuses: U+0000."""
    # Cut before as well: the cost of the removal grows faster than the text. Cut after it, a credential stays whole.
    beginning = redact_secrets(text[: 4 * max_characters])
    return beginning.replace("\0", "\N{REPLACEMENT CHARACTER}")[:max_characters]
