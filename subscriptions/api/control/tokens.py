"""`POST /v1.0/control/tokens`: short-lived tokens for browsers."""

from __future__ import annotations

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.operation import operation
from subscriptions.api.control import examples
from subscriptions.api.control.requests import NO_STORE, content_of, controlling
from subscriptions.api.control.views import TAG, WRITE_ERRORS
from subscriptions.control.tokens import ManagedToken, mint_token


class TokensView(APIView):
    """Mint a token.

    It is a JWT for a program that must not have your credential, such as a browser. It has at most the rights of the
    credential that mints it, and ends with it.
    """

    @operation(
        "createControlToken",
        TAG,
        {201: ("The token.", ManagedToken)},
        body=ManagedToken,
        examples={"complete": examples.BODIES["Token"]},
        errors=WRITE_ERRORS,
    )
    def post(self, request: Request) -> Response:
        with controlling(request) as controller:
            token = mint_token(controller, content_of(request))
        return Response(token, status=status.HTTP_201_CREATED, headers=NO_STORE)
