"""New epochs for logs that went backwards, which invalidate later cursors."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db import transaction

from events.domain.cursor import Mark
from events.log import reader
from events.log.reader import Head
from events.models import CustomerLog, new_epoch

logger = logging.getLogger(__name__)

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


def verified_heads(marks: Mapping[str, Mark]) -> dict[str, Head]:
    """Return the heads of these customers' logs, after renewing those that went backwards.

    A log that contradicts its mark gets a new epoch. A log is renewed once: a process that finds it renewed by another
    one just returns its new epoch.
    """
    found, rewound = reader.compare(marks)
    for customer_id in rewound:
        _renew_rewound(customer_id, marks[customer_id])
    return found | reader.heads(rewound) if rewound else found


def _renew_rewound(customer_id: str, mark: Mark) -> None:
    # Looked at again under the lock of the row: another process may have been first.
    with transaction.atomic(durable=True):
        list(CustomerLog.objects.select_for_update().filter(customer_id=customer_id))
        if not reader.compare({customer_id: mark})[1]:
            return
        CustomerLog.objects.filter(customer_id=customer_id).update(epoch=new_epoch())
    logger.error(
        "The log of customer %s went backwards: it reached number %d, and the database lacks some of these events, as "
        "after a failover to a replica that lagged behind. It has a new epoch, so that all clients are notified",
        customer_id,
        mark.last_seq,
    )
