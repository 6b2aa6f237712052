"""Access for pages of other origins, without cookies (CORS, in the Fetch standard).

An ASGI application around all of HTTP, since publishing and refusals of a stopping process do not pass Django, where
django-cors-headers would act.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from subscriptions.connections.handshake import origin_is_allowed
from voipbin_ws.http.request_headers import headers_of

PATHS = ("/v1.0/", "/auth/")
REFUSAL_REASON = "/v1.0/ws"
"""Its answer to a plain GET is for pages of every origin: it says why they may not connect."""

_ALLOW = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-ID",
    ),
    (b"access-control-max-age", b"600"),
)
_EXPOSE = (
    b"access-control-expose-headers",
    b"Date, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-ID",
)
_SAME_ORIGIN = (b"cross-origin-resource-policy", b"same-origin")
_CROSS_ORIGIN = (b"cross-origin-resource-policy", b"cross-origin")

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


class CrossOriginAccess:
    """Lets pages of WEBSOCKET_ORIGINS read the responses of `application` to programs."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if not path.startswith(PATHS) or not any(
            name == b"origin" and value for name, value in scope["headers"]
        ):
            await self._application(scope, receive, send)
            return
        headers = headers_of(scope)
        origin = headers["origin"]
        is_allowed = path == REFUSAL_REASON or origin_is_allowed(headers)
        own = ((b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin"))
        if not is_allowed:
            await self._application(scope, receive, send)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            # Before any other check: a browser sends it without a credential.
            preflight = [*own, *_ALLOW, _CROSS_ORIGIN]
            await send({"type": "http.response.start", "status": 204, "headers": preflight})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._application(scope, receive, _adding([*own, _EXPOSE], send))


def _adding(own: list[tuple[bytes, bytes]], send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [
                _CROSS_ORIGIN if (name.lower(), value) == _SAME_ORIGIN else (name, value)
                for name, value in message["headers"]
            ]
            message = {**message, "headers": [*headers, *own]}
        await send(message)

    return send_with_headers
