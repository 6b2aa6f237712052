"""The number of open connections of each customer, and its quota.

Those of this process are counted exactly, those of the others as of the last heartbeat after a handshake. Changed in
the event loop; request threads only read.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Mapping

from django.db.models import Count

from subscriptions.models import LiveConnection
from subscriptions.presence.registry import live

CONNECTIONS = "connections"
"""The quota's name in the metrics."""


class CustomerConnections:
    """The connections of this process and what is known of the others'."""

    def __init__(self) -> None:
        self._own: Counter[str] = Counter()
        self._elsewhere: dict[str, int] = {}
        self._outdated: set[str] = set()

    def has_room(self, customer_id: str, most: int) -> bool:
        """Return whether the customer may open one more connection of `most`; 0 is no limit."""
        return not most or self._own[customer_id] + self._elsewhere.get(customer_id, 0) < most

    def enter(self, customer_id: str, most: int) -> bool:
        """Count a new connection; return `False`, and do not count it, if there is no room."""
        if most:
            self._outdated.add(customer_id)
        if not self.has_room(customer_id, most):
            return False
        self._own[customer_id] += 1
        return True

    def leave(self, customer_id: str) -> None:
        """Count the end of a connection."""
        self._own[customer_id] -= 1
        if self._own[customer_id] <= 0:
            del self._own[customer_id]

    def take_outdated(self) -> set[str]:
        """Return the customers with handshakes since the last call: `learn` about them."""
        outdated, self._outdated = self._outdated, set()
        return outdated

    def learn(self, customers: Collection[str], elsewhere: Mapping[str, int]) -> None:
        """Set the number of connections that these customers have at other processes."""
        for customer_id in customers:
            self._elsewhere.pop(customer_id, None)
        self._elsewhere.update(elsewhere)


customer_connections = CustomerConnections()
"""The connections of this process."""


def count_live(customers: Collection[str], *, except_process: uuid.UUID | None = None) -> dict[str, int]:
    """Count these customers' connections at all processes that are alive, or at all but one."""
    rows = live(LiveConnection.objects.filter(customer_id__in=customers))
    if except_process is not None:
        rows = rows.exclude(process_id=except_process)
    counts = rows.order_by().values_list("customer_id").annotate(count=Count("pk"))
    return {str(customer_id): count for customer_id, count in counts}
