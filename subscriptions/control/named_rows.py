"""Rows of an import that are named by people: agents by user name, queues by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from subscriptions.control.agents import username_ending
from subscriptions.control.controller import Controller, FieldProblem, Refused
from subscriptions.models import Agent, Queue


def find_by_name(controller: Controller, kind: str, values: Mapping[str, Any]) -> str | None:
    """Return the id of the agent or queue of this name, `None` if there is none.

    Raises:
        Refused: The customer is not named, or several queues have this name.
    """
    customer = controller.customer(values)
    if kind == "queue":
        name = values.get("name")
        return _queue(customer.pk, name, "name") if isinstance(name, str) else None
    username = values.get("username")
    if not isinstance(username, str):
        return None
    names = {username, username + username_ending(customer)}
    found = Agent.objects.filter(customer=customer, user__username__in=names).values_list("pk", flat=True)
    return next(map(str, found), None)


def ids_of_queues(controller: Controller, values: dict[str, Any]) -> list[str]:
    """Return the ids of the queues that `queue_names` lists; remove it from the values.

    Raises:
        Refused: A queue is unknown or not unique, or `queue_ids` is there too.
    """
    names = values.pop("queue_names")
    if "queue_ids" in values or not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise Refused(FieldProblem("queue_names", "write a list of names, and no queue_ids"))
    customer = controller.customer(values)
    found = {name: _queue(customer.pk, name, "queue_names") for name in names}
    if unknown := [name for name, pk in found.items() if pk is None]:
        text = f"there is no such queue of the customer: {', '.join(unknown)[:200]}"
        raise Refused(FieldProblem("queue_names", text))
    return [pk for pk in found.values() if pk is not None]


def _queue(customer_id: UUID, name: str, field: str) -> str | None:
    found = list(Queue.objects.filter(customer_id=customer_id, name=name).values_list("pk", flat=True)[:2])
    if len(found) > 1:
        raise Refused(FieldProblem(field, f"several queues are called {name[:100]}: write their ids"))
    return str(found[0]) if found else None
