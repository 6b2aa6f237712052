"""The codes of error frames and of closes, each defined once."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ErrorCode(StrEnum):
    """Codes of error frames after which the connection stays open."""

    PERMISSION_DENIED = "PERMISSION_DENIED"
    INVALID_TOPIC = "INVALID_TOPIC"
    INVALID_FILTER = "INVALID_FILTER"
    INVALID_MESSAGE = "INVALID_MESSAGE"
    RATE_LIMITED = "RATE_LIMITED"


class CloseCode(IntEnum):
    """Codes of closes, each preceded by an error frame with the code's name."""

    RESTARTING = 4012
    PROTOCOL_ERROR = 4400
    TOKEN_EXPIRED = 4401
    REVOKED = 4403
    TOO_SLOW = 4408
    TOO_MANY = 4429

    @property
    def retry(self) -> bool:
        """Whether the client may reconnect without the intervention of a person."""
        return self not in (CloseCode.PROTOCOL_ERROR, CloseCode.REVOKED)
