"""REST views of platform actions: controlling calls and sending messages.

They are limited to what the identity may subscribe to.
"""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import quote

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import operation
from events.api.request_body import read_json_object
from events.api.schemas import OF_CUSTOMER
from events.api.views import ResourceStatesView
from events.domain.phone_number import canonical_number, other_party
from events.domain.state import current_agents
from events.domain.topics import is_resource_id
from events.domain.visibility import Visible
from events.log.state_fold import state_of
from subscriptions.api import schemas
from subscriptions.api.acting import MAY_NOT_ACT, actor_of, may_act, recorded, visible_customer, visible_state
from subscriptions.api.agent_status import MANAGING_ROLES
from subscriptions.api.schemas import AGENT_ACTIONS, CALL_ACTIONS, MAX_TEXT, TARGETS, TEL_PATTERN
from subscriptions.models import OptOut
from subscriptions.models.tenants import region_of
from subscriptions.platform import client
from subscriptions.protocol.permissions import Identity

_TEL = re.compile(TEL_PATTERN, re.ASCII)


class ActionsView(APIView):
    """Read the available actions.

    Whether the platform takes actions from this credential, and if not, why.
    """

    @operation("listActions", "Acting", {200: ("The actions.", schemas.Actions)}, [OF_CUSTOMER])
    def get(self, request: Request) -> Response:
        identity = cast(Identity, request.user)
        reason = None if client.url_of(identity.customer_id) else client.NO_PLATFORM
        if reason is None and not may_act(identity):
            reason = MAY_NOT_ACT
        return Response(
            {
                "available": reason is None,
                "reason": reason,
                "call": [] if reason else list(CALL_ACTIONS),
                "message": reason is None and visible_customer(request).is_whole("message"),
                "agent": list(AGENT_ACTIONS) if identity.role in MANAGING_ROLES else [],
            },
            headers={"Cache-Control": "no-store"},
        )


class CallActionView(APIView):
    """Act on a call.

    `accept`: the credential's agent answers the ringing call. `transfer`: the call goes to another target. `voicemail`:
    the call goes to voicemail. `hangup`: the call ends. Events report the result.
    """

    @operation(
        "performCallAction",
        "Acting",
        {200: ("The platform acts.", schemas.CALL_ANSWER)},
        schemas.CALL_PARAMETERS,
        body=schemas.CALL_ORDER,
        examples=schemas.CALL_ORDER_EXAMPLES,
        errors=schemas.CALL_ERRORS,
    )
    def post(self, request: Request, call_id: str, action: str) -> Response:
        if action not in CALL_ACTIONS:
            raise ApiError(
                status.HTTP_404_NOT_FOUND, f"A call can be asked to {', '.join(CALL_ACTIONS)}: nothing else"
            )
        identity = actor_of(request)
        visible = visible_customer(request)
        body = read_json_object(request, {"to"} if action == "transfer" else ())
        order: dict[str, Any] = {"agent_id": identity.agent_id}
        if action == "transfer":
            order["to"] = _target(body)
        elif action == "accept" and identity.agent_id is None:
            raise ApiError(
                status.HTTP_403_FORBIDDEN,
                "A call is accepted by an agent: this access key belongs to none",
            )
        _require_controllable(visible, identity, call_id)
        path = f"/v1.0/calls/{quote(call_id, safe='')}/{action}"
        target = f" to {order['to']['type']} {order['to']['id']}" if "to" in order else ""
        with recorded(f"customer_id:{visible.customer_id}:call:{call_id}", f"{action}{target}", visible):
            reply = client.request("POST", visible.customer_id, path, order)
        return Response({"call_id": call_id, "action": action, "platform": reply})


class MessagesView(ResourceStatesView):
    """`/v1.0/messages`: GET reads the present state of messages, POST sends one."""

    @operation(
        "sendMessage",
        "Acting",
        {201: ("The platform sends the message.", schemas.MESSAGE_ANSWER)},
        [OF_CUSTOMER],
        body=schemas.NEW_MESSAGE,
        examples=schemas.NEW_MESSAGE_EXAMPLES,
        errors=schemas.MESSAGE_ERRORS,
    )
    def post(self, request: Request, resource: str) -> Response:
        """Send a text message.

        `reply_to` answers a message that the credential may read, without its number, which may be masked.
        """
        identity = actor_of(request)
        visible = visible_customer(request)
        body = read_json_object(request, schemas.NEW_MESSAGE.fields)
        text, automatic = _message(body)
        if not visible.is_whole("message"):
            raise ApiError(
                status.HTTP_403_FORBIDDEN,
                "Who writes to people must hear what they answer: messages were not granted to this credential",
            )
        number = body["to"] if "to" in body else _party_of(visible, body["reply_to"])
        # Also as it was understood before the customer had a region.
        spellings = {canonical_number(number, region_of(visible.customer_id)), canonical_number(number)}
        opted_out = OptOut.objects.filter(customer_id=visible.customer_id, number__in=spellings).first()
        if opted_out is not None:
            raise ApiError(
                status.HTTP_409_CONFLICT,
                f"{number} wrote STOP and wants no messages: none can be sent until it writes START",
                code="OPTED_OUT",
            )
        order = {
            "agent_id": identity.agent_id,
            "destinations": [{"type": "tel", "target": number}],
            "text": text,
            "automatic": automatic,
        }
        with recorded(f"customer_id:{visible.customer_id}:message:*", f"message to {number}", visible):
            reply = client.request("POST", visible.customer_id, "/v1.0/messages", order)
        return Response({"to": number, "platform": reply}, status=status.HTTP_201_CREATED)


def _require_controllable(visible: Visible, identity: Identity, call_id: str) -> None:
    """Check that the call is live and visible.

    It must be with this agent, unless the identity sees all calls.

    Raises:
        ApiError: 404 if the call does not exist or is not visible, 409 if it is over or with another agent.
    """
    state = visible_state(visible, "call", call_id)
    if not state.live:
        raise ApiError(status.HTTP_409_CONFLICT, "This call is over", code="CALL_OVER")
    holders = current_agents(state_of(state))
    if not visible.is_whole("call", call_id) and holders and identity.agent_id not in holders:
        raise ApiError(status.HTTP_409_CONFLICT, "This call is with another agent now", code="NOT_YOUR_CALL")


def _target(body: dict[str, Any]) -> dict[str, str]:
    to = body.get("to")
    if isinstance(to, dict) and set(to) == {"type", "id"} and to["type"] in TARGETS:
        target = to["id"]
        if isinstance(target, str) and (
            _TEL.fullmatch(target) if to["type"] == "tel" else is_resource_id(target)
        ):
            return {"type": to["type"], "id": target}
    raise ApiError(
        status.HTTP_400_BAD_REQUEST,
        'Say where to: {"to": {"type": "queue", "id": "<queue id>"}}, or with the type agent or tel',
        errors=[{"field": "to", "message": "an object with type (agent, queue or tel) and id"}],
    )


def _party_of(visible: Visible, message_id: str) -> str:
    """Return the number that a reply to this message goes to.

    Raises:
        ApiError: 404 if the message does not exist or is not visible, 400 if it came without a telephone number.
    """
    data = state_of(visible_state(visible, "message", message_id)).data
    number = other_party(data, region_of(visible.customer_id))
    if number is None or not _TEL.fullmatch(number):
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            "This message came without a telephone number: it cannot be answered",
            errors=[{"field": "reply_to", "message": "a message from or to a telephone number"}],
        )
    return number


def _message(body: dict[str, Any]) -> tuple[str, bool]:
    number, message_id = body.get("to"), body.get("reply_to")
    text, automatic = body.get("text"), body.get("automatic", False)
    errors = []
    if ("to" in body) == ("reply_to" in body):
        errors.append(
            {"field": "to", "message": "a telephone number, or reply_to with a message's id: one of the two"}
        )
    elif "to" in body and (not isinstance(number, str) or not _TEL.fullmatch(number)):
        errors.append({"field": "to", "message": "a telephone number such as +15551234567"})
    elif "reply_to" in body and not (isinstance(message_id, str) and message_id):
        errors.append({"field": "reply_to", "message": "the id of a message"})
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
        errors.append({"field": "text", "message": f"1 to {MAX_TEXT} characters"})
    if not isinstance(automatic, bool):
        errors.append({"field": "automatic", "message": "true or false"})
    if errors:
        message = "; ".join(f"{each['field']}: {each['message']}" for each in errors)
        raise ApiError(status.HTTP_400_BAD_REQUEST, message, errors=errors)
    return cast(str, text), cast(bool, automatic)
