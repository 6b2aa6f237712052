"""The number of a customer's event by the time at which it was stored."""

from __future__ import annotations

import datetime as dt
import uuid

from events.models import CustomerLog, Event

CLOCK_DIFFERENCE = dt.timedelta(minutes=1)
"""By how much the clocks of processes, and so the order of times and numbers, may differ."""


def first_number(customer_id: uuid.UUID, moment: dt.datetime) -> int:
    """Return the number from which on a customer's events were stored at this moment or later."""
    log = CustomerLog.objects.filter(pk=customer_id).first()
    low, high = (log.floor, log.last_seq + 1) if log else (0, 0)
    events = Event.objects.filter(customer_id=customer_id).order_by("seq").values_list("seq", "stored_at")
    while low < high:
        middle = (low + high) // 2
        found = events.filter(seq__gte=middle).first()
        if found is None or found[1] >= moment:
            high = middle
        else:
            low = found[0] + 1
    return low
