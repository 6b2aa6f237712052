"""The gateway's answer to a batch, and what follows from it for each call.

Sans-I/O. The statuses are those of "When a request is refused" in the gateway's docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from voipbin_ws_client.errors import ClientError

BATCH_IS_TOO_LARGE = 413
UNAUTHORIZED = 401
FINAL = frozenset({400, 403, 409, BATCH_IS_TOO_LARGE, 415, 500})
"""Statuses that the same request would get again. After every other one nothing is known, or room is expected."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gateway has stored an event. `replayed` if an earlier attempt had stored it."""

    id: str
    cursor: str
    topics: tuple[str, ...]
    replayed: bool
    warnings: tuple[str, ...] = ()


class PublishRefused(ClientError):
    """The gateway refuses the events of one call, and has stored none of them.

    `errors` has the `index` in the call, the `field` and the `message` of each mistake, if single events are wrong.
    """

    def __init__(
        self, status: int, code: str, message: str, errors: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = tuple(errors)


class Decision(Enum):
    """What to do with a batch that is not stored."""

    REFUSE = auto()
    """The calls that are to blame end with `PublishRefused`."""
    SPLIT = auto()
    """Send fewer calls at once: it is not known which one is to blame."""
    RENEW = auto()
    """The credential is not accepted."""
    RETRY = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is not 201. `code` is `None` if an intermediary answered, or nothing did."""

    status: int
    code: str | None
    message: str
    errors: tuple[Mapping[str, Any], ...] = ()
    retry_after: float = 0.0

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], content: object) -> Answer:
        """Read an answer; `content` is its JSON, `None` if it is none."""
        if not isinstance(content, dict) or not isinstance(content.get("code"), str):
            return cls(status, None, f"An intermediary answered {status}, not the gateway")
        errors = content.get("errors")
        wait = headers.get("Retry-After", "")
        return cls(
            status,
            content["code"],
            str(content.get("message", "")),
            tuple(each for each in errors if isinstance(each, dict)) if isinstance(errors, list) else (),
            float(wait) if wait.isascii() and wait.isdigit() else 0.0,
        )

    def decide(self, sizes: Sequence[int]) -> Decision:
        """Decide for a batch of calls with so many events each."""
        if self.code is None or self.status not in {*FINAL, UNAUTHORIZED}:
            return Decision.RETRY
        if self.status == UNAUTHORIZED:
            return Decision.RENEW
        return Decision.REFUSE if len(sizes) == 1 or any(self.refusals(sizes)) else Decision.SPLIT

    def refusals(self, sizes: Sequence[int]) -> list[PublishRefused | None]:
        """Return the error of each call; `None` if the call is not to blame."""
        refusals: list[PublishRefused | None] = []
        start = 0
        for size in sizes:
            own = [
                {**error, "index": error["index"] - start}
                for error in self.errors
                if isinstance(error.get("index"), int) and start <= error["index"] < start + size
            ]
            is_to_blame = bool(own) or len(sizes) == 1
            refusals.append(
                PublishRefused(self.status, self.code or "", self.message, own) if is_to_blame else None
            )
            start += size
        return refusals
