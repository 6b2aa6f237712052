"""The check of every answer that a test receives against the OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs

UNIVERSAL_STATUSES = {405, 406, 500}
"""Statuses that any address may answer without describing them."""


_CLOUD_EVENT = {"$ref": "#/components/schemas/CloudEvent"}
_CLOUD_EVENTS = {"anyOf": [_CLOUD_EVENT, {"type": "array", "items": _CLOUD_EVENT}]}
"""Bodies that are described in words only."""

_making = Lock()


def document() -> dict[str, Any]:
    """Return the OpenAPI document, as the gateway serves it. drf-spectacular cannot make it in two threads at once."""
    with _making:
        return _document()


@cache
def _document() -> dict[str, Any]:
    from voipbin_ws.pages.api_docs import openapi_text

    described: dict[str, Any] = json.loads(openapi_text())
    return described


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    name: str
    path: str
    described: Mapping[str, Any]

    def answer_schema(self, status: int) -> dict[str, Any] | None:
        """Return the schema of the body: empty if it is not JSON, `None` if the status is not described."""
        responses = self.described["responses"]
        answer = responses.get(str(status)) or (
            responses.get("default") if status in UNIVERSAL_STATUSES else None
        )
        if answer is None:
            return None
        return _json_schema(answer.get("content", {}))

    def codes(self, status: int) -> set[str]:
        """Return the error codes that are described for a status: those of its examples."""
        answer = self.described["responses"].get(str(status), {})
        examples = answer.get("content", {}).get("application/json", {}).get("examples", {})
        return {each["value"]["code"] for each in examples.values()} if status >= 400 else set()

    @property
    def parameters(self) -> set[str]:
        """The names of the query parameters."""
        return {each["name"] for each in self.described.get("parameters", []) if each["in"] == "query"}


def operation_of(method: str, path: str) -> Operation | None:
    """Return the description of a method of an address, or `None` if the gateway has no such address."""
    for pattern, template in _templates():
        if pattern.fullmatch(path):
            described = document()["paths"][template].get(method.lower())
            return Operation(described["operationId"], template, described) if described else None
    return None


def check_answer(method: str, url: str, sent: str | bytes, status: int, answered: str | bytes) -> None:
    """Check an answer, and the request if it was granted.

    Addresses outside the document, and methods that an address does not support, are ignored.

    Raises:
        AssertionError: the answer has a status, a value or a field that is not described, or the granted request has.
    """
    parts = urlsplit(url)
    operation = operation_of(method, parts.path)
    if operation is None:
        return
    where = f"{method} {parts.path} answered {status}"
    schema = operation.answer_schema(status)
    assert schema is not None, f"{where}, which is not described: {answered!r}"
    if schema:
        content = json.loads(answered)
        _validate(json.dumps(schema), content, where, closed=True)
        if codes := operation.codes(status):
            assert content["code"] in codes, f"{where} with a code that is not described: {content}"
    if 200 <= status < 300:
        named = {name for name, _ in parse_qsl(parts.query)} - {"token", "accesskey"}
        assert named <= operation.parameters, f"{where} to parameters that are not described: {named}"
        body = operation.described.get("requestBody")
        if body is not None and sent:
            _validate(
                json.dumps(_CLOUD_EVENTS if "specversion" in str(sent) else _json_schema(body["content"])),
                json.loads(sent),
                f"{where} to a body that is not as described",
                closed=False,
            )


def _json_schema(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of all JSON formats of a body, empty if there is none."""
    schemas = [each.get("schema", {}) for name, each in content.items() if name.endswith("json")]
    return {"anyOf": schemas} if len(schemas) > 1 else schemas[0] if schemas else {}


def _validate(schema: str, value: object, where: str, *, closed: bool) -> None:
    for error in _validator(schema, closed).iter_errors(value):
        place = "/".join(map(str, error.instance_path))
        raise AssertionError(f"{where}: {place}: {error.message}: {value}")


@cache
def _validator(schema: str, closed: bool) -> jsonschema_rs.Draft202012Validator:
    whole: dict[str, Any] = {**json.loads(schema), "components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(_without_further_fields(whole) if closed else whole)


def _without_further_fields(schema: Any) -> Any:
    """Forbid undescribed fields: clients ignore them, so only a test notices them."""
    if isinstance(schema, list):
        return [_without_further_fields(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _without_further_fields(each) for name, each in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        inner.setdefault("additionalProperties", False)
    return inner


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Return the addresses with their patterns, the most specific first."""
    found = sorted(document()["paths"], key=lambda template: (template.count("{"), -len(template)))
    return [(re.compile(_NAME.sub("(.+)", re.escape(each))), each) for each in found]


_NAME = re.compile(r"\\\{[^}]+\\\}")
