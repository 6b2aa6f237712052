"""The size limit of request bodies, and small bodies as JSON objects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rest_framework import status
from rest_framework.request import Request

from events.api.errors import ApiError
from events.domain.strict_json import InvalidJson, decode

MAX_BYTES = 16 * 2**10


def read_json_object(request: Request, fields: Collection[str]) -> dict[str, Any]:
    """Decode the body as an object with some of these fields, or as {} if it is empty.

    Raises:
        ApiError: The body is no such object, or larger than MAX_BYTES.
    """
    body = read_body(request, MAX_BYTES)
    if not body.strip():
        return {}
    named = ", ".join(f'"{name}"' for name in sorted(fields)) or "no fields"
    try:
        content = decode(body)
    except InvalidJson as error:
        raise ApiError(status.HTTP_400_BAD_REQUEST, f"The body is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise ApiError(status.HTTP_400_BAD_REQUEST, f"Send a JSON object with {named}")
    if unknown := [name for name in content if name not in fields]:
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            f"There is no such field here: send {named}",
            errors=[{"field": name[:64], "message": "unknown field"} for name in unknown[:20]],
        )
    return content


def read_body(request: Request, most: int) -> bytes:
    """Return the body of a request as it was sent.

    Raises:
        ApiError: The body is larger than `most` bytes.
    """
    body = request._request.read(most + 1)
    require_size(request.headers, body, most)
    return body


def require_size(headers: Mapping[str, str], body: bytes, most: int, advice: str = "") -> None:
    """Refuse a body that has, or is announced to have, more than `most` bytes.

    Raises:
        ApiError: 413, with the limit and the advice.
    """
    # The length first: parsing a very long number takes quadratic time.
    announced = headers.get("content-length") or "0"
    if len(announced) > 18 or not announced.isdecimal() or int(announced) > most or len(body) > most:
        raise ApiError(
            status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {most} bytes{advice}"
        )
