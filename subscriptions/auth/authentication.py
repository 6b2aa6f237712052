"""Finding the credential in a request, for REST and for the WebSocket handshake alike, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from events.reading.parameters import CREDENTIAL_PARAMETERS
from subscriptions.auth.access_keys import identify_key
from subscriptions.auth.client_info import UNKNOWN, ClientInfo
from subscriptions.auth.credentials import BadCredential
from subscriptions.auth.tokens import identify_token
from subscriptions.models import KEY_MARK
from subscriptions.protocol.permissions import Identity

MAX_CREDENTIAL_LENGTH = 8192
"""Characters: what fits into a request line with some room."""


def credential_in(query: str, authorization: str) -> str:
    """The credential of a request with this query string and Authorization header; empty where there is none.

    Raises:
        BadCredential: the header is of another scheme, or the query gives more than one.
    """
    values = parse_qs(query, keep_blank_values=True)
    given = [value for name in CREDENTIAL_PARAMETERS for value in values.get(name, [])]
    if len(given) > 1:
        raise BadCredential("Send one credential: ?token= or ?accesskey=, once", "ambiguous-credential")
    if given:
        return given[0]
    scheme, _, credential = authorization.strip().partition(" ")
    if not scheme:
        return ""
    if scheme.lower() != "bearer":
        raise BadCredential(
            "Send the credential as Authorization: Bearer <JWT or access key>", "unknown-scheme"
        )
    return credential.strip()


def identify(credential: str, client_info: ClientInfo = UNKNOWN) -> Identity:
    """Find out who holds this credential, a JWT or an access key; `client_info` is noted as its last user.

    Raises:
        BadCredential: it is malformed, unknown, expired or revoked, or its agent or customer is inactive.
    """
    if not credential:
        raise BadCredential("Send a credential: ?token=<JWT or access key>", "no-credential")
    if len(credential) > MAX_CREDENTIAL_LENGTH or not credential.isascii():
        raise BadCredential("This is neither a JWT nor an access key", "malformed-credential")
    if credential.startswith(KEY_MARK):
        return identify_key(credential, client_info)
    if credential.count(".") == 2:
        return identify_token(credential)
    raise BadCredential("This is neither a JWT nor an access key", "malformed-credential")


def identify_request(query: str, headers: Mapping[str, str], client_info: ClientInfo = UNKNOWN) -> Identity:
    """Whose request this is.

    Raises:
        BadCredential: nobody's, with the reason.
    """
    return identify(credential_in(query, headers.get("authorization", "")), client_info)


def identify_http_request(request: Request) -> Identity:
    """Whose request this is.

    Raises:
        BadCredential: nobody's, with the reason.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    client_info = ClientInfo.of(request.META.get("REMOTE_ADDR") or "", headers)
    return identify_request(request.META.get("QUERY_STRING", ""), headers, client_info)


class CredentialAuthentication(BaseAuthentication):
    """REST authentication by the same credentials as the WebSocket; `request.user` is the Identity."""

    def authenticate(self, request: Request) -> tuple[Identity, None]:
        try:
            return identify_http_request(request), None
        except BadCredential as error:
            raise AuthenticationFailed(str(error)) from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="voipbin"'
