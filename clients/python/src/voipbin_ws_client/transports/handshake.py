"""The opening handshake, and the reason if the server refuses it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from voipbin_ws_client.errors import Forbidden, NotAGateway
from voipbin_ws_client.states import Clock
from voipbin_ws_client.transports.transport import TransportClosed
from voipbin_ws_client.updates import Frame

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 2**25
"""More than the largest event that a gateway can be configured to accept."""

CONNECT_SECONDS = 15.0
CLOSE_SECONDS = 2.0
REASON_SECONDS = 10.0

BLOCKED = "WebSockets are blocked between here and the gateway: it answers over HTTP, but the upgrade does not arrive"


class CredentialRefused(Exception):
    """The server does not accept the credential; the message is the reason."""


class Unavailable(Exception):
    """A temporary failure, with its reason.

    `too_many` if the server has too many connections, `is_away` if the gateway itself did not answer, `is_blocked` if
    it answers over HTTP but the upgrade does not arrive.
    """

    def __init__(
        self, message: str, *, too_many: bool = False, is_away: bool = False, is_blocked: bool = False
    ) -> None:
        super().__init__(message)
        self.too_many = too_many
        self.is_away = is_away or is_blocked
        self.is_blocked = is_blocked


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


def http_url(url: str) -> str:
    """Return the address with which a plain GET reaches the same place."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="https" if parts.scheme == "wss" else "http"))


class _Connect(connect):
    """A connection attempt that follows no redirect, such as that to a login page."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class WebSocket:
    """An open WebSocket as a `Transport`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def receive(self) -> str:
        """Return the next text message; binary ones are only logged."""
        try:
            while isinstance(message := await self._connection.recv(), bytes):
                logger.warning("A binary frame is ignored")
        except ConnectionClosed as closed:
            raise _closed(closed) from None
        return message

    async def send(self, text: str) -> None:
        """Send a text message."""
        try:
            await self._connection.send(text)
        except ConnectionClosed as closed:
            raise _closed(closed) from None

    async def close(self) -> None:
        """Close with the closing handshake."""
        await self._connection.close()

    def abort(self) -> None:
        """Close without the closing handshake."""
        self._connection.transport.abort()


def _closed(closed: ConnectionClosed) -> TransportClosed:
    return TransportClosed() if closed.rcvd is None else TransportClosed(closed.rcvd.code, closed.rcvd.reason)


async def open_socket(url: str, token: str | None, clock: Clock) -> WebSocket:
    """Open a WebSocket.

    The library's keepalive is off: it would close a connection whose application reads slowly. `Connection` has
    another one.

    Raises:
        CredentialRefused: the server does not accept the credential.
        Unavailable: there is no connection now.
        Forbidden: the server refuses this origin.
        NotAGateway: the gateway has no WebSocket at the address, or does not serve its host.
    """
    try:
        return WebSocket(await clock.within(CONNECT_SECONDS, _dial(url, token)))
    except InvalidStatus as error:
        response = error.response
        answer = Answer.of(response.status_code, response.headers, response.body)
        if answer.code is None:
            # Some intermediaries refuse every upgrade, and pass a plain GET on.
            answer = await _ask(url, token) or answer
        raise refusal(answer) from None
    except asyncio.TimeoutError:
        raise Unavailable("The server does not answer", is_away=True) from None
    except ConnectionRefusedError:
        raise Unavailable("Nothing listens there", is_away=True) from None
    except (OSError, InvalidHandshake, EOFError) as error:
        raise Unavailable(str(error) or type(error).__name__, is_away=True) from None


async def _dial(url: str, token: str | None) -> ClientConnection:
    return await _Connect(
        url,
        additional_headers=headers_with(token),
        user_agent_header="voipbin-ws-client",
        compression=None,
        open_timeout=None,
        ping_interval=None,
        close_timeout=CLOSE_SECONDS,
        max_size=MAX_MESSAGE_BYTES,
    )


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP.

    `code` is the gateway's; it is `None` if a proxy, a firewall or a captive portal answered.
    """

    status: int
    code: str | None
    message: str
    refusals: tuple[Frame, ...] = ()
    """Error frames: the gateway accepts the client, but grants none of its topics."""

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], body: bytes | bytearray | None) -> Answer:
        """Read an answer. Only a JSON object with `code` and `message` is the gateway's own."""
        kind = headers.get("Content-Type", "").partition(";")[0] or "no content type"
        try:
            content = json.loads(body or b"") if kind == "application/json" else None
        except ValueError:
            content = None
        if isinstance(content, dict):
            code, message = content.get("code"), content.get("message")
            if isinstance(code, str) and isinstance(message, str):
                errors = content.get("errors")
                refusals = (
                    [each for each in errors if isinstance(each, dict) and each.get("topics")]
                    if isinstance(errors, list)
                    else []
                )
                return cls(
                    status,
                    code,
                    message,
                    tuple({"type": "error", "action": "subscribe", **each} for each in refusals),
                )
        is_redirect = 300 <= status < 400
        what = "with a redirect, perhaps to a login page" if is_redirect else f"{status} ({kind})"
        return cls(status, None, f"An intermediary answered {what}, not the gateway")


def refusal(answer: Answer) -> Exception:
    """Return the error for an answer that refuses a transport."""
    match answer.code:
        case "UNAUTHORIZED":
            return CredentialRefused(answer.message)
        case "FORBIDDEN_ORIGIN":
            return Forbidden(answer.message, answer.status)
        case "NOT_FOUND" | "INVALID_REQUEST":
            return NotAGateway(answer.message, answer.status)
        case "UPGRADE_REQUIRED":
            return Unavailable(BLOCKED, is_blocked=True)
    too_many = answer.status == httpx.codes.TOO_MANY_REQUESTS
    return Unavailable(answer.message, too_many=too_many, is_away=answer.code is None)


async def _ask(url: str, token: str | None) -> Answer | None:
    """Return the gateway's answer to a plain GET; `None` if it does not answer."""
    try:
        async with httpx.AsyncClient(timeout=REASON_SECONDS) as http:
            request = http.get(http_url(url), headers=headers_with(token))
            response = await asyncio.wait_for(request, REASON_SECONDS)
    except (httpx.HTTPError, asyncio.TimeoutError):
        return None
    answer = Answer.of(response.status_code, response.headers, response.content)
    return answer if answer.code is not None else None


def headers_with(token: str | None) -> dict[str, str]:
    """Return the headers that carry the credential."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}
