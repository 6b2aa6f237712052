"""Messages of the broker, parsed as events or webhooks, and their idempotency keys.

Sans-I/O.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from events.domain.event import Draft
from events.domain.event_parser import MAX_KEY_LENGTH, InvalidEvent, read_event
from events.domain.strict_json import InvalidJson, decode
from events.domain.voipbin_webhooks import read_webhook

DIGEST_PREFIX = "amqp:sha256:"
"""The prefix of the key of a message without an id."""


class Unreadable(ValueError):
    """The message is no event; the text says what is wrong and what is right."""


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery. `tag` is its number on the channel; `redelivered`: not the first one."""

    tag: int
    body: bytes
    message_id: str | None = None
    redelivered: bool = False
    content_encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The default customer of messages, or "", the known resources, and limits in bytes."""

    customer_id: str
    resources: Collection[str]
    max_data_bytes: int
    max_body_bytes: int


def read_message(message: Message, rules: Rules) -> Draft:
    """Read a message's body: `{"event_type", "data", …}`, or VoIPBIN's `{"type", "data"}`.

    The draft's idempotency key is the body's, or derived from the message's id, or from its bytes.

    Raises:
        Unreadable: The message is no event.
    """
    if (message.content_encoding or "identity").lower() not in ("identity", "utf-8"):
        raise Unreadable(f"content_encoding {message.content_encoding[:40]!r}: send the JSON as it is")  # type: ignore[index]
    if len(message.body) > rules.max_body_bytes:
        raise Unreadable(f"larger than {rules.max_body_bytes} bytes: send a reference instead")
    try:
        content = decode(message.body)
        if not isinstance(content, dict):
            raise Unreadable("a message is one JSON object, an event: send a message for each")
        draft = _read(content, {"idempotency_key": key_of(message)}, rules)
    except (InvalidJson, InvalidEvent) as error:
        raise Unreadable(str(error)) from None
    if not draft.customer_id:
        raise Unreadable("customer_id: required, for a message has no credential that would tell whose it is")
    return draft


def _read(content: Mapping[str, Any], beside: Mapping[str, Any], rules: Rules) -> Draft:
    """Parse an event or a webhook; `beside` are fields for those that it does not have."""
    read: Callable[..., Draft] = read_event
    if "type" in content and "event_type" not in content:
        owner = {} if content.get("customer_id") is None else {"customer_id": content["customer_id"]}
        read = partial(read_webhook, beside={**owner, **beside})
    elif content.get("idempotency_key") is None:
        content = {**content, **beside}
    return read(
        content,
        customer_id=rules.customer_id,
        resources=rules.resources,
        max_bytes=rules.max_data_bytes,
    )


def key_of(message: Message) -> str:
    """Return the idempotency key that identifies a message which is delivered twice."""
    if message.message_id:
        key = f"amqp:{message.message_id}"
        if len(key) <= MAX_KEY_LENGTH and key.isprintable():
            return key
        return f"amqp:id:{hashlib.sha256(message.message_id.encode(errors='replace')).hexdigest()}"
    return DIGEST_PREFIX + hashlib.sha256(message.body).hexdigest()
