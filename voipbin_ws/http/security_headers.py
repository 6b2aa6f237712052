"""The security headers of every response: content, framing, caching, permissions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import cast

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from events.api.responses import JSON_HEADERS

Respond = Callable[[HttpRequest], HttpResponseBase]

PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""Only scripts, styles and connections of this origin, nothing inline: names of callers cannot run."""

PERMISSIONS_POLICY = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


def security_headers(get_response: Respond) -> Respond:
    """Add the security headers that the view has not set. Middleware of Django."""
    return lambda request: _with_security_headers(get_response(request))


def _with_security_headers(response: HttpResponseBase) -> HttpResponseBase:
    headers = response.headers
    if headers.get("Content-Type", "").startswith("application/json"):
        for name, value in JSON_HEADERS.items():
            headers.setdefault(name, value)
    elif not (
        settings.DEBUG and response.status_code in (404, 500)
    ):  # Django's debug pages use inline scripts.
        headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
    if "Access-Control-Allow-Origin" not in headers:
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    return response


def with_security_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return a response that passed no middleware with the headers that the middleware adds.

    With PUBLIC_URL of https://, the response to a request without TLS is the redirect.
    """
    inner = cast(Respond, SecurityMiddleware(XFrameOptionsMiddleware(lambda _: response)))
    return security_headers(inner)(request)


@cache
def json_headers(scheme: str) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that the middleware adds to JSON, for responses without Django."""
    scope = {"type": "http", "method": "GET", "path": "/v1.0/", "scheme": scheme, "headers": []}
    json = HttpResponse(content_type="application/json")
    response = with_security_headers(ASGIRequest(scope, BytesIO()), json)
    return tuple((name.lower().encode(), value.encode()) for name, value in response.items())
