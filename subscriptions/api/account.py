"""REST views of one's own account: signing out, and changing the password."""

from __future__ import annotations

from typing import Any, cast

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import operation
from events.api.request_body import read_json_object
from events.api.responses import with_now
from subscriptions.accounts.changes import current_actor, record
from subscriptions.accounts.passwords import WrongPassword, change_password
from subscriptions.api import schemas
from subscriptions.auth.credentials import AGENT_KIND
from subscriptions.auth.ended_tokens import end_token
from subscriptions.auth.logout import sign_out
from subscriptions.auth.password_hashing import TooManyLogins
from subscriptions.auth.tokens import issue_token
from subscriptions.models import Agent, AuditAction
from subscriptions.protocol.permissions import Identity

MAX_PASSWORD_CHARACTERS = 1024


class LogoutView(APIView):
    """Log out.

    End the token of the request and its connections, or with `everywhere` all tokens of its agent that were issued up
    to now, and its sessions in the admin pages. Access keys stay valid.
    """

    @operation(
        "logout",
        "Credentials",
        {200: ("The token is refused from now on.", schemas.LOGGED_OUT)},
        body=schemas.LOGOUT,
        examples={"this token": {}, "everywhere": {"everywhere": True}},
        errors=("INVALID_REQUEST", "PERMISSION_DENIED", "TOO_LARGE"),
    )
    def post(self, request: Request) -> Response:
        identity = cast(Identity, request.user)
        everywhere = _everywhere(request)
        if identity.token_id is None:
            raise ApiError(
                status.HTTP_403_FORBIDDEN, "An access key is no log-in: an operator revokes it in the admin"
            )
        # A token of VoIPBIN names an agent that only the platform may know.
        agent = Agent.objects.filter(pk=identity.agent_id).first() if identity.agent_id else None
        if everywhere:
            if identity.grant is not None:
                raise ApiError(
                    status.HTTP_403_FORBIDDEN, "This token was made by another credential: end it alone"
                )
            if agent is None:
                raise ApiError(
                    status.HTTP_403_FORBIDDEN,
                    "The gateway does not know the agent of this VoIPBIN token: end the token alone",
                )
            sign_out(agent, timezone.now())
        # A token whose issuer's clock is ahead would outlast the other.
        end_token(identity.token_id, identity.expires_at)
        rule = "signed-out-everywhere" if everywhere else "asked"
        subject = f"agent:{identity.agent_id}" if identity.agent_id else identity.credential
        record(current_actor(), AuditAction.LOGOUT, subject, rule=rule, detail="REST")
        return Response(with_now({"everywhere": everywhere}))


class PasswordView(APIView):
    """Change the own password.

    All tokens of the agent end, and their connections are closed with 4403. The answer has a new token.
    """

    @operation(
        "changePassword",
        "Credentials",
        {200: ("The password is changed; a new token.", schemas.TOKEN)},
        body=schemas.PASSWORD_CHANGE,
        examples={"a new password": {"password": "the present one", "new_password": "the new one"}},
        errors=("INVALID_REQUEST", "PERMISSION_DENIED", "TOO_LARGE", "RATE_LIMITED"),
    )
    def post(self, request: Request) -> Response:
        identity = cast(Identity, request.user)
        present, wanted = _passwords(request)
        if not identity.credential_id.startswith(f"{AGENT_KIND}:"):
            raise ApiError(
                status.HTTP_403_FORBIDDEN, "Change the password with a token from POST /auth/login"
            )
        agent = Agent.objects.select_related("user", "customer").get(pk=cast(str, identity.agent_id))
        try:
            change_password(agent, present, wanted)
        except WrongPassword:
            raise _invalid("password", "The present password is wrong") from None
        except ValidationError as error:
            raise _invalid("new_password", " ".join(error.messages)) from None
        except TooManyLogins as refused:
            raise ApiError(
                status.HTTP_429_TOO_MANY_REQUESTS, str(refused), retry_after=refused.wait_seconds
            ) from None
        return Response(with_now({"username": agent.user.get_username(), "token": issue_token(agent)}))


def _everywhere(request: Request) -> bool:
    everywhere = read_json_object(request, schemas.LOGOUT.fields).get("everywhere", False)
    if not isinstance(everywhere, bool):
        raise _invalid("everywhere", '"everywhere" is true or false')
    return everywhere


@sensitive_variables()
def _passwords(request: Request) -> tuple[str, str]:
    body: dict[str, Any] = read_json_object(request, schemas.PASSWORD_CHANGE.fields)
    for name in ("password", "new_password"):
        value = body.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= MAX_PASSWORD_CHARACTERS:
            raise _invalid(
                name, f'"{name}" is needed, as a string of at most {MAX_PASSWORD_CHARACTERS} characters'
            )
    return body["password"], body["new_password"]


def _invalid(field: str, message: str) -> ApiError:
    return ApiError(status.HTTP_400_BAD_REQUEST, message, errors=[{"field": field, "message": message}])
