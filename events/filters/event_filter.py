"""The filter of a subscription: whether and how its subscribers receive an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from events.domain.event import Form
from events.filters.compiled import predicate_of
from events.filters.tags import EventTags

FILTER_MARK = "filter "
"""The beginning of the record of a subscription's filter."""

Decision = Callable[[EventTags], Form | None]


class EventFilter(NamedTuple):
    """The filter of a subscription, `own`, and that of its access key, `key`.

    Both are canonical JSON texts, `None` for no filter. An event must match both. Equal filters are one: the feed
    evaluates it once for all their subscribers.
    """

    own: str | None = None
    key: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is no filter: every event matches."""
        return self.own is None and self.key is None

    @property
    def text(self) -> str:
        """The subscription's own filter for the audit log; empty if there is none."""
        return "" if self.own is None else f"{FILTER_MARK}{self.own}"

    def compiled(self) -> Decision:
        """Return the function that decides how an event is received, `None` for not at all.

        An event that does not match although its resource matched before it is received once, as LEFT; and as
        WITHDRAWN, without its content, if it is the access key's filter that does not match any more.
        """
        own = _everything if self.own is None else predicate_of(self.own)
        key = _everything if self.key is None else predicate_of(self.key)

        def decide(tags: EventTags) -> Form | None:
            now, before = tags
            may_read = key(now)
            if may_read and own(now):
                return Form.WHOLE
            if before is None or not (key(before) and own(before)):
                return None
            return Form.LEFT if may_read else Form.WITHDRAWN

        return decide


NO_FILTER = EventFilter()


def _everything(_: object) -> bool:
    return True
