"""How a call went, and the earlier calls of its caller."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import READING_ERRORS, operation
from events.api.request_body import read_json_object
from events.api.responses import with_now
from events.api.schemas import OF_CUSTOMER
from events.domain.event import data_time, parse_timestamp
from events.domain.event_parser import read_event
from events.domain.phone_number import other_party, spellings_of
from events.domain.state import State
from events.domain.visibility import Visible
from events.log.publish import publish
from events.log.state_fold import state_of
from events.masks.number_mask import HIDDEN
from events.models import ResourceState, split_agents
from events.reading.states import is_readable
from subscriptions.accounts.changes import current_actor, record
from subscriptions.api.acting import actor_of, visible_customer, visible_state
from subscriptions.api.desk import schemas
from subscriptions.api.desk.schemas import MAX_NOTE
from subscriptions.models import Agent, AuditAction, Customer
from subscriptions.models.tenants import region_of
from subscriptions.protocol.permissions import Identity

MAX_EARLIER_CALLS = 20
READ_AT_ONCE = 100
"""The calls of a number that are looked at: some may be invisible, or live."""

MAX_EVENT_BYTES = 2**16
MASKED_NOTE = "A masked number would replace the stored one: write it in full, or leave it out"


class CallNoteView(APIView):
    """Note how a call went.

    The event `call.noted` reports it; the call's state keeps the last `disposition` and `note`. The call may be live or
    over. A field that is not sent stays as it is.
    """

    @operation(
        "setCallNote",
        "Acting",
        {201: ("The note is stored.", schemas.NOTED)},
        (schemas.CALL_ID, OF_CUSTOMER),
        body=schemas.NEW_NOTE,
        examples=schemas.NOTE_EXAMPLES,
        errors=schemas.NOTE_ERRORS,
    )
    def post(self, request: Request, call_id: str) -> Response:
        identity = actor_of(request)
        visible = visible_customer(request)
        body = read_json_object(request, schemas.NEW_NOTE.fields)
        visible_state(visible, "call", call_id)
        noted = read_note(body, _disposition_codes(visible.customer_id))
        if identity.masks_numbers and HIDDEN in noted.get("note", ""):
            # The writer read the note with its numbers masked: to store it so would destroy them.
            raise ApiError(
                status.HTTP_400_BAD_REQUEST,
                MASKED_NOTE,
                errors=[{"field": "note", "message": f"a text without {HIDDEN}"}],
            )
        fields: dict[str, Any] = {"customer_id": visible.customer_id, "rule": "by-client"}
        topic = f"customer_id:{visible.customer_id}:call:{call_id}"
        record(current_actor(), AuditAction.ACT, topic, detail=f"note: {', '.join(noted)}", **fields)
        (receipt,) = publish([_draft(identity, visible.customer_id, call_id, noted)])
        content = {"call_id": call_id, "event_id": receipt.id, "cursor": receipt.cursor}
        return Response(content, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


def _disposition_codes(customer_id: str) -> list[str]:
    found = Customer.objects.filter(pk=customer_id).values_list("dispositions", flat=True).first()
    return [each["code"] for each in found or []]


def read_note(body: dict[str, Any], codes: list[str]) -> dict[str, Any]:
    """Return the fields of a note; `codes` are those of the customer's dispositions.

    Raises:
        ApiError: There is none, or one is invalid.
    """
    if not body:
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            "Send a disposition, a note, or both",
            errors=[
                {"field": name, "message": "one of the two is needed"} for name in schemas.NEW_NOTE.fields
            ],
        )
    errors = []
    disposition, note = body.get("disposition"), body.get("note", "")
    if disposition is not None and disposition not in codes:
        known = (
            f"one of {', '.join(codes)}" if codes else "null: an operator names the customer's dispositions"
        )
        errors.append({"field": "disposition", "message": known})
    if not isinstance(note, str) or len(note) > MAX_NOTE:
        errors.append({"field": "note", "message": f"a text of at most {MAX_NOTE} characters"})
    if errors:
        message = "; ".join(f"{each['field']}: {each['message']}" for each in errors)
        raise ApiError(status.HTTP_400_BAD_REQUEST, message, errors=errors)
    return {**body, "note": note.strip()} if "note" in body else dict(body)


def _draft(identity: Identity, customer_id: str, call_id: str, noted: dict[str, Any]) -> Any:
    agent = Agent.objects.filter(pk=identity.agent_id).first() if identity.agent_id else None
    data = {
        "id": call_id,
        "customer_id": customer_id,
        **noted,
        "agent_id": identity.agent_id,
        "agent_name": agent.name if agent else None,
    }
    return read_event(
        {"event_type": "call.noted", "data": data},
        customer_id=customer_id,
        resources={"call"},
        max_bytes=MAX_EVENT_BYTES,
    )


class CallerView(APIView):
    """Read the earlier calls of a call's other party.

    The newest calls of the same number that are over, with their notes, also those of other agents: an agent
    learns what was agreed with the caller. A credential that is limited to topics sees the calls of these alone.
    """

    @operation(
        "getCallerHistory",
        "Reading",
        {200: ("The earlier calls.", schemas.CALLER)},
        (schemas.CALL_ID, OF_CUSTOMER),
        errors=READING_ERRORS,
    )
    def get(self, request: Request, call_id: str) -> Response:
        visible = visible_customer(request)
        call = visible_state(visible, "call", call_id)
        region = region_of(visible.customer_id)
        number = other_party(state_of(call).data, region)
        spellings = spellings_of(number, region) if number else frozenset()
        items = [_shown(visible, row, state_of(row)) for row in _earlier(visible, call, spellings)]
        return Response(with_now({"number": number, "items": items}), headers={"Cache-Control": "no-store"})


def _earlier(visible: Visible, call: ResourceState, spellings: frozenset[str]) -> list[ResourceState]:
    rows = ResourceState.objects.filter(
        customer_id=visible.customer_id, resource="call", party__in=spellings, member_id=""
    ).order_by("-pk")[:READ_AT_ONCE]
    is_limited = visible.allowed is not None
    found = [
        row
        for row in rows
        if row.pk != call.pk
        and not row.live
        and is_readable(row, visible.filter)
        and (not is_limited or visible.includes("call", row.resource_id, split_agents(row.agent_ids)))
    ]
    return found[:MAX_EARLIER_CALLS]


def _shown(visible: Visible, row: ResourceState, state: State) -> dict[str, Any]:
    data = state.data
    may_name = visible.includes("call", row.resource_id, split_agents(row.agent_ids))
    return {
        "call_id": row.resource_id,
        "at": state.since,
        "direction": _text(data.get("direction")),
        "status": state.status or None,
        "is_missed": not any(each.phase in ("ended", "left") for each in state.agents.values()),
        "duration_seconds": duration_of(state),
        "queue_name": _text(data.get("queue_name")),
        "agent_name": _text(data.get("agent_name")) if may_name else None,
        "disposition": _text(data.get("disposition")),
        "note": _text(data.get("note")),
    }


def duration_of(state: State) -> int | None:
    """Return the seconds from the answer of a call to its end; `None` if not known."""
    duration = state.data.get("duration")
    if isinstance(duration, int | float) and not isinstance(duration, bool) and 0 <= duration < 2**31:
        return int(duration)
    answered = data_time(state.data.get("tm_answer"))
    if answered is None or not state.ended_at:
        return None
    return max(0, int((parse_timestamp(state.ended_at) - answered).total_seconds()))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
