"""The ASGI application of both servers: HTTP, WebSockets and the life of the runtime."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from events.domain.strict_json import encode
from subscriptions.connections.handshake import ANSWER_HEADERS, Refusal, refuse
from subscriptions.connections.runtime import runtime
from subscriptions.routing import websocket_urlpatterns
from voipbin_ws.http.connections import PART_BYTES
from voipbin_ws.http.cross_origin import CrossOriginAccess
from voipbin_ws.http.request_headers import headers_of, host_is_allowed

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

FOREIGN_HOST = Refusal(
    400, "INVALID_REQUEST", "The request is for a host that an operator can add to ALLOWED_HOSTS", ""
)
NO_SUCH_ENDPOINT = Refusal(404, "NOT_FOUND", "There is no WebSocket at this address: connect to /v1.0/ws", "")


class GatewayApplication:
    """Passes HTTP to Django and WebSockets to the consumers; the first starts the runtime.

    After `is_stopping` is set, new HTTP requests are refused with 503. All else sees the addresses of clients as they
    are: of IPv4 clients of an IPv6 socket, and behind TRUSTED_PROXIES.
    """

    def __init__(self, django: Any) -> None:
        self.is_stopping = False
        self._django = django
        self._http = CrossOriginAccess(self._respond)
        self._websockets = URLRouter(websocket_urlpatterns)
        self._behind_proxies: Any = ProxyHeadersMiddleware(self._dispatch, settings.TRUSTED_PROXIES)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._behind_proxies(_with_plain_address(scope), receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = _with_plain_address(scope)  # As the proxy named it.
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "websocket":
                await self._websocket(scope, receive, send)
            case "lifespan":
                await self._lifespan(receive, send)
            case other:
                raise ValueError(f"unknown kind of connection: {other}")

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.is_stopping:
            await _unavailable(send)
            return
        runtime()
        has_begun = False

        async def send_noting_start(message: Mapping[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            if len(message.get("body", b"")) > PART_BYTES:
                await _send_in_parts(message, send)
            else:
                await send(message)

        try:
            await self._django(scope, receive, send_noting_start)
        except asyncio.CancelledError:
            # The server stops and waits no longer. A thread may still store the event of this request, so the server's
            # own 500 would be wrong: after 503 a publisher cannot be sure either way.
            if has_begun:
                raise
            await _unavailable(send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not host_is_allowed(headers_of(scope)):
            await receive()
            await refuse(scope, send, FOREIGN_HOST)
            return
        try:
            await self._websockets(scope, receive, send)
        except ValueError as error:
            if not str(error).startswith("No route found"):
                raise
            await receive()
            await refuse(scope, send, NO_SUCH_ENDPOINT)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                runtime()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await runtime().stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _with_plain_address(scope: Scope) -> Scope:
    """Return the scope with an IPv4 client's address in its own form.

    An IPv6 socket that also takes IPv4 reports `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2).
    """
    host, port = scope.get("client") or ("", 0)
    if not host.lower().startswith("::ffff:"):
        return scope
    try:
        address = ip_address(host)
    except ValueError:
        return scope
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return scope if mapped is None else {**scope, "client": (str(mapped), port)}


async def _send_in_parts(message: Mapping[str, Any], send: Send) -> None:
    """Send a large body in parts, each of which waits for the client to read those before it."""
    body = message["body"]
    last = (len(body) - 1) // PART_BYTES * PART_BYTES
    for start in range(0, last, PART_BYTES):
        await send({**message, "body": body[start : start + PART_BYTES], "more_body": True})
    await send({**message, "body": body[last:]})


async def _unavailable(send: Send) -> None:
    body = encode({"code": "UNAVAILABLE", "message": "The gateway restarts: try again"}).encode()
    headers = [
        *ANSWER_HEADERS,
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", b"1"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
