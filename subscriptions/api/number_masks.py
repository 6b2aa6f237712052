"""What requests of a masked reader may ask: nothing by which numbers could be found out.

With `voipbin_ws.masked_responses`, which masks every response, it holds for all addresses, also for new ones.
"""

from __future__ import annotations

from typing import Any, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from events.filters.expression import InvalidFilter, parse_text
from events.masks.number_mask import is_oracle, mask_id
from events.masks.number_search import finds_numbers
from events.reading.parameters import CREDENTIAL_PARAMETERS
from subscriptions.protocol.permissions import NUMBERS_MASKED, Identity

SEARCHES = frozenset({"number", "name", "search", "q", "text"})
"""Parameters, also those within an address, that search in texts or numbers."""

PLACES = frozenset(
    {"after", "next", "since", "from", "to", "at", "event", "limit", "customer_id", *CREDENTIAL_PARAMETERS}
)
"""Parameters with times, cursors and the like, which reach no number."""


class NoSearchByNumber(BasePermission):
    """Refuses requests of masked readers that would find something by a telephone number."""

    message = NUMBERS_MASKED

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the request finds nothing by a telephone number, or may do so."""
        if not cast(Identity, request.user).masks_numbers:
            return True
        values = [
            *((name, value) for name, values in request.query_params.lists() for value in values),
            *((name, value) for name, value in view.kwargs.items() if isinstance(value, str)),
        ]
        return not any(_finds_numbers(name, value) for name, value in values)


def _finds_numbers(name: str, value: str) -> bool:
    if name in PLACES:
        return False
    if name in SEARCHES:
        return is_oracle(value)
    if name == "filter":
        try:
            return finds_numbers(parse_text(value))
        except InvalidFilter:
            return False  # The view refuses it.
    return mask_id(value.rpartition(":")[2]) != value.rpartition(":")[2]
