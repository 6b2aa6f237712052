"""One operation in OpenAPI: parameters, bodies, answers and error codes.

`operation` decorates the methods of views. drf-spectacular and the document are loaded on the first request for the
document (`voipbin_ws.pages.openapi`): most processes never serve it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema_field
from rest_framework.serializers import CharField, IntegerField, JSONField, Serializer

from events.api.errors import ERROR_CODES
from events.reading.parameters import CREDENTIAL_PARAMETERS

Schema = Mapping[str, Any]
Handler = TypeVar("Handler", bound=Callable[..., Any])

READING_ERRORS = ("INVALID_REQUEST", "PERMISSION_DENIED", "NOT_FOUND")

CREDENTIAL: list[dict[str, list[str]]] = [{name: []} for name in ("bearer", *CREDENTIAL_PARAMETERS)]
"""The security requirement of OpenAPI: a credential in the header or in one of the two parameters."""

_HEADERS = {
    401: "`WWW-Authenticate`: `Bearer`.",
    426: "`Upgrade`: `websocket`.",
    429: "`Retry-After`: Seconds.",
    503: "`Retry-After`: Seconds.",
    507: "`Retry-After`: Seconds.",
}


def field(schema: Schema, description: str = "", **options: Any) -> Any:
    """Return a serializer field of this JSON schema, with REST framework's `options`."""
    kind = extend_schema_field(dict(schema))(type("DescribedField", (JSONField,), {}))
    return kind(help_text=description, **options)


def parameter(
    name: str, schema: Schema, description: str, location: Literal["query", "header", "path"] = "query"
) -> OpenApiParameter:
    """Return a parameter in the `query`, `header` or `path`; only the latter are required."""
    return OpenApiParameter(name, dict(schema), location, description=description)


class ErrorDetail(Serializer[Any]):
    index = IntegerField(
        required=False, allow_null=True, help_text="The position of the event in a list, from 0."
    )
    field = CharField()
    message = CharField()


class Error(Serializer[Any]):
    """The form of every error."""

    code = field(
        {"type": "string", "x-extensible-enum": list(ERROR_CODES)},
        "For programs. Codes do not change; later versions may add some.",
    )
    message = CharField(help_text="For people: what is wrong, and what is valid.")
    errors = ErrorDetail(  # type: ignore[assignment]  # REST framework has a property of this name.
        many=True, required=False, help_text="The reason for each field that is refused."
    )


def operation(
    name: str,
    tag: str,
    answers: Mapping[int, tuple[str, Any]],
    parameters: Sequence[OpenApiParameter] = (),
    *,
    body: Any = None,
    examples: Mapping[str, Any] | None = None,
    errors: Sequence[str] = READING_ERRORS,
    credential: bool = True,
) -> Callable[[Handler], Handler]:
    """Describe a view's method; the docstring has the summary and the description.

    `name` is the operation id, `answers` are descriptions and serializers by status, `examples` are bodies by name, and
    `errors` are codes beside those of every operation.
    """
    details = {
        "INVALID_EVENT": _INVALID_EVENT,
        "INVALID_REQUEST": _invalid_request(parameters, body),
        "IDEMPOTENCY_CONFLICT": _CONFLICT,
    }
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*errors, *(["UNAUTHORIZED"] if credential else []), "UNAVAILABLE")):
        by_status.setdefault(ERROR_CODES[code][0], []).append(code)
    responses: dict[Any, Any] = {
        **{status: OpenApiResponse(answer, description) for status, (description, answer) in answers.items()},
        **{status: _refusal(status, codes, details) for status, codes in by_status.items()},
        "default": OpenApiResponse(
            Error, "Any address may answer 405, 406, 429, 500, and 400 for a host that is not allowed."
        ),
    }

    def describe(handler: Handler) -> Handler:
        vars(handler)["operation"] = {
            "operation_id": name,
            "tags": [tag],
            "parameters": list(parameters),
            "request": body,
            "responses": responses,
            "examples": [OpenApiExample(*example, request_only=True) for example in (examples or {}).items()],
            "auth": CREDENTIAL if credential else [],
        }
        return handler

    return describe


_INVALID_EVENT = {
    "index": 0,
    "field": "data.call_id",
    "message": "the resource's id is missing: give data.call_id or data.id",
}
_CONFLICT = {
    "index": 0,
    "field": "idempotency_key",
    "message": "this idempotency_key was used for another event: use a new key for each event",
}


def _invalid_request(parameters: Sequence[OpenApiParameter], body: Any) -> Mapping[str, Any]:
    """Return the detail of an invalid request in the example of its refusal."""
    if body is not None:
        return {"field": "colour", "message": "unknown field"}
    if any(each.name == "limit" for each in parameters):
        return {"field": "limit", "message": "write a whole number from 1 to 1000; without it, it is 100"}
    return {"field": "colour", "message": "unknown parameter"}


def _example(code: str, details: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if (detail := details.get(code)) is None:
        return {"code": code, "message": ERROR_CODES[code][1]}
    return {"code": code, "message": f"{detail['field']}: {detail['message']}", "errors": [detail]}


def _refusal(status: int, codes: Sequence[str], details: Mapping[str, Mapping[str, Any]]) -> OpenApiResponse:
    meanings = "\n".join(f"- `{code}`: {ERROR_CODES[code][1]}" for code in codes)
    # drf-spectacular can describe a header only for all responses of an operation, not for one status.
    header = f"\n\nWith the header {_HEADERS[status]}" if status in _HEADERS else ""
    # The codes of a status are those of its examples: a schema of them would be a class in generated clients.
    examples = [OpenApiExample(code, _example(code, details)) for code in codes]
    return OpenApiResponse(Error, meanings + header, examples)
