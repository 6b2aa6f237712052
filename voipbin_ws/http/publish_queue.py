"""The queue of publish requests: one thread publishes them in batches.

The requests that arrive during a batch are the next one. Large requests run in other threads, so that small ones do not
wait for them.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from django.db import connection
from rest_framework.exceptions import AuthenticationFailed

from events.api.publish_request import PublishRequest, PublishResponse, admit, publish_all, refusal
from events.database.threads import good_connections
from subscriptions.auth.authentication import credential_in, identify
from subscriptions.auth.client_info import ClientInfo
from subscriptions.auth.credentials import BadCredential
from subscriptions.auth.identity_cache import IdentityCache
from subscriptions.protocol.permissions import Identity

MAX_BATCH_REQUESTS = 64
MAX_BATCH_BYTES = 128 * 1024
"""The limits of a batch: its first request waits until the last one is stored."""

LARGE_BODY_BYTES = 64 * 1024
"""Requests with larger bodies do not share a batch."""

LARGE_REQUESTS_AT_ONCE = 4

Response = PublishResponse[Identity]


class _Waiting(NamedTuple):
    request: PublishRequest
    response: asyncio.Future[Response]


class PublishQueue:
    """The waiting requests, and the threads that publish them."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="publishing")
        self._large_threads = ThreadPoolExecutor(
            LARGE_REQUESTS_AT_ONCE, thread_name_prefix="publishing-large"
        )
        self._waiting: deque[_Waiting] = deque()
        self._lock = threading.Lock()
        self._is_busy = False
        self._identity_cache = IdentityCache()

    async def publish(self, request: PublishRequest) -> Response:
        """Publish a request and return the response. Called in the event loop."""
        loop = asyncio.get_running_loop()
        if len(request.body) > LARGE_BODY_BYTES:
            return await loop.run_in_executor(self._large_threads, _publish_alone, request)
        waiting = _Waiting(request, loop.create_future())
        with self._lock:
            self._waiting.append(waiting)
            is_busy, self._is_busy = self._is_busy, True
        if not is_busy:
            self._thread.submit(self._publish_waiting)
        return await waiting.response

    async def admit(self, request: PublishRequest) -> Identity | Response:
        """Check a request before its body is read: return its identity, or its refusal."""
        return await asyncio.get_running_loop().run_in_executor(self._large_threads, _admit, request)

    def _publish_waiting(self) -> None:
        while batch := self._next_batch():
            try:
                # Opening a connection costs as much as storing some events: it is kept while requests wait.
                with good_connections():
                    while batch:
                        _answer(batch, self._publish_batch(batch))
                        batch = [] if connection.errors_occurred else self._next_batch()
            except Exception as error:
                # Nothing may end this loop: the queue would stay busy, and each later request would wait for ever.
                _answer(batch, [error] * len(batch))

    def _next_batch(self) -> list[_Waiting]:
        with self._lock:
            batch: list[_Waiting] = []
            size = 0
            while self._waiting and len(batch) < MAX_BATCH_REQUESTS and size < MAX_BATCH_BYTES:
                batch.append(self._waiting.popleft())
                size += len(batch[-1].request.body)
            self._is_busy = bool(batch)
            return batch

    def _publish_batch(self, batch: list[_Waiting]) -> list[Response]:
        requests = [request for request, _ in batch]
        try:
            self._identity_cache.refresh()
            return publish_all(requests, partial(_authenticate, identify=self._identity_cache.identify))
        except Exception as error:
            return [refusal(request, error) for request in requests]


def _publish_alone(request: PublishRequest) -> Response:
    with good_connections():
        (response,) = publish_all([request], partial(_authenticate, identify=identify))
    return response


def _admit(request: PublishRequest) -> Identity | Response:
    with good_connections():
        return admit(request, partial(_authenticate, identify=identify))


def _authenticate(request: PublishRequest, *, identify: Callable[[str, ClientInfo], Identity]) -> Identity:
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
    for (_, future), response in zip(batch, responses, strict=True):
        with suppress(RuntimeError):  # The event loop has ended.
            future.get_loop().call_soon_threadsafe(_resolve, future, response)


def _resolve(future: asyncio.Future[Response], response: Response | Exception) -> None:
    if future.done():
        return  # The request was cancelled.
    if isinstance(response, Exception):
        future.set_exception(response)
    else:
        future.set_result(response)
