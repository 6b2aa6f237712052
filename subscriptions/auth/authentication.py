"""Authentication of REST requests and WebSocket handshakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qs

import jwt
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from events.reading.parameters import CREDENTIAL_PARAMETERS
from subscriptions.auth.access_keys import identify_key
from subscriptions.auth.client_info import UNKNOWN, ClientInfo
from subscriptions.auth.credentials import MINTED_KIND, BadCredential
from subscriptions.auth.minted_tokens import identify_minted
from subscriptions.auth.tokens import identify_token
from subscriptions.models import KEY_MARK
from subscriptions.protocol.permissions import Identity

MAX_CREDENTIAL_LENGTH = 8192
"""Characters: what fits into a request line, with a reserve."""


def credential_in(query: str, authorization: str) -> str:
    """Find the credential in a query string or an Authorization header, or return "".

    Raises:
        BadCredential: The header has another scheme than Bearer, or there are several credentials.
    """
    values = parse_qs(query)
    given = [value.strip() for name in CREDENTIAL_PARAMETERS for value in values.get(name, [])]
    given = [value for value in given if value]
    scheme, _, credential = authorization.strip().partition(" ")
    # With a credential in the query, a header of another scheme is that of a proxy, which browsers add.
    if len(given) + (scheme.lower() == "bearer") > 1:
        raise BadCredential(
            "Send one credential: ?token=, ?accesskey= or Authorization, once", "ambiguous-credential"
        )
    if given or not scheme:
        return given[0] if given else ""
    if scheme.lower() != "bearer":
        raise BadCredential(
            "Send the credential as Authorization: Bearer <JWT or access key>", "unknown-scheme"
        )
    return credential.strip()


def identify(credential: str, client_info: ClientInfo = UNKNOWN) -> Identity:
    """Return the identity that a JWT or an access key proves.

    `client_info` is recorded as the last user of an access key.

    Raises:
        BadCredential: The credential is missing, malformed, unknown, expired or revoked, or its agent or customer is
            inactive.
    """
    if not credential:
        raise BadCredential(
            "Send a credential: Authorization: Bearer <JWT or access key>, or ?token=", "no-credential"
        )
    if len(credential) > MAX_CREDENTIAL_LENGTH or not credential.isascii():
        raise BadCredential("This is neither a JWT nor an access key", "malformed-credential")
    if credential.startswith(KEY_MARK):
        return identify_key(credential, client_info)
    if credential.count(".") == 2:
        claims = _unverified_claims(credential)
        if claims.get("type") == MINTED_KIND:
            return identify_minted(credential)
        return identify_token(credential, claims)
    raise BadCredential("This is neither a JWT nor an access key", "malformed-credential")


def _unverified_claims(token: str) -> dict[str, Any]:
    """Return the claims of a JWT without checking its signature.

    Raises:
        BadCredential: It is no JWT.
    """
    try:
        return dict(jwt.decode(token, options={"verify_signature": False}))
    except jwt.PyJWTError:
        raise BadCredential("This is not a JWT", "malformed-credential") from None


def identify_request(query: str, headers: Mapping[str, str], client_info: ClientInfo = UNKNOWN) -> Identity:
    """Return the identity of a request with this query string and headers.

    The names of the headers are in lower case.

    Raises:
        BadCredential: The credential is missing or not accepted.
    """
    return identify(credential_in(query, headers.get("authorization", "")), client_info)


def identify_http_request(request: Request) -> Identity:
    """Return the identity of a REST request.

    Raises:
        BadCredential: The credential is missing or not accepted.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    client_info = ClientInfo.of(request.META.get("REMOTE_ADDR") or "", headers)
    return identify_request(request.META.get("QUERY_STRING", ""), headers, client_info)


class IsPermitted(BasePermission):
    """REST permission: any credential; a wallboard's where the view has `is_for_displays`."""

    message = (
        "The key of a wallboard reads GET /v1.0/summary, GET /v1.0/display and the topics of its summaries, and "
        "nothing else: use another credential"
    )

    def has_permission(self, request: Request, view: Any) -> bool:
        identity = request.user
        if identity is None:
            return False
        return not cast(Identity, identity).is_display or getattr(view, "is_for_displays", False)


class CredentialAuthentication(BaseAuthentication):
    """REST authentication as for the WebSocket; `request.user` is the Identity."""

    def authenticate(self, request: Request) -> tuple[Identity, None]:
        try:
            return identify_http_request(request), None
        except BadCredential as error:
            raise AuthenticationFailed(str(error)) from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="voipbin"'
