"""REST views of what a client may subscribe to.

`GET /v1.0/me` returns the holder of the credential, its topics, and the names behind the ids in events;
`GET /v1.0/customers` returns the customers whose events it may subscribe to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from django.db.models import Prefetch, QuerySet
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import operation
from events.api.responses import reading_errors, visible_to, with_now
from events.api.schemas import OF_CUSTOMER
from events.domain.event import format_timestamp
from events.domain.phone_number import dialing_of
from events.domain.topics import AGENT_SCOPE, ANY, CUSTOMER_SCOPE, Pattern
from events.models import CustomerLog
from events.reading.parameters import Parameters
from subscriptions.api import schemas
from subscriptions.models import Agent, Customer, Queue
from subscriptions.models.desk_settings import DESK_FIELDS
from subscriptions.protocol.permissions import Identity, may_hold, may_subscribe


def topics_for(identity: Identity) -> list[str]:
    """Return the widest topics that the identity may subscribe to."""
    if may_hold(identity, Pattern(CUSTOMER_SCOPE, identity.customer_id, ANY, ANY)).granted:
        topics = [f"{CUSTOMER_SCOPE}:{identity.customer_id}:{ANY}:{ANY}"]
    else:
        topics = [
            f"{CUSTOMER_SCOPE}:{identity.customer_id}:{resource}:{ANY}"
            for resource in sorted(identity.granted_resources)
        ]
    if identity.agent_id is not None:
        topics.append(f"{AGENT_SCOPE}:{identity.agent_id}:{ANY}:{ANY}")
    return topics if identity.allowed_topics is None else _narrowed(topics, identity)


def _narrowed(topics: list[str], identity: Identity) -> list[str]:
    """Narrow the topics to those that an access key is allowed."""
    own = (identity.customer_id, identity.agent_id)
    allowed = list(map(Pattern.from_canonical, sorted(identity.allowed_topics or ())))
    left = [each for each in map(Pattern.from_canonical, topics) if _may(identity, each)]
    left += [each for each in allowed if each.scope_id in own and each not in left and _may(identity, each)]
    # Patterns that another one covers are left out.
    return [
        str(each) for each in left if not any(other != each and other.covers(str(each)) for other in left)
    ]


def _may(identity: Identity, pattern: Pattern) -> bool:
    return may_subscribe(identity, pattern).granted


def _sees_all(identity: Identity, resource: str) -> bool:
    return _may(identity, Pattern(CUSTOMER_SCOPE, identity.customer_id, resource, ANY))


def _own_agent(identity: Identity) -> list[str]:
    return [] if identity.agent_id is None else [identity.agent_id]


def _agents(identity: Identity) -> list[dict[str, Any]]:
    """Return the customer's agents, or the agent alone if it may not see all of them."""
    agents = _within(identity, Agent.objects.filter(customer_id=identity.customer_id, is_active=True))
    if not _sees_all(identity, "agent"):
        # An agent must not learn the names of others from its own events.
        agents = agents.filter(pk__in=_own_agent(identity))
    return [
        {
            "id": str(agent.pk),
            "name": agent.name,
            "role": agent.role,
            "status": agent.status,
            "status_changed_at": format_timestamp(agent.status_changed_at),
            "teams": agent.teams,
        }
        for agent in agents.order_by("name", "pk")
    ]


def _within(identity: Identity, agents: QuerySet[Agent]) -> QuerySet[Agent]:
    """Return those of the agents whom the identity's limit permits to see."""
    return agents if identity.limit is None else agents.filter(pk__in=identity.limit.agents)


def _queues(identity: Identity) -> list[dict[str, Any]]:
    """Return the customer's queues, or only those that the agent serves.

    An identity that may not see all queues gets the latter. They have only the agents that `_agents` returns.
    """
    queues = Queue.objects.filter(customer_id=identity.customer_id)
    if identity.limit is not None:
        queues = queues.filter(pk__in=identity.limit.queues)
    if not _sees_all(identity, "queue"):
        queues = queues.filter(agents__pk__in=_own_agent(identity))
    agents = _within(identity, Agent.objects.filter(is_active=True).order_by("pk"))
    if not _sees_all(identity, "agent"):
        agents = agents.filter(pk__in=_own_agent(identity))
    queues = queues.order_by("name", "pk").prefetch_related(Prefetch("agents", agents))
    return [
        {
            "id": str(queue.pk),
            "name": queue.name,
            "agent_ids": [str(each.pk) for each in queue.agents.all()],
        }
        for queue in queues
    ]


def reader_of(request: Request) -> Identity:
    """Return the identity of the request.

    Raises:
        ApiError: The identity may not read.
    """
    identity = cast(Identity, request.user)
    if not identity.may_subscribe:
        raise ApiError(status.HTTP_403_FORBIDDEN, "This access key may not read: use one that may subscribe")
    return identity


def _wanted_customer(request: Request) -> str | None:
    """Return the id of the customer that the query names, or `None`.

    Raises:
        ApiError: The identity may read nothing of this customer, or the query is invalid.
    """
    with reading_errors():
        parameters = Parameters(dict(request.query_params.lists()), ("customer_id",))
        customer_id = parameters.uuid("customer_id")
        parameters.finish()
        if customer_id is not None:
            visible_to(request, customer_id)
    return customer_id


def _state(content: Mapping[str, Any]) -> Response:
    return Response(with_now(content), headers={"Cache-Control": "no-store"})


class MeView(APIView):
    """Read the identity of the credential.

    Its customer, agent and role, the widest topics that it may subscribe to, and the names of the agents and queues.
    """

    configured_fields = ("dialing", "desk")

    @operation("getMe", "Credentials", {200: ("The identity.", schemas.Me)}, [OF_CUSTOMER])
    def get(self, request: Request) -> Response:
        identity = reader_of(request)
        identity = replace(identity, customer_id=_wanted_customer(request) or identity.customer_id)
        # A token of VoIPBIN may name a customer or agent that only the platform knows.
        customer = Customer.objects.filter(pk=identity.customer_id).first()
        agent = Agent.objects.filter(pk=identity.agent_id).first() if identity.agent_id else None
        return _state(
            {
                "customer": {"id": identity.customer_id, "name": customer.name if customer else None},
                "agent": {"id": identity.agent_id, "name": agent.name if agent else None}
                if identity.agent_id
                else None,
                "role": identity.role.value if identity.role else None,
                "topics": topics_for(identity),
                "agents": _agents(identity),
                "queues": _queues(identity),
                "masks_numbers": identity.masks_numbers,
                "may_reveal_numbers": identity.may_reveal,
                "dialing": dialing_of(customer.region) if customer else None,
                "desk": {name: getattr(customer or Customer(), name) for name in DESK_FIELDS},
            }
        )


class CustomersView(APIView):
    """List the customers.

    Those whose events the credential may receive: for platform staff all, else its own.
    """

    @operation(
        "listCustomers",
        "Credentials",
        {200: ("The customers.", schemas.CUSTOMERS)},
        errors=schemas.REQUEST_ERRORS,
    )
    def get(self, request: Request) -> Response:
        identity = reader_of(request)
        with reading_errors():
            Parameters(dict(request.query_params.lists()), ()).finish()
        customers = Customer.objects.all()
        logs = CustomerLog.objects.all()
        if not identity.is_platform_staff:
            customers = customers.filter(pk=identity.customer_id)
            logs = logs.filter(pk=identity.customer_id)
        names: dict[str, str | None] = {
            str(customer_id): name
            for customer_id, name in customers.order_by("name", "pk").values_list("pk", "name")
        }
        # Customers of VoIPBIN may have events without a row here.
        for customer_id in logs.order_by("pk").values_list("pk", flat=True):
            names.setdefault(str(customer_id), None)
        return _state({"items": [{"id": customer_id, "name": name} for customer_id, name in names.items()]})
