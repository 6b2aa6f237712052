"""What tokens and access keys share: the kinds of credentials, and the refusal of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypedDict
from uuid import UUID

from events.filters.expression import Group, canonical, parse_text
from subscriptions.models import Agent, Customer
from subscriptions.models.limits import limit_of
from subscriptions.protocol.manager_limit import Limit
from subscriptions.protocol.permissions import Identity

KEY_KIND, AGENT_KIND, VOIPBIN_KIND, MINTED_KIND = "key", "agent", "voipbin", "minted"
"""First part of a credential's id: an access key, a token of ours for an agent, one of VoIPBIN's, a minted one."""


def kind_and_id(credential_id: str) -> tuple[str, UUID]:
    """Return the kind of a credential, and the id of its row or token."""
    kind, _, pk = credential_id.partition(":")
    return kind, UUID(pk)


def key_behind(identity: Identity) -> UUID | None:
    """Return the id of the access key that is the credential, or that minted it."""
    kind, pk = kind_and_id(identity.grant.minter if identity.grant else identity.credential_id)
    return pk if kind == KEY_KIND else None


class BadCredential(Exception):
    """A credential is not accepted; the message is for the client.

    For the operator, `rule` names the reason. `holder` is the identity that the credential would prove if it were
    accepted, `None` if it cannot be trusted to name one.
    """

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.holder: Identity | None = None


@contextmanager
def held_by(holder: Identity) -> Iterator[None]:
    """Name the holder in every BadCredential that the block raises."""
    try:
        yield
    except BadCredential as error:
        error.holder = holder
        raise


class Limited(TypedDict):
    """The two fields of an identity."""

    filter: str | None
    limit: Limit | None


def limited(agent: Agent | None, own_filter: str = "") -> Limited:
    """Return the limit of a credential's agent, and the filter that joins both.

    `own_filter` is the credential's own, or "".
    """
    limit = None if agent is None else limit_of(agent)
    filters = [text for text in (limit and limit.filter, own_filter) if text]
    joined = canonical(Group("and", tuple(map(parse_text, filters)))) if len(filters) > 1 else None
    return Limited(filter=joined or (filters[0] if filters else None), limit=limit)


def require_active(customer: Customer | None, agent: Agent | None) -> None:
    """Check that the customer and the agent, as far as they are given, are active.

    Raises:
        BadCredential: The customer, the agent or the agent's user is switched off.
    """
    if customer is not None and not customer.is_active:
        raise BadCredential("This customer is switched off", "inactive-customer")
    if agent is not None and not (agent.is_active and agent.user.is_active):
        raise BadCredential("This agent is switched off", "inactive-agent")
