"""The opening handshake, and the reason if the server refuses it."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from voipbin_ws_client.errors import Forbidden, NotAGateway

MAX_MESSAGE_BYTES = 2**25
"""More than the largest event that a gateway can be configured to accept."""

CLOSE_SECONDS = 2.0
REASON_SECONDS = 10.0
TRANSIENT_STATUSES = frozenset({408, 425, 429})


class CredentialRefused(Exception):
    """The server does not accept the credential; the message is the reason."""


class Unavailable(Exception):
    """A temporary failure, with its reason; `too_many` if the server has too many connections."""

    def __init__(self, message: str, *, too_many: bool = False) -> None:
        super().__init__(message)
        self.too_many = too_many


def connect_url(url: str, *, batch: bool) -> str:
    """Return the URL to connect to, with the parameter `batch`.

    Raises:
        ValueError: `url` is no ws:// or wss:// URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError(f"{url!r} is no WebSocket address such as wss://ws.example.com/v1.0/ws")
    if not batch:
        return url
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "batch"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("batch", "true")])))


async def open_socket(url: str, token: str | None) -> ClientConnection:
    """Open a WebSocket.

    The library's keepalive is off: it would close a connection whose application reads slowly. `Connection` has
    another one.

    Raises:
        CredentialRefused: the server does not accept the credential.
        Unavailable: there is no connection now.
        Forbidden: the server refuses this origin.
        NotAGateway: the address is not that of a gateway.
    """
    try:
        return await connect(
            url,
            additional_headers=_headers(token),
            user_agent_header="voipbin-ws-client",
            compression=None,
            ping_interval=None,
            close_timeout=CLOSE_SECONDS,
            max_size=MAX_MESSAGE_BYTES,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        message = _message_of(error.response.body) or _status_text(status)
        if status == httpx.codes.FORBIDDEN and not _message_of(error.response.body):
            status, message = await _fetch_reason(url, token)
        raise _refusal(status, message) from None
    except asyncio.TimeoutError:
        raise Unavailable("The server does not answer") from None
    except ConnectionRefusedError:
        raise Unavailable("Nothing listens there") from None
    except (OSError, InvalidHandshake, EOFError) as error:
        raise Unavailable(str(error) or type(error).__name__) from None


def _refusal(status: int, message: str) -> Exception:
    if status == httpx.codes.UNAUTHORIZED:
        return CredentialRefused(message)
    if status == httpx.codes.FORBIDDEN:
        return Forbidden(message, status)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in TRANSIENT_STATUSES:
        return Unavailable(message, too_many=status == httpx.codes.TOO_MANY_REQUESTS)
    return NotAGateway(message, status)


async def _fetch_reason(url: str, token: str | None) -> tuple[int, str]:
    """Return status and message of a plain GET of the same address.

    Some servers refuse every handshake with an empty 403.
    """
    parts = urlsplit(url)
    http_url = urlunsplit(parts._replace(scheme="https" if parts.scheme == "wss" else "http"))
    try:
        async with httpx.AsyncClient(timeout=REASON_SECONDS) as http:
            response = await http.get(http_url, headers=_headers(token))
    except httpx.HTTPError as error:
        raise Unavailable(f"The server refused the connection, and does not say why: {error}") from None
    if response.status_code == httpx.codes.UPGRADE_REQUIRED:
        return 403, "The credential is good, but the server wants no connection from here"
    if response.status_code == httpx.codes.NOT_FOUND:
        return 403, "The server refused the connection, and does not say why"
    return response.status_code, _message_of(response.content) or _status_text(response.status_code)


def _status_text(status: int) -> str:
    return f"The server answered with status {status}"


def _headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def _message_of(body: bytes | bytearray | None) -> str:
    try:
        content: Any = json.loads(body or b"")
    except ValueError:
        return ""
    message = content.get("message") if isinstance(content, dict) else None
    return message if isinstance(message, str) else ""
