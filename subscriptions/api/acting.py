"""What all actions need: who acts, on what that is visible, and the audit record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from rest_framework import status
from rest_framework.request import Request

from events.api.errors import ApiError
from events.api.responses import reading_errors, visible_to
from events.domain.topics import is_canonical_uuid, is_resource_id
from events.domain.visibility import Visible
from events.models import ResourceState, split_agents
from events.reading.states import is_readable
from subscriptions.accounts.changes import current_actor, record
from subscriptions.models import AuditAction, AuditVerdict
from subscriptions.protocol.permissions import Identity

ABSENT = {
    "call": "There is no call with this id for you",
    "message": "There is no message with this id for you",
}
MAY_NOT_ACT = "This access key may only watch: act with an agent's credential, or a key that may publish"


@contextmanager
def recorded(topic: str, detail: str, visible: Visible) -> Iterator[None]:
    """Record the request that the block sends to the platform, and once more if it fails.

    Before it is sent: the platform must not act without a record, nor the client see an error after it has acted.
    """
    fields: dict[str, Any] = {"customer_id": visible.customer_id, "rule": "by-client"}
    record(current_actor(), AuditAction.ACT, topic, detail=detail, **fields)
    try:
        yield
    except ApiError as error:
        detail = f"{detail}: {error.message}"
        record(current_actor(), AuditAction.ACT, topic, verdict=AuditVerdict.REFUSED, detail=detail, **fields)
        raise


def may_act(identity: Identity) -> bool:
    """Return whether the credential may do more than watch."""
    return identity.role is not None or identity.may_publish


def actor_of(request: Request) -> Identity:
    """Return the identity of a request that acts.

    Raises:
        ApiError: The credential may only watch.
    """
    identity = cast(Identity, request.user)
    if not may_act(identity):
        raise ApiError(status.HTTP_403_FORBIDDEN, MAY_NOT_ACT)
    return identity


def visible_customer(request: Request) -> Visible:
    """Return what the identity may read of its customer, or of `?customer_id=`.

    Raises:
        ApiError: The parameter is invalid, or nothing is visible.
    """
    customer_id = request.query_params.get("customer_id")
    if customer_id is not None and not is_canonical_uuid(customer_id):
        raise ApiError(status.HTTP_400_BAD_REQUEST, "customer_id: write a UUID in lower case with dashes")
    with reading_errors():
        return visible_to(request, customer_id)


def visible_state(visible: Visible, resource: str, resource_id: str) -> ResourceState:
    """Return the state of a visible call or message.

    Raises:
        ApiError: 404 if it does not exist or is not visible.
    """
    state = None
    if is_resource_id(resource_id):
        state = ResourceState.objects.filter(
            customer_id=visible.customer_id, resource=resource, resource_id=resource_id, member_id=""
        ).first()
    if (
        state is None
        or not visible.includes(resource, resource_id, split_agents(state.agent_ids))
        or not is_readable(state, visible.filter)
    ):
        raise ApiError(status.HTTP_404_NOT_FOUND, ABSENT[resource])
    return state
