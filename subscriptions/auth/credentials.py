"""Credentials: what is refused and why, and whose a refused credential is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from subscriptions.models import Agent, Customer
from subscriptions.protocol.permissions import Identity

KEY_KIND, AGENT_KIND, VOIPBIN_KIND = "key", "agent", "voipbin"
"""What a credential's id begins with: an access key, a token of ours for an agent, one that VoIPBIN issued."""


class BadCredential(Exception):
    """The credential is not accepted; the message tells its holder why, the rule and the holder tell the operator."""

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.holder: Identity | None = None


@contextmanager
def held_by(holder: Identity) -> Iterator[None]:
    """Let whoever refuses the credential know whose it is."""
    try:
        yield
    except BadCredential as error:
        error.holder = holder
        raise


def require_active(customer: Customer | None, agent: Agent | None) -> None:
    """Refuse whoever is switched off; nobody is none.

    Raises:
        BadCredential: the customer or the agent is.
    """
    if customer is not None and not customer.is_active:
        raise BadCredential("This customer is switched off", "inactive-customer")
    if agent is not None and not (agent.is_active and agent.user.is_active):
        raise BadCredential("This agent is switched off", "inactive-agent")
