"""Idempotency keys: which drafts were stored before, by this request or an earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from events.database.direct_sql import find_rows
from events.domain.event import Draft
from events.models import Event


class IdempotencyConflict(Exception):
    """An idempotency key was used for another event. `index` is the position in the request."""

    def __init__(self, index: int) -> None:
        super().__init__("this idempotency_key was used for another event: use a new key for each event")
        self.index = index


class StoredKeys:
    """The events stored under the keys of a batch's drafts, as of `now`."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._events: dict[tuple[str, str], Event] = {}

    def recall(self, drafts: Sequence[Draft]) -> None:
        """Find the events stored under these drafts' keys; under the lock, so none is missed."""
        keys: dict[str, list[str]] = {}
        for draft in drafts:
            if draft.idempotency_key is not None:
                keys.setdefault(draft.customer_id, []).extend(self._possible(draft))
        for customer_id, wanted in keys.items():
            for event in find_rows(Event, {"customer_id": [customer_id], "idempotency_key": wanted}):
                self._events[(customer_id, event.idempotency_key or "")] = event

    def add(self, event: Event) -> None:
        """Add an event that the batch stores."""
        if event.idempotency_key is not None:
            self._events[(str(event.customer_id), event.idempotency_key)] = event

    def key(self, draft: Draft) -> str | None:
        """Return the key of a draft's event: of a repeat within `repeat_seconds`, the first one's."""
        if draft.idempotency_key is None:
            return None
        key, *before = self._possible(draft)
        for each in before:
            first = self._events.get((draft.customer_id, each))
            if first and (self._now - first.stored_at).total_seconds() < (draft.repeat_seconds or 0):
                return each
        return key

    def first(self, draft: Draft) -> Event | None:
        """Return the event that was stored under a draft's key, or `None`."""
        key = self.key(draft)
        return None if key is None else self._events.get((draft.customer_id, key))

    def digests(self, drafts: Sequence[Draft]) -> list[str]:
        """Return the digest of each draft of a request with a key, and "" for the others.

        Raises:
            IdempotencyConflict: A key was used for another event.
        """
        found: list[str] = []
        fresh: dict[tuple[str, str], str] = {}
        for index, draft in enumerate(drafts):
            digest = ""
            # The same bytes are the same event, even if a later version of the gateway reads them otherwise.
            if draft.idempotency_key is not None and draft.repeat_seconds is None:
                key = (draft.customer_id, draft.idempotency_key)
                digest = draft.digest()
                first = self._events.get(key)
                if (fresh.setdefault(key, digest) if first is None else first.digest) != digest:
                    raise IdempotencyConflict(index)
            found.append(digest)
        return found

    def _possible(self, draft: Draft) -> tuple[str, ...]:
        """Return the key for a draft now, and those that an earlier one may have.

        A key that counts for a limited time ends with the number of its period: a repeat is of the same period or the
        next one.
        """
        key = draft.idempotency_key or ""
        if draft.repeat_seconds is None:
            return (key,)
        period = int(self._now.timestamp()) // draft.repeat_seconds
        return f"{key}:{period}", f"{key}:{period - 1}"
