"""One line in the log for each connection's start and end, and for each that was refused."""

from __future__ import annotations

import structlog

from subscriptions.connections.recorder import ConnectionRecorder

logger = structlog.stdlib.get_logger(__name__)


def opened(recorder: ConnectionRecorder) -> None:
    """The handshake was accepted."""
    logger.info("connection opened", **_who(recorder))


def refused(recorder: ConnectionRecorder, status: int, rule: str) -> None:
    """The handshake was refused by this rule."""
    logger.info("connection refused", status=status, rule=rule, **_who(recorder))


def closed(
    recorder: ConnectionRecorder, *, code: int | None, reason: str, topics: int, sent: int, seconds: float
) -> None:
    """The connection is over. `code` is the one by which the server says that it ended, `sent` are events."""
    logger.info(
        "connection closed",
        code=code,
        reason=reason,
        topics=topics,
        sent=sent,
        seconds=round(seconds, 1),
        **_who(recorder),
    )


def _who(recorder: ConnectionRecorder) -> dict[str, str | None]:
    caller, identity = recorder.caller, recorder.identity
    who: dict[str, str | None] = {
        "connection_id": str(recorder.connection_id),
        "address": caller.address,
        "client": caller.client,
    }
    if identity is not None:
        who |= {
            "customer": identity.customer_id,
            "agent": identity.agent_id,
            "credential": identity.credential_id,
        }
    return who
