"""The protocol's names and codes that this client acts on.

Sans-I/O.
"""

from __future__ import annotations

from enum import Enum, IntEnum


class Action(str, Enum):
    """Types of messages that this client sends and that are acknowledged."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


class ErrorCode(str, Enum):
    """Codes of error frames that leave the connection open, as far as the client treats them differently."""

    RATE_LIMITED = "RATE_LIMITED"


class CloseCode(IntEnum):
    """Codes with which the gateway closes a connection; an error frame with the same name precedes the close."""

    RESTARTING = 4012
    PROTOCOL_ERROR = 4400
    TOKEN_EXPIRED = 4401
    REVOKED = 4403
    TOO_SLOW = 4408
    TOO_MANY = 4429
