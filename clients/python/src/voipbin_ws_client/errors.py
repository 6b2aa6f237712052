"""What can go wrong for good, as exceptions.

Sans-I/O. ClientError
├── SubscriptionRefused   some topics were refused; the connection stays
├── ClientClosed          the client was closed
└── Terminated            the client has given up: somebody has to do something first
    ├── Unauthorized      the credential is not accepted, nor was a new one
    ├── Forbidden         the server wants no connection from here or of this credential any more
    ├── ProtocolError     the server cannot read what this client sends
    └── NotAGateway       nothing at this address speaks the protocol
"""

from __future__ import annotations

from collections.abc import Sequence

from voipbin_ws_client.updates import Refusal


class ClientError(Exception):
    """The root of all."""


class SubscriptionRefused(ClientError):
    """The server refused topics; `code` and `message` are of the first refusal, `refusals` has all.

    What was asked for beside them and granted is held.
    """

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(f"{', '.join(each.topics)}: {each.message}" for each in refusals))
        self.refusals = tuple(refusals)
        self.topics = tuple(topic for each in refusals for topic in each.topics)
        self.code = refusals[0].code
        self.message = refusals[0].message
        self.retry = refusals[0].retry


class ClientClosed(ClientError):
    """The client was closed before the answer came."""

    def __init__(self) -> None:
        super().__init__("The client was closed")


class Terminated(ClientError):
    """Connecting again would not help; `code` is the HTTP status or the close code that said so."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Unauthorized(Terminated):
    """The credential is not accepted; the message is the server's reason."""


class Forbidden(Terminated):
    """The server wants no connection from this origin, or of this credential any more."""


class ProtocolError(Terminated):
    """The server cannot read what we send."""


class NotAGateway(Terminated):
    """There is no gateway at this address."""
