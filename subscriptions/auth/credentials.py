"""What tokens and access keys share: the kinds of credentials, and the refusal of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from subscriptions.models import Agent, Customer
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


def require_active(customer: Customer | None, agent: Agent | None) -> None:
    """Check that the customer and the agent, as far as they are given, are active.

    Raises:
        BadCredential: The customer, the agent or the agent's user is switched off.
    """
    if customer is not None and not customer.is_active:
        raise BadCredential("This customer is switched off", "inactive-customer")
    if agent is not None and not (agent.is_active and agent.user.is_active):
        raise BadCredential("This agent is switched off", "inactive-agent")
