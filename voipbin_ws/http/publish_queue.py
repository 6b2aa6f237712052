"""The queue of publish requests: one thread publishes them in batches.

The requests that arrive during a batch are the next one; customers are served in turn. Large requests run in other
threads, and so do those whose log another transaction holds, so that no others wait for them.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import NamedTuple

from django.db import connection
from rest_framework.exceptions import AuthenticationFailed

from events.api.errors import log_locked
from events.api.publish_request import (
    LOG_WAIT_SECONDS,
    PublishRequest,
    PublishResponse,
    admit,
    publish_all,
    publish_unlocked,
    refusal,
)
from events.counters import log_waits
from events.database.threads import good_connections
from subscriptions.auth.authentication import credential_in, identify
from subscriptions.auth.client_info import ClientInfo
from subscriptions.auth.credentials import BadCredential
from subscriptions.auth.identity_cache import IdentityCache
from subscriptions.protocol.limits import network_of
from subscriptions.protocol.permissions import Identity
from voipbin_ws.http.fair_queue import FairQueue, Lanes

MAX_BATCH_REQUESTS = 64
MAX_BATCH_BYTES = 128 * 1024
"""The limits of a batch: its first request waits until the last one is stored."""

LARGE_BODY_BYTES = 64 * 1024
"""Requests with larger bodies do not share a batch."""

LARGE_REQUESTS_AT_ONCE = 4
LOCKED_LOGS_AT_ONCE = 4
"""Customers for whose locked logs threads wait at the same time, each with a database connection."""

SHORTEST_WAIT_SECONDS = 1.0
"""Of a request that has waited in a queue already; the customer's other requests hold its log for less."""

MAX_OWNERS = 10_000

Response = PublishResponse[Identity]


class _Waiting(NamedTuple):
    request: PublishRequest
    response: asyncio.Future[Response]
    owner: str
    since: float


class PublishQueue:
    """The waiting requests, and the threads that publish them."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="publishing")
        self._large = Lanes("publishing-large", LARGE_REQUESTS_AT_ONCE, self._publish_large, most=1)
        self._locked = Lanes(
            "publishing-locked", LOCKED_LOGS_AT_ONCE, self._publish_locked, most=MAX_BATCH_REQUESTS
        )
        self._waiting: FairQueue[_Waiting] = FairQueue()
        self._lock = threading.Lock()
        self._is_busy = False
        self._identity_cache = IdentityCache()
        self._owners: OrderedDict[str, str] = OrderedDict()

    @property
    def executors(self) -> tuple[ThreadPoolExecutor, ...]:
        """The threads that publish."""
        return (self._thread, self._large.executor, self._locked.executor)

    async def publish(self, request: PublishRequest) -> Response:
        """Publish a request and return the response. Called in the event loop."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(request, loop.create_future(), self._owner(request), monotonic())
        if len(request.body) > LARGE_BODY_BYTES:
            self._large.put(waiting.owner, waiting)
        else:
            with self._lock:
                self._waiting.put(waiting.owner, waiting)
                is_busy, self._is_busy = self._is_busy, True
            if not is_busy:
                self._thread.submit(self._publish_waiting)
        response = await waiting.response
        self._learn_owner(request, response)
        return response

    def _owner(self, request: PublishRequest) -> str:
        """Return the customer of a credential that was accepted, else the client's network."""
        return self._owners.get(_credential(request)) or network_of(request.address)

    def _learn_owner(self, request: PublishRequest, response: Response) -> None:
        if response.identity is not None:
            credential = _credential(request)
            self._owners[credential] = response.identity.customer_id
            self._owners.move_to_end(credential)
            if len(self._owners) > MAX_OWNERS:
                self._owners.popitem(last=False)

    async def admit(self, request: PublishRequest) -> Identity | Response:
        """Check a request before its body is read: return its identity, or its refusal."""
        return await asyncio.get_running_loop().run_in_executor(self._large.executor, _admit, request)

    def _publish_waiting(self) -> None:
        while batch := self._next_batch():
            try:
                # Opening a connection costs as much as storing some events: it is kept while requests wait.
                with good_connections():
                    while batch:
                        self._settle(batch, self._publish_batch(batch))
                        batch = [] if connection.errors_occurred else self._next_batch()
            except Exception as error:
                # Nothing may end this loop: the queue would stay busy, and each later request would wait for ever.
                _answer(batch, [error] * len(batch))

    def _next_batch(self) -> list[_Waiting]:
        with self._lock:
            batch: list[_Waiting] = []
            size = 0
            while self._waiting and len(batch) < MAX_BATCH_REQUESTS and size < MAX_BATCH_BYTES:
                batch.append(self._waiting.take())
                size += len(batch[-1].request.body)
            self._is_busy = bool(batch)
            return batch

    def _publish_batch(self, batch: list[_Waiting]) -> Sequence[Response | None]:
        requests = [each.request for each in batch]
        try:
            self._identity_cache.refresh()
            authenticate = partial(_authenticate, identify=self._identity_cache.identify)
            return publish_unlocked(requests, authenticate)
        except Exception as error:
            return [refusal(request, error) for request in requests]

    def _settle(self, batch: Sequence[_Waiting], responses: Sequence[Response | None]) -> None:
        """Answer the requests; those with a locked log wait for it elsewhere."""
        for waiting, response in zip(batch, responses, strict=True):
            if response is not None:
                _answer([waiting], [response])
            else:
                self._locked.put(waiting.owner, waiting)

    def _publish_large(self, batch: list[_Waiting]) -> None:
        try:
            with good_connections():
                requests = [each.request for each in batch]
                _answer(batch, publish_all(requests, _authenticate, wait_seconds=_wait_seconds(batch)))
        except Exception as error:
            _answer(batch, [error] * len(batch))

    def _publish_locked(self, batch: list[_Waiting]) -> None:
        """Publish requests of one customer, and refuse those that have waited too long."""
        try:
            late = [each for each in batch if monotonic() >= each.since + LOG_WAIT_SECONDS]
            fresh = batch[len(late) :]
            responses: list[Response] = [refusal(each.request, log_locked()) for each in late]
            if fresh:
                with good_connections():
                    requests = [each.request for each in fresh]
                    responses += publish_all(requests, _authenticate, wait_seconds=_wait_seconds(fresh))
            for each in responses:
                log_waits.add("refused" if each.status == HTTPStatus.SERVICE_UNAVAILABLE else "published")
            _answer(batch, responses)
        except Exception as error:
            _answer(batch, [error] * len(batch))


def _admit(request: PublishRequest) -> Identity | Response:
    with good_connections():
        return admit(request, _authenticate)


def _wait_seconds(batch: Sequence[_Waiting]) -> float:
    """Return how long the newest request of the batch still waits for its log."""
    return max(batch[-1].since + LOG_WAIT_SECONDS - monotonic(), SHORTEST_WAIT_SECONDS)


def _credential(request: PublishRequest) -> str:
    return request.headers.get("authorization", "") or request.query


def _authenticate(
    request: PublishRequest, *, identify: Callable[[str, ClientInfo], Identity] = identify
) -> Identity:
    """Return the identity of a request's credential.

    Raises:
        AuthenticationFailed: The credential is missing or not accepted.
    """
    try:
        credential = credential_in(request.query, request.headers.get("authorization", ""))
        return identify(credential, ClientInfo.of(request.address, request.headers))
    except BadCredential as error:
        raise AuthenticationFailed(str(error)) from None


def _answer(batch: Sequence[_Waiting], responses: Sequence[Response | Exception]) -> None:
    for waiting, response in zip(batch, responses, strict=True):
        with suppress(RuntimeError):  # The event loop has ended.
            waiting.response.get_loop().call_soon_threadsafe(_resolve, waiting.response, response)


def _resolve(future: asyncio.Future[Response], response: Response | Exception) -> None:
    if future.done():
        return  # The request was cancelled.
    if isinstance(response, Exception):
        future.set_exception(response)
    else:
        future.set_result(response)
