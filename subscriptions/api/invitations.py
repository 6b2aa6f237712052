"""`POST /auth/invitation` and `/auth/invitation/accept`: for a person with a link."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import inline_serializer
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, Serializer
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import field, operation
from events.api.request_body import read_json_object
from events.api.responses import with_now
from events.api.schemas import NOW, TEXT, TIME
from events.domain.event import format_timestamp
from subscriptions.accounts.invitations import InvalidInvitation, accept, find_invitation
from subscriptions.api.account import MAX_PASSWORD_CHARACTERS
from subscriptions.auth.password_hashing import TooManyLogins
from subscriptions.auth.tokens import issue_token
from subscriptions.models import Invitation

MAX_SECRET_CHARACTERS = 100
_FILLED = {**TEXT, "minLength": 1}
SECRET = inline_serializer("InvitationSecret", {"invitation": field(_FILLED, "What follows # in the link.")})
ACCEPTANCE = inline_serializer(
    "InvitationAcceptance",
    {
        "invitation": field(_FILLED, "What follows # in the link."),
        "password": field(_FILLED, "The password to set."),
    },
)
EXAMPLE = "w3kq0Jm0m7l3yB9cQp2x5R8tUvZa1dEf"


class InvitationShown(Serializer[Any]):
    """An invitation."""

    username = CharField(help_text="With which the person signs in.")
    name = CharField()
    customer = CharField()
    expires_at = field(TIME)
    now = NOW


class InvitationAccepted(Serializer[Any]):
    """An accepted invitation."""

    username = CharField()
    role = CharField()
    token = field(TEXT, "A JWT, as of `POST /auth/login`.")
    now = NOW


class _InvitationView(APIView):
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []


class InvitationView(_InvitationView):
    """Read an invitation."""

    @operation(
        "getInvitation",
        "Credentials",
        {200: ("It can be accepted.", InvitationShown)},
        body=SECRET,
        examples={"of a link": {"invitation": EXAMPLE}},
        errors=("INVALID_REQUEST", "UNAUTHORIZED", "TOO_LARGE", "RATE_LIMITED"),
        credential=False,
    )
    def post(self, request: Request) -> Response:
        found = _found(_text(read_json_object(request, SECRET.fields), "invitation", MAX_SECRET_CHARACTERS))
        return Response(
            with_now(
                {
                    "username": found.agent.user.get_username(),
                    "name": found.agent.name,
                    "customer": found.agent.customer.name,
                    "expires_at": format_timestamp(found.expires_at),
                }
            )
        )


class InvitationAcceptView(_InvitationView):
    """Accept an invitation.

    Sets the password. All earlier tokens of the agent end; the answer has a new one.
    """

    @operation(
        "setInvitationPassword",
        "Credentials",
        {200: ("The password is set; a token.", InvitationAccepted)},
        body=ACCEPTANCE,
        examples={"of a link": {"invitation": EXAMPLE, "password": "correct horse battery staple"}},
        errors=("INVALID_REQUEST", "UNAUTHORIZED", "TOO_LARGE", "RATE_LIMITED"),
        credential=False,
    )
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        body = read_json_object(request, ACCEPTANCE.fields)
        secret = _text(body, "invitation", MAX_SECRET_CHARACTERS)
        password = _text(body, "password", MAX_PASSWORD_CHARACTERS)
        found = _found(secret)
        # The audit log names the person who holds the link.
        request._request.user = found.agent.user
        try:
            agent = accept(found, password)
        except ValidationError as error:
            message = " ".join(error.messages)
            raise ApiError(
                status.HTTP_400_BAD_REQUEST, message, errors=[{"field": "password", "message": message}]
            ) from None
        except InvalidInvitation as error:
            raise ApiError(status.HTTP_401_UNAUTHORIZED, str(error)) from None
        except TooManyLogins as refused:
            raise _throttled(refused) from None
        content = {"username": agent.user.get_username(), "role": agent.role, "token": issue_token(agent)}
        return Response(with_now(content))


@sensitive_variables()
def _found(secret: str) -> Invitation:
    try:
        return find_invitation(secret)
    except InvalidInvitation as error:
        raise ApiError(status.HTTP_401_UNAUTHORIZED, str(error)) from None
    except TooManyLogins as refused:
        raise _throttled(refused) from None


def _throttled(refused: TooManyLogins) -> ApiError:
    return ApiError(status.HTTP_429_TOO_MANY_REQUESTS, str(refused), retry_after=refused.wait_seconds)


@sensitive_variables()
def _text(body: dict[str, Any], name: str, most: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        message = f'"{name}" is needed, as a string of at most {most} characters'
        raise ApiError(status.HTTP_400_BAD_REQUEST, message, errors=[{"field": name, "message": message}])
    return value
