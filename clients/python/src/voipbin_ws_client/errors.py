"""Exceptions of the client: all are ClientErrors, and those that end it are Terminated.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Sequence

from voipbin_ws_client.updates import Refusal


class ClientError(Exception):
    """The base class of all errors of the client."""


class SubscriptionRefused(ClientError):
    """The server refused topics.

    `code`, `message` and `retry` are those of the first refusal, `refusals` has all. The other topics of the same call
    are subscribed.
    """

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(f"{', '.join(each.topics)}: {each.message}" for each in refusals))
        self.refusals = tuple(refusals)
        self.topics = tuple(topic for each in refusals for topic in each.topics)
        self.code = refusals[0].code
        self.message = refusals[0].message
        self.retry = refusals[0].retry


class ClientClosed(ClientError):
    """The client was closed before the answer arrived."""

    def __init__(self) -> None:
        super().__init__("The client was closed")


class Terminated(ClientError):
    """The client does not connect again; `code` is the HTTP status or the close code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Unauthorized(Terminated):
    """The server does not accept the credential; the message is its reason."""


class Forbidden(Terminated):
    """The server refuses this origin, or has revoked the credential."""


class ProtocolError(Terminated):
    """The server cannot read the client's messages."""


class NotAGateway(Terminated):
    """The gateway has no WebSocket at the address, or does not serve its host."""
