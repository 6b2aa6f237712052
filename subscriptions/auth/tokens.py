"""Credentials: issuing and verifying JWTs (ours and VoIPBIN's) and verifying access keys."""

# Long because every way in which a credential is refused stands in one place, to be read by whoever reviews it.

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from events.database.direct_sql import find_rows
from events.domain.event import parse_timestamp
from events.domain.topics import is_canonical_uuid
from subscriptions.auth.client_info import UNKNOWN, ClientInfo
from subscriptions.models import KEY_MARK, AccessKey, Agent, Customer, digest_of
from subscriptions.protocol.permissions import Identity, Role

ALGORITHM = "HS256"
MAX_CREDENTIAL_LENGTH = 8192
"""Characters: what fits into a request line with some room."""

USED_RESOLUTION = dt.timedelta(minutes=1)
"""A key's last use is written at most this often, so that a busy key costs no write a request."""

KEY_KIND, AGENT_KIND, VOIPBIN_KIND = "key", "agent", "voipbin"
"""What a credential's id begins with: an access key, a token of ours for an agent, one that VoIPBIN issued."""

PERMISSION_BITS = ((0x01, Role.STAFF), (0x20, Role.ADMIN), (0x40, Role.MANAGER), (0x10, Role.AGENT))
"""VoIPBIN's permission bits, the farthest-reaching first."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a credential certainly is that is not accepted; the fields are named as an identity's."""

    customer_id: str
    agent_id: str | None
    credential: str
    credential_id: str


class BadCredential(Exception):
    """The credential is not accepted; the message tells its holder why, the rule and the holder tell the operator."""

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.holder: Holder | None = None


def issue_token(agent: Agent, now: datetime | None = None) -> str:
    """A JWT with which the agent may connect, for as long as the setting JWT_LIFETIME_SECONDS says."""
    now = now or timezone.now()
    claims = {
        "sub": str(agent.pk),
        "iat": now.timestamp(),
        "exp": int(now.timestamp()) + settings.JWT_LIFETIME_SECONDS,
        "jti": uuid.uuid4().hex,
    }
    return jwt.encode(claims, settings.JWT_KEYS[0], algorithm=ALGORITHM)


def identify(credential: str, caller: ClientInfo = UNKNOWN) -> Identity:
    """Find out who holds this credential, a JWT or an access key; `caller` is noted as its last user.

    Raises:
        BadCredential: it is malformed, unknown, expired or revoked, or its agent or customer is inactive.
    """
    if not credential:
        raise BadCredential("Send a credential: ?token=<JWT or access key>", "no-credential")
    if len(credential) > MAX_CREDENTIAL_LENGTH or not credential.isascii():
        raise BadCredential("This is neither a JWT nor an access key", "malformed-credential")
    if credential.startswith(KEY_MARK):
        return _identify_key(credential, caller)
    if credential.count(".") == 2:
        return _identify_token(credential)
    raise BadCredential("This is neither a JWT nor an access key", "malformed-credential")


def _identify_key(secret: str, caller: ClientInfo) -> Identity:
    # Every request begins with these two.
    found = find_rows(AccessKey, {"digest": [digest_of(secret)]})
    if not found:
        raise BadCredential("This access key is not known", "unknown-key")
    key = found[0]
    key.customer = find_rows(Customer, {"id": [key.customer_id]})[0]
    if key.agent_id:
        key.agent = Agent.objects.select_related("user", "customer").get(pk=key.agent_id)
    now = timezone.now()
    agent_id = str(key.agent_id) if key.agent_id else None
    with _held_by(Holder(str(key.customer_id), agent_id, _name_of(key), f"{KEY_KIND}:{key.pk}")):
        identity = key_identity(key)
        if key.is_expired(now):
            raise BadCredential("This access key has expired", "expired-key")
    _note_use(key, now, caller)
    return identity


@contextmanager
def _held_by(holder: Holder | None) -> Iterator[None]:
    """Let whoever refuses the credential know whose it is."""
    try:
        yield
    except BadCredential as error:
        error.holder = holder
        raise


def _name_of(key: AccessKey) -> str:
    return f"key {key.prefix}"


def key_identity(key: AccessKey) -> Identity:
    """Whose this key is, whenever it ends.

    Raises:
        BadCredential: it was revoked, or its agent or customer is inactive.
    """
    if key.revoked_at is not None:
        raise BadCredential("This access key was revoked", "revoked-key")
    if key.agent is not None and key.agent.customer_id != key.customer_id:
        raise BadCredential("The agent of this access key has left its customer", "foreign-agent")
    require_active(key.customer, key.agent)
    return Identity(
        customer_id=str(key.customer_id),
        agent_id=str(key.agent_id) if key.agent_id else None,
        role=Role(key.agent.role) if key.agent else None,
        credential=_name_of(key),
        credential_id=f"{KEY_KIND}:{key.pk}",
        may_subscribe=key.may_subscribe,
        may_publish=key.may_publish,
        granted_resources=frozenset(key.agent.granted_resources) if key.agent else frozenset(),
        allowed_topics=frozenset(key.allowed_topics) if key.allowed_topics else None,
        expires_at=key.expires_at.timestamp() if key.expires_at else None,
    )


def _note_use(key: AccessKey, now: datetime, caller: ClientInfo) -> None:
    # Asked here first: on SQLite even an update that changes nothing waits for the one who writes.
    if key.last_used_at is None or key.last_used_at < now - USED_RESOLUTION:
        AccessKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lt=now - USED_RESOLUTION), pk=key.pk
        ).update(last_used_at=now, last_used_address=caller.address, last_used_client=caller.client)


def _identify_token(token: str) -> Identity:
    try:
        unverified = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise BadCredential("This is not a JWT", "malformed-credential") from None
    if unverified.get("type") == "agent" and "agent" in unverified:
        return _identify_voipbin(_verified(token, settings.VOIPBIN_JWT_KEYS, required=[]))
    try:
        claims = _verified(token, settings.JWT_KEYS, required=["exp", "sub"])
    except BadCredential as error:
        if error.rule == "expired-token":
            # Its signature was good, so it says the truth about whose it was.
            error.holder = _holder_of(_agent_named(unverified))
        raise
    return _identify_own(claims)


def _agent_named(claims: dict[str, Any]) -> Agent | None:
    named = claims.get("sub")
    if not isinstance(named, str) or not is_canonical_uuid(named):
        return None
    return Agent.objects.select_related("customer", "user").filter(pk=named).first()


def _holder_of(agent: Agent | None) -> Holder | None:
    if agent is None:
        return None
    return Holder(str(agent.customer_id), str(agent.pk), _name_of_token(agent), f"{AGENT_KIND}:{agent.pk}")


def _name_of_token(agent: Agent) -> str:
    return f"token of {agent.user.get_username()}"[:60]


def _verified(token: str, keys: list[str], required: list[str]) -> dict[str, Any]:
    """The token's claims, verified with whichever of the keys signed it."""
    for key in keys:
        try:
            return jwt.decode(token, key, algorithms=[ALGORITHM], options={"require": required})
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError:
            raise BadCredential("This token has expired: log in again", "expired-token") from None
        except (jwt.PyJWTError, TypeError, ValueError, OverflowError):
            # The last three: it is signed, but `iat` or `exp` is no time.
            raise BadCredential("This token is not valid: log in again", "invalid-token") from None
    raise BadCredential("This token was not signed by a key that is accepted here", "unknown-signature")


def _identify_own(claims: dict[str, Any]) -> Identity:
    agent = _agent_named(claims)
    if agent is None:
        raise BadCredential("The agent of this token is not known", "unknown-agent")
    issued_at = _issued_at(claims)
    with _held_by(_holder_of(agent)):
        return agent_identity(agent, expires_at=_seconds(claims, "exp"), issued_at=issued_at)


def require_not_signed_out(agent: Agent, issued_at: float) -> None:
    """Refuse a token from before its agent was signed out everywhere.

    Raises:
        BadCredential: it is.
    """
    if agent.tokens_valid_from is not None and issued_at < agent.tokens_valid_from.timestamp():
        raise BadCredential("This token was revoked: log in again", "revoked-token")


def _issued_at(claims: dict[str, Any]) -> float:
    # A token that does not say when it was issued may be as old as any.
    return _seconds(claims, "iat") if "iat" in claims else 0.0


def _seconds(claims: dict[str, Any], name: str) -> float:
    try:
        return float(claims[name])
    except (TypeError, ValueError, OverflowError):
        raise BadCredential("This token is not valid: log in again", "invalid-token") from None


def agent_identity(agent: Agent, *, expires_at: float | None, issued_at: float) -> Identity:
    """The agent as the holder of a token of ours.

    Raises:
        BadCredential: the agent or its customer is inactive, or was signed out after the token was issued.
    """
    require_active(agent.customer, agent)
    require_not_signed_out(agent, issued_at)
    role = Role(agent.role)
    return Identity(
        customer_id=str(agent.customer_id),
        agent_id=str(agent.pk),
        role=role,
        credential=_name_of_token(agent),
        credential_id=f"{AGENT_KIND}:{agent.pk}",
        may_subscribe=True,
        may_publish=role in (Role.ADMIN, Role.STAFF),
        granted_resources=frozenset(agent.granted_resources),
        expires_at=expires_at,
        issued_at=issued_at,
    )


def _identify_voipbin(claims: dict[str, Any]) -> Identity:
    """The holder of a token that VoIPBIN issued: its claims say who, our own records who is switched off.

    The claims are `type: "agent"`, `agent` with id, customer_id and permission, and `expire` instead of `exp`.
    """
    bad = BadCredential("This VoIPBIN token lacks what it should say of its agent", "invalid-token")
    claimed = claims.get("agent")
    if not isinstance(claimed, dict):
        raise bad
    agent_id, customer_id, permission = (
        claimed.get("id"),
        claimed.get("customer_id"),
        claimed.get("permission"),
    )
    if not isinstance(agent_id, str) or not isinstance(customer_id, str):
        raise bad
    if not isinstance(permission, int) or isinstance(permission, bool) or permission < 0:
        raise bad
    if not is_canonical_uuid(agent_id) or not is_canonical_uuid(customer_id):
        raise bad
    expires_at = _voipbin_expiry(claims)
    if expires_at <= timezone.now().timestamp():
        raise BadCredential("This token has expired: log in again", "expired-token")
    role = next((role for bit, role in PERMISSION_BITS if permission & bit), None)
    if role is None:
        raise BadCredential("This agent has no permission on the platform", "no-permission")
    customer = Customer.objects.filter(pk=customer_id).first()
    agent = Agent.objects.select_related("customer", "user").filter(pk=agent_id).first()
    if agent is not None and str(agent.customer_id) != customer_id:
        raise BadCredential("The agent of this token is another customer's here", "foreign-agent")
    require_active(customer, agent)
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
        granted_resources=frozenset(agent.granted_resources) if agent else frozenset(),
        expires_at=expires_at,
        issued_at=issued_at,
    )


def _voipbin_expiry(claims: dict[str, Any]) -> float:
    expire = claims.get("expire")
    try:
        if isinstance(expire, str):
            return parse_timestamp(expire).timestamp()
        return datetime.fromtimestamp(float(claims["exp"]), UTC).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise BadCredential("This VoIPBIN token does not say when it expires", "invalid-token") from None


def require_active(customer: Customer | None, agent: Agent | None) -> None:
    """Refuse whoever is switched off; nobody is none.

    Raises:
        BadCredential: the customer or the agent is.
    """
    if customer is not None and not customer.is_active:
        raise BadCredential("This customer is switched off", "inactive-customer")
    if agent is not None and not (agent.is_active and agent.user.is_active):
        raise BadCredential("This agent is switched off", "inactive-agent")
