"""Reading a CloudEvent of a publisher: structured, in a batch, or binary.

Sans-I/O.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from events.cloudevents.attributes import OWN_NAMES, SPEC_VERSION, TYPE_PREFIX
from events.domain.event import Draft
from events.domain.event_parser import MAX_KEY_LENGTH, InvalidEvent, Problem, read_event
from events.domain.strict_json import InvalidJson, decode
from events.domain.topics import quoted

HEADER_PREFIX = "ce-"

_CLOUD_NAMES = {own: name for name, own in OWN_NAMES.items()} | {"idempotency_key": "id"}
_JSON = re.compile(r"\s*[\w.+-]+/(json|[\w.+-]+\+json)\s*(;.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def read_cloud_event(item: object, *, customer_id: str, resources: Collection[str], max_bytes: int) -> Draft:
    """Parse one CloudEvent in the JSON format; the parameters are those of `read_event`.

    Raises:
        InvalidEvent: Some attribute is invalid, with a reason for each.
    """
    if not isinstance(item, dict):
        raise InvalidEvent(
            [Problem("", "a CloudEvent is a JSON object with specversion, id, source and type")]
        )
    problems = [
        *_problems_of_context(item),
        *([] if _is_json(item.get("datacontenttype")) else [_no_json("datacontenttype")]),
    ]
    own: dict[str, Any] = {own: item[name] for name, own in OWN_NAMES.items() if name in item}
    if isinstance(event_type := own.get("event_type"), str):
        own["event_type"] = event_type.removeprefix(TYPE_PREFIX)
    if isinstance(agent_ids := own.get("agent_ids"), str):
        own["agent_ids"] = [each for each in agent_ids.split(",") if each]
    try:
        own["data"] = _data(item)
    except ValueError as error:
        problems.append(Problem("data_base64", str(error)))
        own["data"] = {"id": "-"}
    if not problems:
        own["idempotency_key"] = _key(item["source"], item["id"])
    try:
        draft = read_event(own, customer_id=customer_id, resources=resources, max_bytes=max_bytes)
    except InvalidEvent as error:
        problems += [
            Problem(_CLOUD_NAMES.get(each.field, each.field), each.message) for each in error.problems
        ]
    if problems:
        raise InvalidEvent(problems)
    return draft


def is_binary(headers: Mapping[str, str]) -> bool:
    """Return whether a request is a CloudEvent in the binary mode (HTTP binding, section 3.1)."""
    return f"{HEADER_PREFIX}specversion" in headers


def binary_event(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return the CloudEvent of a request in the binary mode, in the JSON format.

    The names of `headers` are in lower case, or the mapping ignores case.

    Raises:
        InvalidEvent: A header or the body cannot be decoded.
    """
    event: dict[str, Any] = {}
    problems: list[Problem] = []
    for header, value in headers.items():
        if (name := header.lower()).startswith(HEADER_PREFIX):
            try:
                event[name.removeprefix(HEADER_PREFIX)] = _header_value(value)
            except UnicodeDecodeError:
                problems.append(
                    Problem(name, "write UTF-8, percent-encoded (CloudEvents HTTP binding, 3.1.3.2)")
                )
    content_type = headers.get("content-type") or None
    if not _is_json(content_type):
        problems.append(_no_json("Content-Type"))
    else:
        try:
            event["data"] = decode(body)
        except InvalidJson as error:
            problems.append(Problem("data", f"the body is no JSON that can be published: {error}"))
    if problems:
        raise InvalidEvent(problems)
    return event


def _problems_of_context(item: Mapping[str, object]) -> list[Problem]:
    problems = []
    if (version := item.get("specversion")) != SPEC_VERSION:
        given = f"not {quoted(version)}" if isinstance(version, str) else "a string"
        problems.append(Problem("specversion", f'required: "{SPEC_VERSION}", {given}'))
    for name, example in (("id", "A234-1234-1234"), ("source", "/crm/calls")):
        value = item.get(name)
        if not isinstance(value, str) or not value.strip():
            problems.append(Problem(name, f"required: a string that is not empty, such as {example}"))
    return problems


def _data(item: Mapping[str, object]) -> object:
    encoded = item.get("data_base64")
    if encoded is None:
        return item.get("data")
    if "data" in item:
        raise ValueError("send either data or data_base64")
    if not isinstance(encoded, str):
        raise ValueError("write a string in Base64")
    try:
        return decode(base64.b64decode(encoded, validate=True))
    except binascii.Error:
        raise ValueError("this is no Base64") from None


def _key(source: str, event_id: str) -> str:
    """Return the idempotency key, since `source` and `id` identify an event (section "id")."""
    # A source is a URI reference, which has no space.
    key = f"cloudevent:{source} {event_id}"
    if len(key) > MAX_KEY_LENGTH:
        return f"cloudevent:sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    return key


def _is_json(content_type: object) -> bool:
    return content_type is None or (isinstance(content_type, str) and bool(_JSON.fullmatch(content_type)))


def _no_json(field: str) -> Problem:
    return Problem(field, "data is a JSON object: write application/json")


def _header_value(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    return unquote_to_bytes(value.encode("latin-1")).decode()
