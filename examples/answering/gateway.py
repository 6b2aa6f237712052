"""Hearing messages from the gateway: those to come, and those that its log still has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
from voipbin_ws_client import EventClient, State, StateChange

from examples.answering.messages import Message, read_message
from examples.answering.trouble import Unusable, pauses, said_by, say


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where to hear messages, and as whom."""

    url: str
    token: str
    customer_id: str

    def client(self, cursor: str | None) -> EventClient:
        """Raises: ValueError where the URL is none."""
        topics = [f"customer_id:{self.customer_id}:message:*"]
        return EventClient(self.url, token=self.token, topics=topics, cursor=cursor, on_state=_tell_state)

    async def history(self, http: httpx.AsyncClient) -> AsyncIterator[tuple[list[Message], str | None]]:
        """Messages from outside that the log still has, page by page; the last page comes with the log's cursor."""
        parts = urlsplit(self.url)
        scheme = "https" if parts.scheme == "wss" else "http"
        address = urlunsplit((scheme, parts.netloc, parts.path.rpartition("/")[0] + "/events", "", ""))
        wanted = {"type": "message.received", "limit": "1000", "customer_id": self.customer_id}
        place: str | None = None
        while True:
            page = await self._page(http, address, wanted | ({"next": place} if place else {}))
            place = page["next"]
            messages = [message for frame in page["items"] if (message := read_message(frame))]
            yield messages, None if place else page["cursor"]
            if place is None:
                return

    async def _page(self, http: httpx.AsyncClient, address: str, query: dict[str, str]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        for pause in pauses():
            try:
                answer = await http.get(address, params=query, headers=headers)
                if answer.status_code == httpx.codes.OK:
                    return _read_page(answer)
                trouble = said_by(answer)
                if answer.status_code == httpx.codes.UNAUTHORIZED:
                    raise Unusable(f"The gateway does not accept VOIPBIN_TOKEN: {trouble}")
                if answer.status_code == httpx.codes.FORBIDDEN:
                    raise Unusable(f"VOIPBIN_TOKEN may not read this customer's messages: {trouble}")
                if answer.status_code < 500 and answer.status_code not in (408, 410, 425, 429):
                    raise Unusable(f"{address} answers {trouble}")
            except (httpx.TransportError, ValueError) as error:
                trouble = str(error) or type(error).__name__
            say(f"The gateway's log cannot be read ({trouble}): trying again in {pause:g} s")
            await asyncio.sleep(pause)
        raise AssertionError("there is always another pause")


def _read_page(answer: httpx.Response) -> dict[str, Any]:
    """Raises: ValueError where it is none."""
    page = answer.json()
    if not isinstance(page, dict) or not page.keys() >= {"items", "next", "cursor"}:
        raise ValueError("what answers is no gateway")
    return page


def _tell_state(change: StateChange) -> None:
    if change.current is State.CONNECTED:
        say("Listening")
    elif change.current is State.RECONNECTING:
        say(f"No connection ({change.reason}): trying again in {change.retry_in:.1f} s")
