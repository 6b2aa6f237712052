"""REST views of logging in, and of a plain GET to the WebSocket's URL."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.views.decorators.debug import sensitive_variables
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import operation
from events.api.responses import with_now
from events.domain.strict_json import InvalidJson, decode
from subscriptions.accounts.changes import client_info_of
from subscriptions.accounts.logins import login_attempt
from subscriptions.api import schemas
from subscriptions.auth.authentication import identify_http_request
from subscriptions.auth.credentials import BadCredential
from subscriptions.auth.handshake_throttle import credential_digest
from subscriptions.auth.password_hashing import TooManyLogins
from subscriptions.auth.tokens import issue_token
from subscriptions.connections.handshake import (
    FOREIGN_ORIGIN,
    may_open_socket,
    no_room,
    origin_is_allowed,
    throttled,
    unknown_format,
)
from subscriptions.models import Agent
from subscriptions.presence.customer_connections import count_live, customer_connections
from subscriptions.protocol.permissions import Identity

MAX_LOGIN_BYTES = 4096


class LoginView(APIView):
    """Log in.

    Exchange a user name and password for a token.
    """

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    @operation(
        "login",
        "Credentials",
        {200: ("A token.", schemas.TOKEN)},
        body=schemas.LOGIN,
        examples={"mary": {"username": "mary", "password": "correct horse battery staple"}},
        errors=("INVALID_REQUEST", "UNAUTHORIZED", "RATE_LIMITED"),
        credential=False,
    )
    def post(self, request: Request) -> Response:
        username, password = _login(request)
        try:
            with login_attempt(username, client_info_of(request._request), "REST") as attempt:
                agent = _agent_with(request, username, password)
                attempt.user = agent.user
                if not agent.is_active or not agent.customer.is_active:
                    attempt.rule = "inactive-agent"
                    raise ApiError(
                        status.HTTP_401_UNAUTHORIZED,
                        "This agent or its customer is switched off: ask an admin",
                    )
        except TooManyLogins as refused:
            raise ApiError(
                status.HTTP_429_TOO_MANY_REQUESTS, str(refused), retry_after=refused.wait_seconds
            ) from None
        return Response(with_now({"username": agent.user.get_username(), "token": issue_token(agent)}))


@sensitive_variables("password")
def _agent_with(request: Request, username: str, password: str) -> Agent:
    """Return the agent with this user name and password.

    Raises:
        ApiError: There is none; the answer and its time are the same for an unknown user name.
    """
    user = authenticate(request._request, username=username, password=password)
    agent = Agent.objects.select_related("customer", "user").filter(user=user).first() if user else None
    if agent is None:
        raise ApiError(status.HTTP_401_UNAUTHORIZED, "User name or password is wrong")
    return agent


def _login(request: Request) -> tuple[str, str]:
    try:
        body = request._request.body
        content = decode(body) if len(body) <= MAX_LOGIN_BYTES else None
    except InvalidJson as error:
        raise ApiError(status.HTTP_400_BAD_REQUEST, f"The body is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise ApiError(status.HTTP_400_BAD_REQUEST, 'Send a JSON object: {"username": "…", "password": "…"}')
    username, password = content.get("username"), content.get("password")
    if not isinstance(username, str) or not isinstance(password, str) or not username or not password:
        raise ApiError(status.HTTP_400_BAD_REQUEST, '"username" and "password" are needed, both as strings')
    return username, password


class WebSocketAddressView(APIView):
    """Read why a WebSocket was refused.

    The address of the WebSocket (docs/asyncapi.yaml). Browsers do not show scripts why a WebSocket was refused: a plain
    GET with the same credential returns what the handshake would have returned.
    """

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    @operation(
        "checkWebSocketCredential",
        "WebSocket",
        {},
        errors=["INVALID_REQUEST", "FORBIDDEN_ORIGIN", "RATE_LIMITED", "UPGRADE_REQUIRED"],
    )
    def get(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not origin_is_allowed(headers):
            raise ApiError(FOREIGN_ORIGIN.status, FOREIGN_ORIGIN.message, code="FORBIDDEN_ORIGIN")
        if unknown := unknown_format(request.META.get("QUERY_STRING", "")):
            raise ApiError(status.HTTP_400_BAD_REQUEST, unknown.message)
        credential = credential_digest(request.META.get("QUERY_STRING", ""), headers)
        if refusal := throttled(client_info_of(request._request).address, credential):
            raise ApiError(
                status.HTTP_429_TOO_MANY_REQUESTS, refusal.message, retry_after=refusal.retry_after
            )
        try:
            identity = identify_http_request(request)
            may_open_socket(identity)
        except BadCredential as error:
            raise ApiError(status.HTTP_401_UNAUTHORIZED, str(error)) from None
        if not _has_room(identity):
            full = no_room(identity)
            raise ApiError(status.HTTP_429_TOO_MANY_REQUESTS, full.message, retry_after=full.retry_after)
        raise ApiError(
            status.HTTP_426_UPGRADE_REQUIRED,
            "The credential is good: connect to this address as a WebSocket",
            code="UPGRADE_REQUIRED",
        )


def _has_room(identity: Identity) -> bool:
    """Return whether the customer may open one more connection.

    Another process may have refused it, so the rows of all processes count too.
    """
    customer_id, most = identity.customer_id, identity.quotas.connections
    if not most:
        return True
    listed = count_live([customer_id]).get(customer_id, 0)
    return listed < most and customer_connections.has_room(customer_id, most)
