"""Event streams (GET /v1.0/sse), under the session, feed and limits of a WebSocket."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from structlog.contextvars import bound_contextvars

from events.domain.cursor import parse_cursor
from events.domain.strict_json import InvalidJson, decode
from subscriptions.connections.admission import Admission
from subscriptions.connections.handshake import Refusal
from subscriptions.delivery.stream_transport import StreamTransport
from subscriptions.presence.customer_connections import customer_connections
from subscriptions.protocol.codes import ErrorCode
from subscriptions.protocol.messages import Subscribe
from subscriptions.protocol.permissions import Identity

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

CREDENTIAL_PARAMETERS = frozenset({"token", "accesskey"})
PARAMETERS = ("topics", "filter", "since", "lastEventId", "format")

RETRY_MILLISECONDS = (500, 1500)
"""After a pause between these an EventSource connects again; random, so that not all come back at once."""

_STATUSES = {ErrorCode.PERMISSION_DENIED: 403, ErrorCode.RATE_LIMITED: 429}


class UnreadableQuery(ValueError):
    """The parameters of a stream are not valid; the message has the reason."""


@dataclass(frozen=True, slots=True)
class NoStream:
    """The answer instead of a stream: `errors` are the refusals of all its topics."""

    status: int
    code: str
    message: str
    retry_after: int = 0
    errors: tuple[Mapping[str, Any], ...] = ()


def read_subscriptions(query: str, headers: Mapping[str, str]) -> list[Subscribe]:
    """Read the topics of a stream with their filters, and where it continues.

    A `filter` is that of the `topics` before it.

    Raises:
        UnreadableQuery: the parameters are not valid.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    values = {name: value for name, value in reversed(pairs) if value}
    if unknown := sorted({name for name, _ in pairs} - CREDENTIAL_PARAMETERS - set(PARAMETERS)):
        raise UnreadableQuery(
            f"{', '.join(unknown)}: unknown parameter; known parameters: {', '.join(PARAMETERS)}"
        )
    since = headers.get("last-event-id") or values.get("lastEventId") or values.get("since")
    if since is not None:
        try:
            parse_cursor(since)
        except ValueError as error:
            raise UnreadableQuery(str(error)) from None
    groups: list[Subscribe] = []
    for name, value in pairs:
        if name == "topics" and (topics := tuple(dict.fromkeys(filter(None, value.split(","))))):
            groups.append(Subscribe(topics, since, None))
        elif name == "filter":
            if not groups:
                raise UnreadableQuery("filter: write it after the topics that it is for")
            groups[-1] = replace(groups[-1], filter=_read_filter(value))
    if not groups:
        raise UnreadableQuery("topics: name at least one, such as topics=customer_id:<id>:call:*")
    return groups


def _read_filter(text: str) -> Any:
    try:
        return decode(text)
    except InvalidJson as error:
        raise UnreadableQuery(f"filter: {error}") from None


async def serve_stream(
    scope: Mapping[str, Any],
    receive: Receive,
    send: Send,
    *,
    abort: Callable[[], None],
) -> NoStream | Identity:
    """Serve a stream until it ends; its first message to `send` is part of the body.

    `abort` cuts the connection to the client. Returns the identity of the client, or the answer if there was no stream.
    """
    admission = Admission(scope)
    with bound_contextvars(connection_id=str(admission.recorder.connection_id)):
        admitted = await admission.decide()
        if isinstance(admitted, Refusal):
            return NoStream(admitted.status, admitted.code, admitted.message, admitted.retry_after)
        try:
            return await _run(admission, admitted, StreamTransport(send, abort), receive)
        finally:
            customer_connections.leave(admitted.customer_id)


async def _run(
    admission: Admission, identity: Identity, transport: StreamTransport, receive: Receive
) -> NoStream | Identity:
    try:
        messages = read_subscriptions(admission.request.query, admission.request.headers)
    except UnreadableQuery as error:
        return NoStream(400, "INVALID_REQUEST", str(error))
    connection = admission.open(identity, transport, batch=False)
    leaving = asyncio.ensure_future(_until_client_leaves(receive))
    subscribing = asyncio.ensure_future(connection.subscribe(messages))
    over = asyncio.ensure_future(transport.is_over.wait())
    try:
        await asyncio.wait((leaving, subscribing), return_when=asyncio.FIRST_COMPLETED)
        if subscribing.done():
            subscribing.result()
            if transport.refusals and not transport.has_begun:
                return _nothing_granted(transport.refusals)
        await asyncio.wait((leaving, over), return_when=asyncio.FIRST_COMPLETED)
        return connection.identity
    finally:
        transport.end()
        connection.disconnect_code = transport.close_code
        for task in (leaving, subscribing, over):
            task.cancel()
        connection.ended()


async def _until_client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _nothing_granted(refusals: list[dict[str, Any]]) -> NoStream:
    first = refusals[0]
    wait = max(float(refusal.get("retry_after", 0)) for refusal in refusals)
    errors = tuple(
        {
            name: value
            for name, value in refusal.items()
            if name in ("topics", "code", "message", "retry_after")
        }
        for refusal in refusals
    )
    message = "; ".join(dict.fromkeys(str(refusal["message"]) for refusal in refusals))
    return NoStream(
        _STATUSES.get(first["code"], 400),
        first["code"],
        message,
        retry_after=int(wait + 0.999),
        errors=errors,
    )


def retry_field() -> bytes:
    """Return the first line of a stream: the pause after which an EventSource connects again."""
    return b"retry: %d\n" % random.randint(*RETRY_MILLISECONDS)  # noqa: S311 - spreads load
