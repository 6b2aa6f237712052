"""Minted tokens: short-lived JWTs that a credential makes for web pages of its own.

A token has at most the rights that its minter has at the moment of each request, so that it ends with the minter.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import NamedTuple

import jwt
from django.conf import settings
from django.utils import timezone

from subscriptions.auth.access_keys import key_identity
from subscriptions.auth.credentials import (
    AGENT_KIND,
    KEY_KIND,
    MINTED_KIND,
    BadCredential,
    held_by,
    kind_and_id,
    limited,
    require_active,
)
from subscriptions.auth.customer_quotas import quotas_of_customer, rates_of_token
from subscriptions.auth.ended_tokens import ended_among, id_of
from subscriptions.auth.tokens import (
    ALGORITHM,
    LEEWAY_SECONDS,
    agent_identity,
    ended_token,
    verified_claims,
)
from subscriptions.models import AccessKey, Agent, Customer
from subscriptions.protocol.granting import beyond
from subscriptions.protocol.permissions import Grant, Identity

MAX_LENGTH = 4096
"""Characters of a token: with `?token=` it has to fit into a request line."""

MINTERS = (KEY_KIND, AGENT_KIND)
"""Kinds of credentials that can mint: what a token of VoIPBIN grants is stored nowhere, and cannot be checked later."""


CLAIMS = ["by", "customer_id", "allowed_topics", "filter", "may_publish", "iat", "exp", "jti"]


class Minted(NamedTuple):
    """A new token, the id in its credential's name, and its expiry (seconds since 1970)."""

    token: str
    jti: str
    expires_at: int


def mint(grant: Grant, customer_id: str, agent_id: str | None, lifetime_seconds: int) -> Minted:
    """Sign a token of the customer, or of its agent."""
    now = timezone.now().timestamp()
    expires_at = int(now) + lifetime_seconds
    jti = str(uuid.uuid4())
    claims = {
        "type": MINTED_KIND,
        "by": grant.minter,
        "customer_id": customer_id,
        "sub": agent_id,
        "allowed_topics": grant.allowed_topics,
        "filter": grant.filter,
        "may_publish": grant.may_publish,
        "masks_numbers": grant.masks_numbers or None,
        "iat": now,
        "exp": expires_at,
        "jti": jti,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return Minted(jwt.encode(claims, settings.JWT_KEYS[0], algorithm=ALGORITHM), jti, expires_at)


def identify_minted(token: str) -> Identity:
    """Return the identity of a minted token.

    Raises:
        BadCredential: The token has expired or was ended, is not signed by an accepted key, or its minter, agent or
            customer is not accepted, or may not grant this any more.
    """
    claims = verified_claims(token, settings.JWT_KEYS, required=CLAIMS)
    token_id = id_of(token)
    if ended_among([token_id]):
        raise ended_token()
    grant = Grant(
        claims["by"],
        tuple(claims["allowed_topics"]),
        claims["filter"],
        claims["may_publish"],
        claims.get("masks_numbers", False),
    )
    kind, minter_id = kind_and_id(grant.minter)
    agents = Agent.objects.select_related("customer", "user")
    minter: AccessKey | Agent | None
    if kind == KEY_KIND:
        keys = AccessKey.objects.select_related("customer", "agent__user", "agent__customer")
        minter = keys.filter(pk=minter_id).first()
    else:
        minter = agents.filter(pk=minter_id).first()
    issued = Identity(
        customer_id=claims["customer_id"],
        agent_id=claims.get("sub"),
        role=None,
        credential=_name(claims["jti"]),
        credential_id=f"{MINTED_KIND}:{claims['jti']}",
        may_subscribe=True,
        may_publish=False,
        issued_at=float(claims["iat"]),
        expires_at=float(claims["exp"]) + LEEWAY_SECONDS,
        token_id=token_id,
        grant=grant,
    )
    agent = agents.filter(pk=issued.agent_id).first() if issued.agent_id else None
    customer = Customer.objects.filter(pk=issued.customer_id).first()
    with held_by(issued):
        return minted_identity(issued, grant, minter, agent, customer)


def _name(jti: str) -> str:
    return f"token {jti[:8]}"


def minted_identity(
    issued: Identity,
    grant: Grant,
    minter: AccessKey | Agent | None,
    agent: Agent | None,
    customer: Customer | None,
) -> Identity:
    """Return the present identity of a minted token.

    `issued` has its id, customer, agent and times; `minter`, `agent` and `customer` are the present rows.

    Raises:
        BadCredential: As for `identify_minted`.
    """
    granter = _granter(issued, minter)
    masks_numbers = grant.masks_numbers or granter.masks_numbers
    if (
        not granter.may_control
        or not (granter.is_platform_staff or granter.customer_id == issued.customer_id)
        or any(beyond(granter, replace(grant, masks_numbers=masks_numbers)))
    ):
        raise BadCredential(
            "The credential that made this token may not grant this any more: get a new token",
            "minter-limited",
        )
    if customer is None:
        raise BadCredential("The customer of this token was deleted", "unknown-customer")
    require_active(customer, None)
    now = replace(issued, role=None, granted_resources=frozenset(), masks_numbers=False, may_reveal=False)
    if issued.agent_id is not None:
        if agent is None or str(agent.customer_id) != issued.customer_id:
            raise BadCredential("The agent of this token is not known", "unknown-agent")
        now = agent_identity(agent, expires_at=issued.expires_at, issued_at=issued.issued_at or 0.0)
    return replace(
        now,
        credential=f"{_name(issued.credential_id.partition(':')[2])} by {granter.credential}"[:60],
        credential_id=issued.credential_id,
        token_id=issued.token_id,
        may_subscribe=True,
        may_publish=grant.may_publish,
        may_control=False,
        allowed_topics=frozenset(grant.allowed_topics) or None,
        **limited(agent, grant.filter),
        quotas=quotas_of_customer(customer),
        rates=rates_of_token(),
        grant=grant,
        masks_numbers=masks_numbers or now.masks_numbers,
        may_reveal=now.may_reveal and not masks_numbers,
    )


def _granter(issued: Identity, minter: AccessKey | Agent | None) -> Identity:
    if minter is None:
        raise BadCredential(
            "The credential that made this token was deleted: get a new token", "unknown-minter"
        )
    if isinstance(minter, Agent):
        return agent_identity(minter, expires_at=None, issued_at=issued.issued_at or 0.0)
    if minter.is_expired(timezone.now()):
        raise BadCredential("The access key that made this token has expired: get a new token", "expired-key")
    return key_identity(minter)
