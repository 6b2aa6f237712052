"""The cost of the same insert with Django's ORM alone, measured inside `manage.py shell`."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from benchmarks import event
from benchmarks.accounting import Cores, on_cores
from tests.support.gateway import gateway_environment, manage

RUN = "from benchmarks.bare import run; run()"


def bare_costs(database_url: str, cores: Cores, *, events: int, in_list: int) -> dict[str, float]:
    """Measure CPU µs an event: `bulk_create` of a list, and a single `save` and commit."""
    arguments = json.dumps([events, in_list])
    with on_cores(cores.server):
        answer = manage(
            gateway_environment(database_url), "shell", "--verbosity", "0", "--command", RUN, text=arguments
        )
    costs: dict[str, float] = json.loads(answer)
    return costs


def run() -> None:
    """Run the measurement of `bare_costs` in the gateway's own Django."""
    from django.db import transaction
    from django.utils import timezone

    from events.models import Event

    events, in_list = json.load(sys.stdin)
    customer_id = uuid.uuid4()

    def rows(first: int, count: int) -> list[Any]:
        now = timezone.now()
        return [
            Event(
                id=str(uuid.uuid4()),
                customer_id=customer_id,
                seq=number,
                event_type="call.status",
                resource="call",
                resource_id=event.call_of(number),
                timestamp=now,
                stored_at=now,
                body=json.dumps(event.draft(number)["data"]),
            )
            for number in range(first, first + count)
        ]

    def store_lists() -> None:
        for first in range(1, events + 1, in_list):
            with transaction.atomic():
                Event.objects.bulk_create(rows(first, in_list))

    def store_singles() -> None:
        for number in range(events + 1, events + 1 + events // 10):
            with transaction.atomic():
                rows(number, 1)[0].save(force_insert=True)

    json.dump({"list": _cost(store_lists, events), "single": _cost(store_singles, events // 10)}, sys.stdout)


def _cost(work: Callable[[], None], events: int) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1e6 / events
