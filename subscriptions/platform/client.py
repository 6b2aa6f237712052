"""The client of the platform's HTTP API, with an error code for each kind of failure."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import httpx
from django.conf import settings
from django.db import connections
from rest_framework import status

from events.api.errors import ApiError
from events.domain.strict_json import InvalidJson, decode

logger = logging.getLogger(__name__)

MAX_REPLY_BYTES = 64 * 2**10
MAX_MESSAGE_CHARACTERS = 300
NO_PLATFORM = "No platform is connected to this gateway: an operator names its API with PLATFORM_API_URL"


def url_of(customer_id: str) -> str | None:
    """Return the root URL of the customer's platform, or `None` if not configured."""
    urls: Mapping[str, str] = settings.PLATFORM_API_URLS
    return urls.get(customer_id) or urls.get("")


def request(method: str, customer_id: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Send a request for a customer; return the JSON object of the reply, which may be empty.

    Raises:
        ApiError: 501 NO_PLATFORM, 409 PLATFORM_REFUSED with the platform's message, 502 PLATFORM_UNAVAILABLE, or
            504 PLATFORM_TIMEOUT, after which it is unknown whether the platform acted.
    """
    root = url_of(customer_id)
    if root is None:
        raise ApiError(status.HTTP_501_NOT_IMPLEMENTED, NO_PLATFORM, code="NO_PLATFORM")
    # A slow platform must not occupy database connections.
    connections.close_all()
    timeout_seconds = settings.PLATFORM_ANSWER_SECONDS
    headers = {"Authorization": f"Bearer {settings.PLATFORM_API_KEY}"} if settings.PLATFORM_API_KEY else {}
    content = {"customer_id": customer_id, **body}
    try:
        with (
            httpx.Client(timeout=timeout_seconds, trust_env=False) as http,
            http.stream(method, root + path, json=content, headers=headers) as response,
        ):
            code, reply = response.status_code, _read(response, time.monotonic() + timeout_seconds)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise _unavailable(
            root, f"cannot be reached, and nothing was done ({type(error).__name__})"
        ) from None
    except httpx.TimeoutException:
        logger.warning(
            "The platform at %s did not answer %s %s within %g s", root, method, path, timeout_seconds
        )
        raise ApiError(
            status.HTTP_504_GATEWAY_TIMEOUT,
            f"The platform did not answer within {timeout_seconds:g} s. It may yet do it: look before you try again",
            code="PLATFORM_TIMEOUT",
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unavailable(
            root, f"broke the connection off: look before you try again ({type(error).__name__})"
        ) from None
    if 200 <= code < 300:
        return reply
    if 400 <= code < 500 and code not in (401, 407, 408, 429):
        raise ApiError(
            status.HTTP_409_CONFLICT,
            f"The platform refuses: {_message_of(reply) or f'it answers {code}'}",
            code="PLATFORM_REFUSED",
        )
    if code == status.HTTP_401_UNAUTHORIZED:
        raise _unavailable(
            root, "does not accept the gateway's own credential: an operator checks PLATFORM_API_KEY"
        )
    raise _unavailable(root, f"answers {code}{': ' + _message_of(reply) if _message_of(reply) else ''}")


def _read(response: httpx.Response, deadline: float) -> dict[str, Any]:
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer comes in drops")
        if len(body) > MAX_REPLY_BYTES:
            return {}
    try:
        content = decode(body)
    except InvalidJson:
        return {}
    return content if isinstance(content, dict) else {}


def _message_of(reply: Mapping[str, Any]) -> str:
    """Find the message of the platform's error in the usual fields, or return ""."""
    nested = reply.get("error")
    for place in (reply, nested if isinstance(nested, dict) else {}):
        for name in ("message", "detail", "reason"):
            if isinstance(text := place.get(name), str) and text.strip():
                return text.strip()[:MAX_MESSAGE_CHARACTERS]
    return nested.strip()[:MAX_MESSAGE_CHARACTERS] if isinstance(nested, str) else ""


def _unavailable(root: str, what: str) -> ApiError:
    logger.warning("The platform at %s %s", root, what)
    return ApiError(status.HTTP_502_BAD_GATEWAY, f"The platform {what}", code="PLATFORM_UNAVAILABLE")
