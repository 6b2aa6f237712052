"""Names and codes of the protocol that the client acts on.

Sans-I/O.
"""

from __future__ import annotations

from enum import Enum, IntEnum


class Action(str, Enum):
    """Types of the client's messages that the server acknowledges."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


class CloseCode(IntEnum):
    """Close codes of the gateway; an error frame with the same name precedes the close."""

    RESTARTING = 4012
    PROTOCOL_ERROR = 4400
    TOKEN_EXPIRED = 4401
    REVOKED = 4403
    TOO_SLOW = 4408
    TOO_MANY = 4429
