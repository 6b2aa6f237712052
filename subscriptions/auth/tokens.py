"""Tokens: issuing JWTs to agents, and verifying our own and those that VoIPBIN issued."""

# Long because our own tokens and those of VoIPBIN have one verification.

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import jwt
from django.conf import settings
from django.utils import timezone

from events.domain.event import parse_timestamp
from events.domain.topics import is_canonical_uuid
from subscriptions.auth.credentials import (
    AGENT_KIND,
    VOIPBIN_KIND,
    BadCredential,
    held_by,
    limited,
    require_active,
)
from subscriptions.auth.customer_quotas import quotas_of_customer, rates_of_token
from subscriptions.auth.ended_tokens import ended_among, id_of, is_ended
from subscriptions.models import Agent, Customer
from subscriptions.models.number_masks import masking_of
from subscriptions.protocol.permissions import Identity, Role

ALGORITHM = "HS256"

PERMISSION_BITS = ((0x01, Role.STAFF), (0x20, Role.ADMIN), (0x40, Role.MANAGER), (0x10, Role.AGENT))
"""VoIPBIN's permission bits and our roles, the most powerful first."""

LEEWAY_SECONDS = 5
"""Seconds by which the clock of the issuer may differ from this machine's (RFC 7519, 4.1.4 and 4.1.5)."""


def issue_token(agent: Agent, now: datetime | None = None) -> str:
    """Sign a JWT for the agent, valid for JWT_LIFETIME_SECONDS from `now` on."""
    now = now or timezone.now()
    claims = {
        "sub": str(agent.pk),
        "iat": now.timestamp(),
        "exp": int(now.timestamp()) + settings.JWT_LIFETIME_SECONDS,
        "jti": uuid.uuid4().hex,
    }
    return jwt.encode(claims, settings.JWT_KEYS[0], algorithm=ALGORITHM)


def identify_token(token: str, unverified: dict[str, Any]) -> Identity:
    """Return the identity of an agent's JWT, ours or VoIPBIN's.

    Raises:
        BadCredential: The token is expired or not signed by an accepted key, or its agent is not accepted.
    """
    if unverified.get("type") == "agent" and "agent" in unverified:
        return _identify_voipbin(verified_claims(token, settings.VOIPBIN_JWT_KEYS, required=[]), id_of(token))
    try:
        claims = verified_claims(token, settings.JWT_KEYS, required=["exp", "sub"])
    except BadCredential as error:
        # The signature of an expired token was good, so its claims are true.
        if error.rule == "expired-token" and (agent := _agent_named(unverified)) is not None:
            error.holder = identity_of_agent(agent)
        raise
    token_id = id_of(token)
    agent = _agent_named(claims, token_id)
    if agent is None:
        raise BadCredential("The agent of this token is not known", "unknown-agent")
    issued_at = _issued_at(claims)
    with held_by(identity_of_agent(agent)):
        if agent.is_token_ended:
            raise ended_token()
        expires_at = _seconds(claims, "exp") + LEEWAY_SECONDS
        return agent_identity(agent, expires_at=expires_at, issued_at=issued_at, token_id=token_id)


def _agent_named(claims: dict[str, Any], token_id: str = "") -> Any:
    """Return the agent of a token with `is_token_ended`, or `None`; one query finds both."""
    agent_id = claims.get("sub")
    if not isinstance(agent_id, str) or not is_canonical_uuid(agent_id):
        return None
    agents = Agent.objects.select_related("customer", "user").filter(pk=agent_id)
    return agents.annotate(is_token_ended=is_ended(token_id)).first()


def ended_token() -> BadCredential:
    """Return the refusal of a token whose holder signed out."""
    return BadCredential("This token was ended by signing out: log in again", "ended-token")


def verified_claims(token: str, keys: list[str], required: list[str]) -> dict[str, Any]:
    """Verify the signature with any of the keys, and return the claims.

    Raises:
        BadCredential: No key signed it, it has expired, or a required claim is missing.
    """
    for key in keys:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                leeway=LEEWAY_SECONDS,
                # The gateway has no name that an audience could be; the keys are its own and VoIPBIN's alone.
                options={"require": required, "verify_aud": False},
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError:
            raise BadCredential("This token has expired: log in again", "expired-token") from None
        except (jwt.PyJWTError, TypeError, ValueError, OverflowError):
            # The last three: the signature is good, but `iat` or `exp` is not a time.
            raise BadCredential("This token is not valid: log in again", "invalid-token") from None
    raise BadCredential("This token was not signed by a key that is accepted here", "unknown-signature")


def _issued_at(claims: dict[str, Any]) -> float:
    # A token without `iat` may be of any age.
    return _seconds(claims, "iat") if "iat" in claims else 0.0


def _seconds(claims: dict[str, Any], name: str) -> float:
    try:
        return float(claims[name])
    except (TypeError, ValueError, OverflowError):
        raise BadCredential("This token is not valid: log in again", "invalid-token") from None


def require_not_signed_out(agent: Agent, issued_at: float) -> None:
    """Check that a token was issued after the agent was last signed out everywhere.

    Raises:
        BadCredential: The token is older.
    """
    if agent.tokens_valid_from is not None and issued_at < agent.tokens_valid_from.timestamp():
        raise BadCredential("This token was revoked: log in again", "revoked-token")


def agent_identity(
    agent: Agent, *, expires_at: float | None, issued_at: float, token_id: str | None = None
) -> Identity:
    """Return the identity of a token of ours for this agent; times are in seconds since 1970.

    Raises:
        BadCredential: The agent or its customer is inactive, or was signed out after the token was issued.
    """
    require_active(agent.customer, agent)
    require_not_signed_out(agent, issued_at)
    return identity_of_agent(agent, expires_at=expires_at, issued_at=issued_at, token_id=token_id)


def identity_of_agent(
    agent: Agent,
    *,
    expires_at: float | None = None,
    issued_at: float | None = None,
    token_id: str | None = None,
) -> Identity:
    """Build the identity of a token of ours for this agent, without checking the agent."""
    role = Role(agent.role)
    return Identity(
        customer_id=str(agent.customer_id),
        agent_id=str(agent.pk),
        role=role,
        credential=f"token of {agent.user.get_username()}"[:60],
        credential_id=f"{AGENT_KIND}:{agent.pk}",
        may_subscribe=True,
        may_publish=role in (Role.ADMIN, Role.STAFF),
        may_control=role in (Role.ADMIN, Role.STAFF),
        granted_resources=frozenset(agent.granted_resources),
        expires_at=expires_at,
        issued_at=issued_at,
        token_id=token_id,
        quotas=quotas_of_customer(agent.customer),
        rates=rates_of_token(),
        **masking_of(agent.customer, role),
        **limited(agent),
    )


def _identify_voipbin(claims: dict[str, Any], token_id: str) -> Identity:
    """Return the identity of a token that VoIPBIN issued, whose signature is verified.

    Its claims are `type: "agent"`, `agent` with id, customer_id and permission, and `expire` instead of `exp`. They
    name the holder and its role; our own records decide only who is switched off and what was granted.
    """
    match claims["agent"]:
        case {"id": str(agent_id), "customer_id": str(customer_id), "permission": int(permission)} if (
            not isinstance(permission, bool)
            and permission >= 0
            and is_canonical_uuid(agent_id)
            and is_canonical_uuid(customer_id)
        ):
            pass
        case _:
            raise BadCredential("This VoIPBIN token lacks what it should say of its agent", "invalid-token")
    expires_at = _voipbin_expiry(claims) + LEEWAY_SECONDS
    if expires_at <= timezone.now().timestamp():
        raise BadCredential("This token has expired: log in again", "expired-token")
    role = _role_of(permission)
    customer = Customer.objects.filter(pk=customer_id).first()
    agent = Agent.objects.select_related("customer", "user").filter(pk=agent_id).first()
    if agent is not None and str(agent.customer_id) != customer_id:
        raise BadCredential("The agent of this token is another customer's here", "foreign-agent")
    require_active(customer, agent)
    if ended_among([token_id]):
        raise ended_token()
    issued_at = _issued_at(claims)
    if agent is not None:
        require_not_signed_out(agent, issued_at)
    return Identity(
        customer_id=customer_id,
        agent_id=agent_id,
        role=role,
        credential=f"VoIPBIN token of {agent_id[:8]}",
        credential_id=f"{VOIPBIN_KIND}:{agent_id}",
        may_subscribe=True,
        may_publish=role in (Role.ADMIN, Role.STAFF),
        may_control=role in (Role.ADMIN, Role.STAFF),
        granted_resources=frozenset(agent.granted_resources) if agent else frozenset(),
        expires_at=expires_at,
        issued_at=issued_at,
        token_id=token_id,
        quotas=quotas_of_customer(customer),
        rates=rates_of_token(),
        **masking_of(customer, role),
        **limited(agent),
    )


def _role_of(permission: int) -> Role:
    """Return the most powerful role of these permission bits that VOIPBIN_TOKEN_ROLES accepts.

    Raises:
        BadCredential: There is none.
    """
    roles = [role for bit, role in PERMISSION_BITS if permission & bit]
    if not roles:
        raise BadCredential("This agent has no permission on the platform", "no-permission")
    accepted = [role for role in roles if role.value in settings.VOIPBIN_TOKEN_ROLES]
    if not accepted:
        raise BadCredential(
            f"VoIPBIN's tokens cannot grant the role {roles[0].value} here: see VOIPBIN_TOKEN_ROLES",
            "role-not-accepted",
        )
    return accepted[0]


def _voipbin_expiry(claims: dict[str, Any]) -> float:
    expire = claims.get("expire")
    try:
        if isinstance(expire, str):
            return parse_timestamp(expire).timestamp()
        return datetime.fromtimestamp(float(claims["exp"]), UTC).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise BadCredential("This VoIPBIN token does not say when it expires", "invalid-token") from None
