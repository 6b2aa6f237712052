"""Messages from the gateway: live ones, and those still in its log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
from voipbin_ws_client import EventClient, State, StateChange

from examples.answering.errors import FatalError, error_message, log, retry_delays
from examples.answering.messages import Message, read_message


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway's address, the credential, and the customer whose messages are received."""

    url: str
    token: str
    customer_id: str

    def client(self, cursor: str | None) -> EventClient:
        """Return a client of the messages that follow `cursor`.

        Raises:
            ValueError: the URL or the cursor is not valid.
        """
        topics = [f"customer_id:{self.customer_id}:message:*"]
        return EventClient(self.url, token=self.token, topics=topics, cursor=cursor, on_state=_log_state)

    async def history(self, http: httpx.AsyncClient) -> AsyncIterator[tuple[list[Message], str | None]]:
        """Yield the received messages in the log, in pages; the last with the log's cursor.

        Raises:
            FatalError: the gateway refuses the request.
        """
        parts = urlsplit(self.url)
        scheme = "https" if parts.scheme == "wss" else "http"
        url = urlunsplit((scheme, parts.netloc, parts.path.rpartition("/")[0] + "/events", "", ""))
        query_of_all = {"type": "message.received", "limit": "1000", "customer_id": self.customer_id}
        next_page: str | None = None
        while True:
            page = await self._page(http, url, query_of_all | ({"next": next_page} if next_page else {}))
            next_page = page["next"]
            messages = [message for frame in page["items"] if (message := read_message(frame))]
            yield messages, None if next_page else page["cursor"]
            if next_page is None:
                return

    async def _page(self, http: httpx.AsyncClient, url: str, query: dict[str, str]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        delays = retry_delays()
        while True:
            try:
                response = await http.get(url, params=query, headers=headers)
                if response.status_code == httpx.codes.OK:
                    return _read_page(response)
                problem = error_message(response)
                if response.status_code == httpx.codes.UNAUTHORIZED:
                    raise FatalError(f"The gateway does not accept VOIPBIN_TOKEN: {problem}")
                if response.status_code == httpx.codes.FORBIDDEN:
                    raise FatalError(f"VOIPBIN_TOKEN may not read this customer's messages: {problem}")
                if response.status_code < 500 and response.status_code not in (408, 410, 425, 429):
                    raise FatalError(f"{url} answers {problem}")
            except (httpx.TransportError, ValueError) as error:
                problem = str(error) or type(error).__name__
            pause = next(delays)
            log(f"The gateway's log cannot be read ({problem}): trying again in {pause:g} s")
            await asyncio.sleep(pause)


def _read_page(response: httpx.Response) -> dict[str, Any]:
    """Read a page of the log.

    Raises:
        ValueError: the response is not that of a gateway.
    """
    page = response.json()
    if not isinstance(page, dict) or not page.keys() >= {"items", "next", "cursor"}:
        raise ValueError("what answers is no gateway")
    return page


def _log_state(change: StateChange) -> None:
    if change.current is State.CONNECTED:
        log("Listening")
    elif change.current is State.RECONNECTING:
        log(f"No connection ({change.reason}): trying again in {change.retry_in:.1f} s")
