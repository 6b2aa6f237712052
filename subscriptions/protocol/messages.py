"""The messages between client and gateway: parsing the client's, building the gateway's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Any, assert_never

from events.domain.cursor import InvalidCursor, parse_cursor
from events.domain.strict_json import InvalidJson, decode, encode
from subscriptions.protocol.codes import CloseCode, ErrorCode

RequestId = str | int | float

MAX_REQUEST_ID_LENGTH = 128
MAX_REASON_BYTES = 123
"""RFC 6455, section 5.5: a control frame has at most 125 bytes, and the close code takes two of them."""


class Action(StrEnum):
    """The types of a client's messages."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    PING = "ping"
    AUTHENTICATE = "authenticate"


class UnreadableMessage(ValueError):
    """A message of the client is invalid; the text says why, and what would be valid."""

    def __init__(self, message: str, action: str | None = None, request_id: RequestId | None = None) -> None:
        super().__init__(message)
        self.action = action
        self.request_id = request_id


@dataclass(frozen=True, slots=True)
class Subscribe:
    topics: tuple[str, ...]
    since: str | None
    request_id: RequestId | None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    topics: tuple[str, ...]
    request_id: RequestId | None


@dataclass(frozen=True, slots=True)
class Ping:
    request_id: RequestId | None


@dataclass(frozen=True, slots=True)
class Authenticate:
    token: str
    request_id: RequestId | None


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
    try:
        action = _action(message)
        match action:
            case Action.SUBSCRIBE:
                return Subscribe(_topics(message, max_topics), _since(message), request_id)
            case Action.UNSUBSCRIBE:
                return Unsubscribe(_topics(message, max_topics), request_id)
            case Action.PING:
                return Ping(request_id)
            case Action.AUTHENTICATE:
                return Authenticate(_token(message), request_id)
            case _:
                assert_never(action)
    except UnreadableMessage as error:
        raise UnreadableMessage(str(error), action, request_id) from None


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
    try:
        return Action(str(message.get("type")))
    except ValueError:
        *others, last = Action
        raise UnreadableMessage(f'"type" is one of {", ".join(others)} and {last}') from None


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
) -> str:
    """Build the acknowledgement of a request; `recovered` and `reason` answer its `since`."""
    frame: dict[str, Any] = {"type": "ack", "action": action, "topics": list(topics), "status": "success"}
    if cursor is not None:
        frame["cursor"] = cursor
    if recovered is not None:
        frame["recovered"] = recovered
    if reason is not None:
        frame["reason"] = reason
    return _with_request_id(frame, request_id)


def error_frame(
    action: str | None,
    topics: Sequence[str],
    code: ErrorCode,
    message: str,
    *,
    request_id: RequestId | None = None,
    retry_after: float | None = None,
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


def pong_frame(cursor: str | None, request_id: RequestId | None = None) -> str:
    """Build the answer to a ping; `cursor` is `None` while nothing is subscribed."""
    return _with_request_id({"type": "pong", "cursor": cursor}, request_id)


def _with_request_id(frame: dict[str, Any], request_id: RequestId | None) -> str:
    if request_id is not None:
        frame["request_id"] = request_id
    return encode(frame)
