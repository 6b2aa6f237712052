"""What a restored backup needs: logs with new epochs, so that no cursor from after the backup counts as theirs."""

from __future__ import annotations

from django.db import transaction

from events.models import CustomerLog, new_epoch

LOGS_A_TRANSACTION = 500


def renew_epochs(customer_id: str | None = None) -> int:
    """Give each log a new epoch, or this customer's alone; returns how many there were.

    A client that comes back with a cursor from before is told that it was not recovered, and loads the state anew; one
    that is connected is sent back within the check interval.
    """
    logs = CustomerLog.objects.order_by("customer_id")
    if customer_id is not None:
        logs = logs.filter(customer_id=customer_id)
    names = list(logs.values_list("customer_id", flat=True))
    for start in range(0, len(names), LOGS_A_TRANSACTION):
        with transaction.atomic(durable=True):
            # In the order in which publishers lock them.
            page = list(
                logs.select_for_update().filter(customer_id__in=names[start : start + LOGS_A_TRANSACTION])
            )
            for log in page:
                log.epoch = new_epoch()
            CustomerLog.objects.bulk_update(page, ["epoch"])
    return len(names)
