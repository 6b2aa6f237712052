"""The steps by which a new customer comes into use, and which of them are done."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from events.models import CustomerLog
from subscriptions.models import AccessKey, Agent, AgentRole, AuditAction, AuditRecord, Customer, Queue


class Step(NamedTuple):
    """A step; `action` is what to do and `url` where.

    Both are "" if the step is done, or the operator may not do it.
    """

    name: str
    is_done: bool
    action: str = ""
    url: str = ""


def setup_steps(request: HttpRequest, customer: Customer, site: Any) -> list[Step]:
    """Return all steps of a customer, or none if all are done."""
    queues, served = customer.queues.all(), not customer.queues.filter(agents=None).exists()
    log = CustomerLog.objects.filter(pk=customer.pk).first()
    publishing = AccessKey.objects.filter(customer=customer, may_publish=True, revoked_at=None)
    connects = AuditRecord.objects.filter(customer_id=customer.pk, action=AuditAction.CONNECT)
    has_queue = queues.exists()

    def add(model: Any, name: str, is_done: bool, action: str) -> Step:
        may_add = not is_done and site.get_model_admin(model).has_add_permission(request)
        url = f"{reverse(f'admin:subscriptions_{model._meta.model_name}_add')}?customer={customer.pk}"
        return Step(name, is_done, action, url) if may_add else Step(name, is_done)

    def read(name: str, is_done: bool, action: str, url: str) -> Step:
        return Step(name, is_done) if is_done else Step(name, is_done, action, url)

    of_queues = f"{reverse('admin:subscriptions_queue_changelist')}?customer={customer.pk}"
    steps = [
        add(Queue, gettext("Queues in which callers wait"), has_queue, gettext("Add a queue")),
        add(
            Agent,
            gettext("Agents who sign in and take calls"),
            _agents(customer).exists(),
            gettext("Add an agent"),
        ),
        read(gettext("Agents for each queue"), has_queue and served, gettext("Choose agents"), of_queues),
        add(
            AccessKey,
            gettext("A key with which its platform publishes"),
            publishing.exists(),
            gettext("Add an access key"),
        ),
        read(
            gettext("The first event"),
            log is not None and log.last_seq > 0,
            gettext("How to publish"),
            reverse("docs"),
        ),
        read(
            gettext("The first client that connects"),
            connects.exists(),
            gettext("How to connect"),
            reverse("docs"),
        ),
    ]
    return [] if all(step.is_done for step in steps) else steps


def _agents(customer: Customer) -> QuerySet[Agent]:
    return customer.agents.filter(role=AgentRole.AGENT)
