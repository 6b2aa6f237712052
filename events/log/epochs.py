"""New epochs for restored logs, which invalidate the cursors from after the backup."""

from __future__ import annotations

from django.db import transaction

from events.models import CustomerLog, new_epoch

LOGS_A_TRANSACTION = 500


def renew_epochs(customer_id: str | None = None) -> int:
    """Give every log, or this customer's, a new epoch; return the number of logs.

    A client that resumes with an earlier cursor is not recovered and loads the state again. Connected clients are
    closed within the check interval.
    """
    logs = CustomerLog.objects.order_by("customer_id")
    if customer_id is not None:
        logs = logs.filter(customer_id=customer_id)
    names = list(logs.values_list("customer_id", flat=True))
    for start in range(0, len(names), LOGS_A_TRANSACTION):
        with transaction.atomic(durable=True):
            # In the order of publishers, to avoid deadlocks.
            page = list(
                logs.select_for_update().filter(customer_id__in=names[start : start + LOGS_A_TRANSACTION])
            )
            for log in page:
                log.epoch = new_epoch()
            CustomerLog.objects.bulk_update(page, ["epoch"])
    return len(names)
