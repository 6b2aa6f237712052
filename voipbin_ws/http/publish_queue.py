"""Posts that wait to be published, carried out in one thread: those that come meanwhile are its next batch."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError

from events.api.errors import unavailable
from events.api.publish_request import Posted, Read, require_may_publish
from events.database.threads import good_connections
from events.log.publish import IdempotencyConflict, Receipt, publish_each
from subscriptions.auth.authentication import credential_in
from subscriptions.auth.client_info import ClientInfo
from subscriptions.auth.identity_cache import IdentityCache
from subscriptions.protocol.permissions import Identity
from voipbin_ws.http.error_pages import FAILED_CODE, words_of_failure

logger = structlog.stdlib.get_logger(__name__)

POSTS_AT_ONCE = 64
"""Posts whose commit is shared: the first of them waits until the last is read."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a post: the answer's status and content, and whose it was; none for nobody's, if it was not found
    out."""

    status: int
    content: Any
    identity: Identity | None


@dataclass(frozen=True, slots=True)
class Post:
    """A request to publish; `done` becomes what came of it, or none where the usual way has to say what is wrong."""

    read: Read
    headers: Mapping[str, str]
    body: bytes
    caller: ClientInfo
    request_id: str
    done: asyncio.Future[Done | None]

    def tell(self, done: Done | None) -> None:
        """Called from any thread."""
        with suppress(RuntimeError):  # The event loop has ended, and whoever waited in it.
            self.done.get_loop().call_soon_threadsafe(self._told, done)

    def _told(self, done: Done | None) -> None:
        if not self.done.done():  # Else whoever waited for it was cancelled.
            self.done.set_result(done)


class Posts:
    """Those that wait, and the thread that carries them out."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="publishing")
        self._waiting: deque[Post] = deque()
        self._lock = threading.Lock()
        self._is_busy = False
        self._known = IdentityCache()

    def add(self, post: Post) -> None:
        """Have it carried out soon."""
        with self._lock:
            self._waiting.append(post)
            is_busy, self._is_busy = self._is_busy, True
        if not is_busy:
            self._thread.submit(self._carry_out_all)

    def _carry_out_all(self) -> None:
        with good_connections():
            while posts := self._next():
                for post, done in zip(posts, _carried_out(posts, self._known), strict=True):
                    post.tell(done)

    def _next(self) -> list[Post]:
        with self._lock:
            posts = [self._waiting.popleft() for _ in range(min(len(self._waiting), POSTS_AT_ONCE))]
            self._is_busy = bool(posts)
        return posts


def _carried_out(posts: list[Post], known: IdentityCache) -> list[Done | None]:
    """What came of each."""
    done: list[Done | None] = [None] * len(posts)
    read: dict[int, tuple[Identity, Posted]] = {}
    try:
        known.refresh()
        for index, post in enumerate(posts):
            if (readable := _read(post, known)) is not None:
                read[index] = readable
        results = publish_each([posted.drafts for _, posted in read.values()])
    except (OperationalError, InterfaceError) as error:
        # Nothing was stored of any. Each would wait for as long by itself.
        return [_unavailable(error, None, post.request_id) for post in posts]
    except Exception:
        return done  # A defect of ours, before anything was stored: the usual way shows and logs it.
    for (index, (identity, posted)), result in zip(read.items(), results, strict=True):
        done[index] = _done(posted, result, identity, posts[index].request_id)
    return done


def _read(post: Post, known: IdentityCache) -> tuple[Identity, Posted] | None:
    """Whose it is, and what is to be published; none where nothing is."""
    try:
        identity = known.identify(credential_in("", post.headers.get("authorization", "")), post.caller)
        require_may_publish(identity)
        return identity, post.read(identity, post.headers, post.body)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        return None  # Refused, or a defect of ours that this post alone runs into.


def _done(posted: Posted, result: list[Receipt] | Exception, identity: Identity, own_id: str) -> Done | None:
    """What came of one of those that were to be published. One that may be stored must not be tried again here."""
    match result:
        case IdempotencyConflict():
            return None
        case DatabaseError() | InterfaceError():
            return _unavailable(result, identity, own_id)
        case Exception():
            logger.error("A request failed", exc_info=result, request_id=own_id)
            return Done(500, {"code": FAILED_CODE, "message": words_of_failure(own_id)}, identity)
    return Done(201, posted.answer(result), identity)


def _unavailable(error: Exception, identity: Identity | None, own_id: str) -> Done:
    with structlog.contextvars.bound_contextvars(request_id=own_id):
        refusal = unavailable(error)
    return Done(refusal.status_code, refusal.content, identity)
