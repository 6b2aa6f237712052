"""The masked telephone numbers of one call or message: `/v1.0/…/<id>/reveal`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, cast

from django.db import transaction
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import operation
from events.api.request_body import read_json_object
from events.api.schemas import OF_CUSTOMER
from events.domain.phone_number import other_party
from events.log.state_fold import state_of
from subscriptions.accounts.changes import current_actor, record
from subscriptions.api.acting import visible_customer, visible_state
from subscriptions.api.desk import schemas
from subscriptions.models import AuditAction, AuditRecord, AuditVerdict
from subscriptions.models.tenants import region_of
from subscriptions.protocol.permissions import Identity

MAX_REVEALED = 30
PERIOD = dt.timedelta(minutes=10)
"""At most so many in this time for one person: enough for calling back, and too few to copy a list of customers."""

REVEALED_FIELDS = ("number", "source", "destination")


class CallRevealView(APIView):
    """Reveal the telephone numbers of a call.

    For a credential that sees masked numbers and may reveal them. Each time is recorded in the audit log; at most 30 in
    ten minutes for each person, calls and messages together.
    """

    configured_fields = REVEALED_FIELDS

    @operation(
        "performCallReveal",
        "Acting",
        {200: ("The numbers.", schemas.REVEALED_OF_CALL)},
        (schemas.CALL_ID, OF_CUSTOMER),
        errors=schemas.REVEAL_ERRORS,
    )
    def post(self, request: Request, call_id: str) -> Response:
        return _revealed(request, "call", call_id)


class MessageRevealView(APIView):
    """Reveal the telephone numbers of a message.

    As for a call: for the same credentials, in the same audit log, and within the same limit.
    """

    configured_fields = REVEALED_FIELDS

    @operation(
        "performMessageReveal",
        "Acting",
        {200: ("The numbers.", schemas.REVEALED_OF_MESSAGE)},
        (schemas.MESSAGE_ID, OF_CUSTOMER),
        errors=schemas.REVEAL_ERRORS,
    )
    def post(self, request: Request, message_id: str) -> Response:
        return _revealed(request, "message", message_id)


def _revealed(request: Request, resource: str, resource_id: str) -> Response:
    visible = visible_customer(request)
    read_json_object(request, ())
    data = state_of(visible_state(visible, resource, resource_id)).data
    topic = f"customer_id:{visible.customer_id}:{resource}:{resource_id}"
    _record(cast(Identity, request.user), topic, visible.customer_id)
    content = {
        f"{resource}_id": resource_id,
        "number": other_party(data, region_of(visible.customer_id)),
        "source": _number_of(data, "source"),
        "destination": _number_of(data, "destination"),
    }
    return Response(content, headers={"Cache-Control": "no-store"})


def _record(identity: Identity, topic: str, customer_id: str) -> None:
    """Record that the numbers are revealed; nothing is revealed without a record.

    Raises:
        ApiError: The credential may not reveal numbers, or has revealed too many.
    """
    actor = current_actor()
    # A person may have a token and several access keys.
    person: dict[str, Any] = {"agent_id": identity.agent_id}
    if identity.agent_id is None:
        person["credential"] = actor.name
    fields: dict[str, Any] = {"customer_id": customer_id, "rule": "by-client"}
    error = None
    if identity.masks_numbers and not identity.may_reveal:
        error = ApiError(
            status.HTTP_403_FORBIDDEN,
            "Your role may not reveal telephone numbers: an operator names the roles that may",
        )
    else:
        with transaction.atomic():
            # The records of all processes have one order: those before this one are counted.
            record(actor, AuditAction.REVEAL, topic, **fields)
            revealed = AuditRecord.objects.filter(
                at__gt=timezone.now() - PERIOD,
                action=AuditAction.REVEAL,
                verdict=AuditVerdict.GRANTED,
                **person,
            )
            if revealed.count() > MAX_REVEALED:
                transaction.set_rollback(True)
                error = ApiError(
                    status.HTTP_429_TOO_MANY_REQUESTS,
                    f"At most {MAX_REVEALED} numbers are revealed in {PERIOD.seconds // 60} minutes: try again later",
                    retry_after=60,
                )
    if error is not None:
        refused = {**fields, "verdict": AuditVerdict.REFUSED, "detail": error.message}
        record(actor, AuditAction.REVEAL, topic, **refused)
        raise error


def _number_of(data: Mapping[str, Any], name: str) -> str | None:
    address = data.get(name)
    number = address.get("target") if isinstance(address, Mapping) else address
    return number if isinstance(number, str) and number else None
