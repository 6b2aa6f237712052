"""Publisher: stores events in the gateway's log, through outages and restarts, each once."""

from __future__ import annotations

import asyncio
import contextlib
import random as random_module
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from voipbin_ws_client.backoff import MAX_AWAY_SECONDS, MAX_SECONDS, Backoff
from voipbin_ws_client.credential import Credential, TokenProvider
from voipbin_ws_client.errors import ClientClosed
from voipbin_ws_client.publishing.answers import UNAUTHORIZED, Answer, Decision, Receipt
from voipbin_ws_client.publishing.batches import Batches, Call, encode_events
from voipbin_ws_client.states import Clock
from voipbin_ws_client.transports.handshake import Unavailable, headers_with

ANSWER_SECONDS = 30.0
"""How long an answer may take; the gateway itself answers 503 after five seconds without its database."""

MAX_RETRY_AFTER_SECONDS = 60.0

Calls = Sequence[Call["asyncio.Future[list[Receipt]]"]]


class Publisher:
    """Publishes events in order; each is stored once, even if an answer is lost.

        async with Publisher("https://ws.example.com", token=key) as publisher:
            [receipt] = await publisher.publish({"event_type": "call.created", "data": {"id": "c1"}})

    Concurrent calls share requests. While the gateway does not answer, calls wait in a queue of at most `max_waiting`
    events; beyond it `publish` raises `QueueFull` at once. The queue is in memory only.

    Args:
        url: the gateway's address, without a path.
        token: the credential, or an async function that returns one, as for `EventClient`.
        max_waiting: the largest number of events that wait for the gateway.
        close_seconds: how long closing waits for the events in the queue.

    Raises:
        ValueError: the URL is no http:// or https:// URL.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | TokenProvider,
        max_waiting: int = 10_000,
        close_seconds: float = 10.0,
        clock: Clock | None = None,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        parts = httpx.URL(url)
        if parts.scheme not in ("http", "https") or not parts.host:
            raise ValueError(f"{url!r} is no address such as https://ws.example.com")
        self.trouble: str | None = None
        """Why the events in the queue are not stored yet; `None` while the gateway accepts them."""
        self._url = parts.join("/v1.0/events")
        self._credential = Credential(token)
        self._batches: Batches[asyncio.Future[list[Receipt]]] = Batches(max_waiting)
        self._close_seconds = close_seconds
        self._clock = clock or Clock()
        self._backoff = Backoff(random)
        self._added = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._failure: Exception | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """The number of events in the queue."""
        return self._batches.waiting

    async def __aenter__(self) -> Publisher:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def publish(self, *events: Mapping[str, Any]) -> list[Receipt]:
        """Publish events, and return their receipts once they are stored: all of them or none.

        An event has the fields of "Publishing" in the gateway's docs/protocol.md. Cancelling does not withdraw events.

        Raises:
            QueueFull: too many events wait; none of these was queued.
            PublishRefused: the gateway refuses the events.
            Terminated: the gateway does not accept the credential.
            ClientClosed: the publisher was closed before the events were stored.
            ValueError: there are too many events, or one of them is no JSON.
        """
        if self._failure is not None:
            raise self._failure
        future: asyncio.Future[list[Receipt]] = asyncio.get_running_loop().create_future()
        self._batches.add(Call(encode_events(events), future))
        self._empty.clear()
        self._added.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="Publisher")
        return await asyncio.shield(future)

    async def flush(self) -> None:
        """Wait until the queue is empty."""
        await self._empty.wait()

    async def aclose(self) -> None:
        """Wait for the queue for at most `close_seconds`, and close.

        Calls that still wait raise `ClientClosed`.
        """
        with contextlib.suppress(asyncio.TimeoutError):
            await self._clock.within(self._close_seconds, self.flush())
        self._end(ClientClosed())
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _end(self, error: Exception) -> None:
        self._failure = self._failure or error
        for call in self._batches.clear():
            _settle(call.future, error)
        self._empty.set()

    async def _run(self) -> None:
        try:
            async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as http:
                while True:
                    await self._added.wait()
                    self._added.clear()
                    while batch := self._batches.next():
                        if pause := await self._send(http, batch):
                            await self._clock.sleep(pause)
                    self._empty.set()
        except Exception as error:
            # Not only Terminated: a defect of the publisher must reach the application as well.
            self._end(error)

    async def _send(self, http: httpx.AsyncClient, batch: Calls) -> float:
        """Send a batch; return the pause in seconds before the next request.

        Raises:
            Terminated: the gateway does not accept the credential.
        """
        try:
            token = await self._credential.get(self._clock)
            answer = await self._post(http, token, batch)
        except Unavailable as error:
            return self._wait(str(error), self._backoff.after_failure(MAX_AWAY_SECONDS))
        if answer is None:
            return 0.0
        sizes = [len(call.events) for call in batch]
        match answer.decide(sizes):
            case Decision.SPLIT:
                self._batches.split(batch)
                return 0.0
            case Decision.REFUSE:
                refusals = zip(batch, answer.refusals(sizes), strict=True)
                refused = [(call, refusal) for call, refusal in refusals if refusal is not None]
                self._batches.remove([call for call, _ in refused])
                for call, refusal in refused:
                    _settle(call.future, refusal)
                return 0.0
            case Decision.RENEW:
                self._credential.renew("refused", answer.message, UNAUTHORIZED)
                return 0.0
        pause = self._backoff.after_failure(MAX_AWAY_SECONDS if answer.code is None else MAX_SECONDS)
        return self._wait(answer.message, max(pause, min(answer.retry_after, MAX_RETRY_AFTER_SECONDS)))

    def _wait(self, trouble: str, seconds: float) -> float:
        self.trouble = trouble
        return seconds

    async def _post(self, http: httpx.AsyncClient, token: str | None, batch: Calls) -> Answer | None:
        """Post a batch and settle its calls; return the answer if it is not 201.

        Raises:
            Unavailable: there is no answer.
        """
        body = f"[{','.join(text for call in batch for text in call.events)}]"
        headers = {**headers_with(token), "Content-Type": "application/json"}
        try:
            response = await self._clock.within(
                ANSWER_SECONDS, http.post(self._url, content=body, headers=headers)
            )
        except asyncio.TimeoutError:
            raise Unavailable("The gateway does not answer", is_away=True) from None
        except httpx.HTTPError as error:
            raise Unavailable(str(error) or type(error).__name__, is_away=True) from None
        try:
            content = response.json()
        except ValueError:
            content = None
        if response.status_code != httpx.codes.CREATED or not isinstance(content, list):
            return Answer.of(response.status_code, response.headers, content)
        self.trouble = None
        self._credential.accepted()
        self._backoff.lasted(MAX_SECONDS)
        self._batches.remove(batch)
        receipts = iter([_receipt(each) for each in content])
        for call in batch:
            _settle(call.future, [next(receipts) for _ in call.events])
        return None


def _receipt(content: Mapping[str, Any]) -> Receipt:
    return Receipt(
        content["id"],
        content["cursor"],
        tuple(content["topics"]),
        content["replayed"],
        tuple(content.get("warnings", ())),
    )


def _settle(future: asyncio.Future[list[Receipt]], result: list[Receipt] | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
        # A cancelled call no longer waits for it.
        future.exception()
    else:
        future.set_result(result)
