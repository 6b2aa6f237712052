"""What a credential may grant to a key or a token: at most what it has.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from events.domain.topics import covering_patterns
from events.filters.expression import Group, canonical, parse_text
from events.masks.number_search import finds_numbers
from subscriptions.protocol.permissions import MOST_NAMED, NUMBERS_MASKED, Identity

RIGHTS = {"may_subscribe": "subscribe", "may_publish": "publish", "may_control": "control"}


class Granted(Protocol):
    """The permissions and limits of an access key or a minted token."""

    @property
    def may_subscribe(self) -> bool: ...
    @property
    def may_publish(self) -> bool: ...
    @property
    def may_control(self) -> bool: ...
    @property
    def allowed_topics(self) -> Sequence[str]: ...
    @property
    def filter(self) -> str: ...
    @property
    def masks_numbers(self) -> bool: ...


def beyond(granter: Identity, granted: Granted) -> Iterator[tuple[str, str]]:
    """Yield each field in which more is granted than the granter has, and what is right."""
    for name, right in RIGHTS.items():
        if getattr(granted, name) and not getattr(granter, name):
            yield name, f"your credential may not {right} itself, so that it cannot grant it"
    if granter.masks_numbers:
        if not granted.masks_numbers:
            yield "masks_numbers", "telephone numbers are masked for your credential: send true"
        if granted.filter and finds_numbers(parse_text(granted.filter)):
            yield "filter", NUMBERS_MASKED
    if granter.allowed_topics is not None:
        yours = ", ".join(sorted(granter.allowed_topics)[:MOST_NAMED]) or "none"
        if not granted.allowed_topics:
            yield "allowed_topics", f"name topics within yours: {yours}"
        for topic in granted.allowed_topics:
            if granter.allowed_topics.isdisjoint(covering_patterns(topic)):
                yield "allowed_topics", f"{topic} is not within yours: {yours}"
    if granter.filter is not None and granter.filter not in _conditions(granted.filter):
        yield "filter", f'send your own filter, or one that joins it by "and": {granter.filter}'


def _conditions(text: str) -> set[str]:
    """Return the filters that all have to match for this one to match."""
    expression = parse_text(text) if text else None
    joined = expression.filters if isinstance(expression, Group) and expression.op == "and" else ()
    return {text, *map(canonical, joined)}
