"""Conversations: the last message of each number, newest first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F

from events.domain.cursor import Position
from events.domain.phone_number import other_name, other_party
from events.domain.strict_json import decode
from events.domain.visibility import Visible
from events.models import ResourceState
from events.reading.paging import Row, start_of
from events.reading.parameters import Paging, Place
from events.reading.states import COLUMNS, item_of, matches

MESSAGE = "message"
ROWS_AT_ONCE = 500
MAX_ROWS = 5000
"""The most messages that one page looks at; a page that found less than its limit among them has a next one."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The last message of a number, as a state's JSON object.

    `number` is `None` if it is withheld, `name` if no message has it.
    """

    number: str | None
    name: str | None
    last: str


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A page of conversations; `next` is `None` on the last page.

    A later page may repeat a number: the message of the earlier page is the newer one.
    """

    start: Position
    items: tuple[Conversation, ...]
    next: Place | None


def read_conversations(visible: Visible, paging: Paging, search: str | None, region: str) -> ConversationPage:
    """Read a page of conversations.

    `search` is a text, name or number that a message has, `None` for all; `region` is that of the customer's numbers.

    Raises:
        StalePlace: The log was replaced since the first page.
    """
    _, start = start_of(visible, paging)
    rows = ResourceState.objects.filter(customer_id=visible.customer_id, resource=MESSAGE)
    wanted = None if search is None else search.casefold()
    found: dict[str, Conversation] = {}
    seen: set[str] = set()
    parties: dict[str, str | None] = {}
    place = paging.place.last if paging.place else None
    upto = rows if place is None else rows.filter(pk__lt=place)
    for _ in range(MAX_ROWS // ROWS_AT_ONCE):
        left = rows if place is None else rows.filter(pk__lt=place)
        keys = list(left.order_by("-pk").values_list("pk", "party", "resource_id")[:ROWS_AT_ONCE])
        # Bodies are read of the messages that may be shown alone: mostly of few numbers.
        bodies = _bodies(rows, keys, seen, of_all=wanted is not None or visible.filter is not None)
        for pk, party, resource_id in keys:
            place = pk
            row = bodies.get(pk)
            if row is None or not _is_wanted(visible, row, wanted):
                continue
            seen.add(party or resource_id)
            # The numbers of several spellings are one.
            data = decode(row[-1])
            number = other_party(data, region)
            if (key := number or resource_id) in found:
                continue
            item = item_of(visible, MESSAGE, start.epoch, row)
            found[key] = Conversation(number, other_name(data), item)
            parties[key] = party
            if len(found) == paging.limit:
                return ConversationPage(start, _named(visible, upto, found, parties), Place(start, pk))
        if len(keys) < ROWS_AT_ONCE:
            return ConversationPage(start, _named(visible, upto, found, parties), None)
    next_place = None if place is None else Place(start, place)
    return ConversationPage(start, _named(visible, upto, found, parties), next_place)


def _named(
    visible: Visible, rows: Any, found: dict[str, Conversation], parties: dict[str, str | None]
) -> tuple[Conversation, ...]:
    """Return the conversations, with names of earlier messages where the last one has none."""
    nameless = {party: key for key, party in parties.items() if party and found[key].name is None}
    if not nameless or visible.filter is not None:
        return tuple(found.values())
    # An index leads over as many messages as a page looks at, and to those of the numbers among them.
    oldest = rows.order_by("-pk").values_list("pk", flat=True)[MAX_ROWS - 1 : MAX_ROWS]
    earlier = rows.filter(
        party__in=list(nameless), event_type="message.received", pk__gte=max(oldest, default=0)
    )
    names: dict[str, str] = {}
    for party, body in earlier.order_by("-pk").values_list("party", "body"):
        if (name := other_name(decode(body))) is not None:
            names.setdefault(nameless[party], name)
    return tuple(replace(each, name=names[key]) if key in names else each for key, each in found.items())


def _bodies(
    rows: Any, keys: list[tuple[int, str | None, str]], seen: set[str], *, of_all: bool
) -> dict[int, Row]:
    """Return the rows of the first message of each new number, or of all messages."""
    first: dict[str, int] = {}
    for pk, party, resource_id in keys:
        if (party or resource_id) not in seen:
            first.setdefault(party or resource_id, pk)
    wanted = (
        [pk for pk, party, resource_id in keys if (party or resource_id) not in seen]
        if of_all
        else list(first.values())
    )
    return {row[0]: row for row in rows.filter(pk__in=wanted).values_list(F("pk"), *COLUMNS)}


def _is_wanted(visible: Visible, row: Row, search: str | None) -> bool:
    if visible.filter is not None and not matches(MESSAGE, row, [visible.filter]):
        return False
    if search is None:
        return True
    data = decode(row[-1])
    return any(search in text.casefold() for text in _texts(data))


def _texts(data: Any) -> list[str]:
    texts = [data.get("text")]
    for name in ("source", "destination"):
        address = data.get(name)
        texts += (
            [address.get("target"), address.get("target_name")] if isinstance(address, dict) else [address]
        )
    return [text for text in texts if isinstance(text, str)]
