"""How the addresses of the REST interface are described for machines: the words of OpenAPI that both apps use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)

Schema = Mapping[str, Any]

UUID_SCHEMA: Schema = {"type": "string", "format": "uuid"}
TIME_SCHEMA: Schema = {"type": "string", "format": "date-time", "examples": ["2024-01-15T10:30:00.000000Z"]}
TEXT: Schema = {"type": "string"}

REFUSALS: dict[str, tuple[int, str]] = {
    "INVALID_REQUEST": (
        400,
        "some parameter or field is not right: the message says which, and what is right",
    ),
    "INVALID_EVENT": (
        400,
        "the body cannot be read, or some event is not right: `errors` has a reason for each",
    ),
    "UNAUTHORIZED": (401, "no credential, or none that is accepted"),
    "PERMISSION_DENIED": (403, "the credential may not do this"),
    "NOT_FOUND": (404, "there is no such thing for this credential"),
    "METHOD_NOT_ALLOWED": (405, "the address does not know this method"),
    "IDEMPOTENCY_CONFLICT": (409, "the key was used for another event: use a new key"),
    "CALL_OVER": (409, "the call has ended"),
    "NOT_YOUR_CALL": (409, "the call is with another agent"),
    "OPTED_OUT": (409, "the number wrote STOP"),
    "PLATFORM_REFUSED": (409, "the platform says no, in its own words"),
    "STATUS_CHANGES": (409, "others change the status at the same time: try again"),
    "NOT_KEPT": (410, "what follows `after` or `next` is not all kept any more: read anew from the start"),
    "TOO_LARGE": (413, "more than one request may have"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "the body is compressed (`Content-Encoding`)"),
    "UPGRADE_REQUIRED": (426, "the credential is good: connect to this address as a WebSocket"),
    "RATE_LIMITED": (429, "too many tries: come back after `Retry-After` seconds"),
    "INTERNAL_ERROR": (500, "a defect of the gateway, which was logged"),
    "NO_PLATFORM": (501, "no platform is connected to the gateway"),
    "PLATFORM_UNAVAILABLE": (502, "the platform cannot be reached or fails"),
    "UNAVAILABLE": (503, "the database does not answer: try again"),
    "PLATFORM_TIMEOUT": (504, "the platform did not answer in time: nobody knows whether it was done"),
}
"""Status and meaning of each code of an error."""

ERROR: Schema = {
    "type": "object",
    "description": "Every error has this form.",
    "required": ["code", "message"],
    "properties": {
        "code": {"enum": list(REFUSALS), "description": "For programs. Codes do not change."},
        "message": {"type": "string", "description": "For people: what is wrong, and what is right."},
        "errors": {
            "type": "array",
            "description": "Where single fields are to blame: a reason for each.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "index": {"type": ["integer", "null"], "description": "Which event of a list, from 0."},
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}

_HEADERS = {
    401: ("WWW-Authenticate", "`Bearer`."),
    426: ("Upgrade", "`websocket`."),
    429: ("Retry-After", "Seconds."),
    503: ("Retry-After", "Seconds."),
}


def named(name: str) -> Schema:
    """A schema among the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(schema: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": schema, **more}


def record(properties: Mapping[str, Schema], *, optional: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """An object; all of its properties are there but those named as optional."""
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        **({"required": required} if required else {}),
        "properties": dict(properties),
        **more,
    }


def query(name: str, schema: Schema, description: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(
        name, dict(schema), OpenApiParameter.QUERY, required=required, description=description
    )


def in_path(name: str, schema: Schema, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, dict(schema), OpenApiParameter.PATH, required=True, description=description)


def header(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, dict(TEXT), OpenApiParameter.HEADER, description=description)


def good(description: str, schema: Schema, **examples: Any) -> OpenApiResponse:
    """An answer that is no error; examples by name."""
    return OpenApiResponse(
        dict(schema), description, [OpenApiExample(name, value) for name, value in examples.items()]
    )


def operation(
    summary: str,
    description: str = "",
    *,
    tag: str,
    name: str,
    good: Mapping[int, OpenApiResponse],
    refusals: Sequence[str],
    body: Schema | None = None,
    bodies: Mapping[str, Any] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    credential: bool = True,
    auth: Any = None,
) -> Any:
    """Describes one method of a view. `bodies` are examples by name; `refusals` are codes of errors, beside those that
    every address has; `auth` are the security schemes where the view does not say."""
    always = ("UNAUTHORIZED", "UNAVAILABLE") if credential else ("UNAVAILABLE",)
    answers: dict[Any, Any] = dict(good)
    for code in (*refusals, *always):
        answers.setdefault(REFUSALS[code][0], []).append(code)
    for status, codes in answers.items():
        if isinstance(codes, list):
            answers[status] = _refused(status, codes)
    answers["default"] = OpenApiResponse(
        named("Error"),
        "What any address may answer: 405, 406, 429, 500, and 400 for a host that is not ours.",
    )
    examples = [OpenApiExample(each, value, request_only=True) for each, value in (bodies or {}).items()]
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        tags=[tag],
        parameters=list(parameters),
        request={"application/json": dict(body)} if body else None,
        responses=answers,
        examples=examples,
        auth=auth if credential else [],
    )


def _refused(status: int, codes: Sequence[str]) -> OpenApiResponse:
    unique = list(dict.fromkeys(codes))
    words = "\n".join(f"- `{code}`: {REFUSALS[code][1]}" for code in unique)
    schema = {"allOf": [named("Error"), {"properties": {"code": {"enum": unique}}}]}
    # Not as a parameter: drf-spectacular knows of headers only beside all answers of an operation.
    examples = [OpenApiExample(code, {"code": code, "message": REFUSALS[code][1]}) for code in unique]
    response = OpenApiResponse(schema, words, examples)
    if status in _HEADERS:
        name, meaning = _HEADERS[status]
        response.description += f"\n\nWith the header `{name}`: {meaning}"
    return response


def describe(view: str, **operations: Any) -> None:
    """Describe the methods of a view, by its dotted path, apart from the view's own code."""

    def described(extension: OpenApiViewExtension) -> Any:
        return extend_schema_view(**operations)(type("Described", (cast(type, extension.target_class),), {}))

    # Its making registers it.
    type("Description", (OpenApiViewExtension,), {"target_class": view, "view_replacement": described})
