"""The codes of error frames and of closes, each numbered once."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class ErrorCode(StrEnum):
    """Codes of error frames that leave the socket open."""

    PERMISSION_DENIED = "PERMISSION_DENIED"
    INVALID_TOPIC = "INVALID_TOPIC"
    INVALID_MESSAGE = "INVALID_MESSAGE"
    RATE_LIMITED = "RATE_LIMITED"


class CloseCode(IntEnum):
    """Codes with which the gateway closes a socket; an error frame with the same name comes just before."""

    RESTARTING = 4012
    PROTOCOL_ERROR = 4400
    TOKEN_EXPIRED = 4401
    REVOKED = 4403
    TOO_SLOW = 4408
    TOO_MANY = 4429

    @property
    def retry(self) -> bool:
        """Whether the client may come back without a person doing something first."""
        return self not in (CloseCode.PROTOCOL_ERROR, CloseCode.REVOKED)
