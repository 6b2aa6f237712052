"""The frames of docs/asyncapi.yaml: whatever a test sees must be one of them, with no field but those described."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs
import yaml

from tests.support.processes import ROOT

DOCUMENT = ROOT / "docs" / "asyncapi.yaml"


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    described: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text())
    return described


_SOCKET_MESSAGES = tuple(document()["channels"]["socket"]["messages"])
_RECEIVED = {
    message["$ref"].rpartition("/")[2]
    for operation in document()["operations"].values()
    if operation["action"] == "receive"
    for message in operation["messages"]
}
FROM_CLIENT = tuple(name for name in _SOCKET_MESSAGES if name in _RECEIVED)
FROM_GATEWAY = tuple(name for name in _SOCKET_MESSAGES if name not in _RECEIVED)


def check_received(frame: object) -> None:
    """Raises AssertionError where the gateway's frame, as JSON, is not as described."""
    _check(_name_of(frame), frame)


def check_sent(message: object) -> None:
    """Raises AssertionError where a client's message, as JSON, is not as described."""
    name = message.get("type") if isinstance(message, dict) else None
    assert name in FROM_CLIENT, f"a client sends no such message: {message}"
    _check(str(name), message)


def is_described(message: object) -> bool:
    """Whether a client's message is as described."""
    name = message.get("type") if isinstance(message, dict) else None
    return isinstance(name, str) and name in FROM_CLIENT and _validator(name).is_valid(message)


def _check(name: str, frame: object) -> None:
    for error in _validator(name).iter_errors(frame):
        place = "/".join(map(str, error.instance_path))
        raise AssertionError(f"no {name} as in docs/asyncapi.yaml: {place}: {error.message}: {frame}")


def _name_of(frame: object) -> str:
    if isinstance(frame, list):
        return "events"
    assert isinstance(frame, dict), f"a frame is an object or a list: {frame!r}"
    kind = frame.get("type")
    if "specversion" in frame:
        return "cloudEvent"
    if kind is None:
        return "summary" if "ephemeral" in frame else "event"
    if kind == "error":
        return "closing" if "retry" in frame else "error"
    name = _names().get((kind, frame.get("action") if kind == "ack" else None))
    assert name, f"the gateway sends no such frame: {frame}"
    return name


@cache
def _names() -> dict[tuple[str, str | None], str]:
    """The gateway's messages by their type, and acks also by their action."""
    schemas = document()["components"]["schemas"]
    fields = {name: schemas[name].get("properties", {}) for name in FROM_GATEWAY}
    return {
        (each["type"]["const"], each.get("action", {}).get("const")): name
        for name, each in fields.items()
        if "const" in each.get("type", {})
    }


@cache
def _validator(name: str) -> jsonschema_rs.Draft7Validator:
    schemas = document()["components"]["schemas"]
    if name in FROM_GATEWAY:
        # Clients ignore unknown fields, so only this test notices a field that the document does not describe.
        schemas = {
            each: _closed(schema) if each in FROM_GATEWAY else schema for each, schema in schemas.items()
        }
    return jsonschema_rs.Draft7Validator(
        {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
    )


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "additionalProperties": False} if "properties" in schema else dict(schema)
