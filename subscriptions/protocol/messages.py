"""The messages between client and gateway: parsing the client's, building the gateway's."""

# Long because a request and its answer are read together.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from math import ceil
from typing import Any, assert_never

from events.domain.cursor import InvalidCursor, parse_cursor
from events.domain.strict_json import InvalidJson, decode, encode
from events.domain.topics import did_you_mean, quoted
from subscriptions.protocol.codes import CloseCode, ErrorCode

RequestId = str | int | float

MAX_REQUEST_ID_LENGTH = 128
MAX_WARNINGS = 10
"""The most unknown fields that an answer names."""

MAX_REASON_BYTES = 123
"""RFC 6455, section 5.5: a control frame has at most 125 bytes, and the close code takes two of them."""


class Action(StrEnum):
    """The types of a client's messages."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    PING = "ping"
    AUTHENTICATE = "authenticate"


_FIELDS: Mapping[Action, frozenset[str]] = {
    Action.SUBSCRIBE: frozenset({"type", "topics", "since", "filter", "request_id"}),
    Action.UNSUBSCRIBE: frozenset({"type", "topics", "request_id"}),
    Action.PING: frozenset({"type", "request_id"}),
    Action.AUTHENTICATE: frozenset({"type", "token", "request_id"}),
}


class UnreadableMessage(ValueError):
    """A message of the client is invalid; the text says why, and what would be valid."""

    def __init__(
        self,
        message: str,
        action: str | None = None,
        request_id: RequestId | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.action = action
        self.request_id = request_id
        self.warnings = warnings


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A request for topics.

    `filter` is as the client sent it, and not parsed yet. `warnings` name unknown fields, here and below.
    """

    topics: tuple[str, ...]
    since: str | None
    request_id: RequestId | None
    filter: Any = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    topics: tuple[str, ...]
    request_id: RequestId | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ping:
    request_id: RequestId | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Authenticate:
    token: str
    request_id: RequestId | None
    warnings: tuple[str, ...] = ()


Message = Subscribe | Unsubscribe | Ping | Authenticate


def read_message(text: str, *, max_bytes: int, max_topics: int) -> Message:
    """Parse one text frame of a client.

    Raises:
        UnreadableMessage: the text is larger than `max_bytes` of UTF-8, not a JSON object, of no known type, or a
            field is invalid.
    """
    if len(text) > max_bytes or len(text.encode("utf-8", "replace")) > max_bytes:
        raise UnreadableMessage(
            f"The message is larger than {max_bytes} bytes: subscribe in several messages"
        )
    try:
        message = decode(text)
    except InvalidJson as error:
        raise UnreadableMessage(f"The message is {_as_sentence(error)}") from None
    if not isinstance(message, dict):
        raise UnreadableMessage('A message is a JSON object such as {"type": "subscribe", "topics": ["…"]}')
    request_id, action = _request_id(message), None
    warnings: tuple[str, ...] = ()
    try:
        action = _action(message)
        warnings = _warnings(message, action)
        match action:
            case Action.SUBSCRIBE:
                return Subscribe(
                    _topics(message, max_topics), _since(message), request_id, message.get("filter"), warnings
                )
            case Action.UNSUBSCRIBE:
                return Unsubscribe(_topics(message, max_topics), request_id, warnings)
            case Action.PING:
                return Ping(request_id, warnings)
            case Action.AUTHENTICATE:
                return Authenticate(_token(message), request_id, warnings)
            case _:
                assert_never(action)
    except UnreadableMessage as error:
        raise UnreadableMessage(str(error), action, request_id, warnings) from None


def _as_sentence(error: InvalidJson) -> str:
    text = str(error)
    return text if text.startswith("not ") else f"not acceptable JSON: {text}"


def _request_id(message: dict[str, Any]) -> RequestId | None:
    value = message.get("request_id")
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= MAX_REQUEST_ID_LENGTH:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise UnreadableMessage(
        f'"request_id" is a string of at most {MAX_REQUEST_ID_LENGTH} characters or a number'
    )


def _action(message: dict[str, Any]) -> Action:
    name = message.get("type")
    try:
        return Action(str(name))
    except ValueError:
        pass
    *others, last = Action
    known = f'"type" is one of {", ".join(others)} and {last}'
    if "type" not in message:
        raise UnreadableMessage(f"{known}: it is missing")
    if not isinstance(name, str):
        raise UnreadableMessage(known)
    if name.lower() in ("publish", "message", "event"):
        raise UnreadableMessage(f"{known}, not {quoted(name)}: events are published with POST /v1.0/events")
    raise UnreadableMessage(
        f"{known}, not {quoted(name)}{did_you_mean(name.lower(), list(map(str, Action)))}"
    )


def _warnings(message: dict[str, Any], action: Action) -> tuple[str, ...]:
    """Return a sentence for each field that the gateway does not know."""
    known = _FIELDS[action]
    if len(message) <= len(known) and known.issuperset(message):
        return ()
    unknown = islice((name for name in message if name not in known), MAX_WARNINGS)
    return tuple(_warning(name[:64], known) for name in unknown)


def _warning(name: str, known: frozenset[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1)
    return f"unknown field {quoted(name)}" + (
        f': did you mean "{near[0]}"?' if near else f": there are {', '.join(sorted(known))}"
    )


def _token(message: dict[str, Any]) -> str:
    token = message.get("token")
    if isinstance(token, str) and token:
        return token
    raise UnreadableMessage('"token" is the new credential as a string')


def _topics(message: dict[str, Any], max_topics: int) -> tuple[str, ...]:
    topics = message.get("topics")
    if not isinstance(topics, list) or not topics or not all(isinstance(topic, str) for topic in topics):
        raise UnreadableMessage('"topics" is a list of at least one topic, each a string')
    unique = tuple(dict.fromkeys(topics))
    if len(unique) > max_topics:
        raise UnreadableMessage(
            f"{len(unique)} topics in one message, {max_topics} are the most: send several messages"
        )
    return unique


def _since(message: dict[str, Any]) -> str | None:
    since = message.get("since")
    if since is None:
        return None
    if not isinstance(since, str):
        raise UnreadableMessage('"since" is a cursor as a string')
    try:
        parse_cursor(since)
    except InvalidCursor as error:
        raise UnreadableMessage(str(error)) from None
    return since


def ack_frame(
    action: Action,
    topics: Sequence[str],
    *,
    request_id: RequestId | None = None,
    cursor: str | None = None,
    recovered: bool | None = None,
    reason: str | None = None,
    sent_filter: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
) -> str:
    """Build the acknowledgement of a request; `recovered` and `reason` answer its `since`.

    `sent_filter` is the filter of its topics as the client sent it, `warnings` name its unknown fields.
    """
    frame: dict[str, Any] = {"type": "ack", "action": action, "topics": list(topics), "status": "success"}
    if cursor is not None:
        frame["cursor"] = cursor
    if recovered is not None:
        frame["recovered"] = recovered
    if reason is not None:
        frame["reason"] = reason
    if sent_filter is not None:
        frame["filter"] = sent_filter
    if warnings:
        frame["warnings"] = list(warnings)
    return _with_request_id(frame, request_id)


def error_frame(
    action: str | None,
    topics: Sequence[str],
    code: ErrorCode,
    message: str,
    *,
    request_id: RequestId | None = None,
    retry_after: float | None = None,
    warnings: Sequence[str] = (),
) -> str:
    """Build the error frame for refused topics or an invalid message.

    `retry_after` are the seconds after which the same message would be accepted; `None` if waiting does not help.
    """
    frame: dict[str, Any] = {
        "type": "error",
        "action": action,
        "topics": list(topics),
        "code": code,
        "message": message,
    }
    if retry_after is not None:
        frame["retry_after"] = ceil(10 * retry_after) / 10
    if warnings:
        frame["warnings"] = list(warnings)
    return _with_request_id(frame, request_id)


def closing_frame(code: CloseCode, message: str) -> str:
    """Build the error frame that precedes a close, of which some servers drop the reason."""
    return encode(
        {
            "type": "error",
            "action": None,
            "topics": [],
            "code": code.name,
            "message": message,
            "retry": code.retry,
        }
    )


def close_reason(message: str) -> str:
    """As much of the message as fits into the reason of a close."""
    return message.encode()[:MAX_REASON_BYTES].decode("utf-8", "ignore")


def pong_frame(cursor: str | None, request_id: RequestId | None = None, warnings: Sequence[str] = ()) -> str:
    """Build the answer to a ping; `cursor` is `None` while nothing is subscribed."""
    frame: dict[str, Any] = {"type": "pong", "cursor": cursor}
    if warnings:
        frame["warnings"] = list(warnings)
    return _with_request_id(frame, request_id)


def _with_request_id(frame: dict[str, Any], request_id: RequestId | None) -> str:
    if request_id is not None:
        frame["request_id"] = request_id
    return encode(frame)
