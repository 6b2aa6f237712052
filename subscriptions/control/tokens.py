"""Minting of short-lived tokens, which a backend gives to browsers of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rest_framework.serializers import (
    BooleanField,
    CharField,
    DateTimeField,
    IntegerField,
    Serializer,
    UUIDField,
)

from events.domain.event import format_timestamp
from events.domain.strict_json import decode
from subscriptions.auth.credentials import kind_and_id
from subscriptions.auth.minted_tokens import MAX_LENGTH, MINTERS, mint
from subscriptions.control.access_keys import filter_limit, topic_limits
from subscriptions.control.controller import Controller, FieldProblem, NotPermitted, Refused
from subscriptions.control.resource import checked
from subscriptions.control.rights import agent_of, require_within, set_canonical_limits
from subscriptions.control.tenants import owner
from subscriptions.models import AuditAction
from subscriptions.protocol.permissions import Grant

DEFAULT_LIFETIME_SECONDS, MAX_LIFETIME_SECONDS = 600, 3600


class ManagedToken(Serializer[Any]):
    customer_id = owner()
    agent_id = UUIDField(
        allow_null=True,
        default=None,
        help_text="With an agent, the token receives what that agent receives; `null`: everything of the customer.",
    )
    allowed_topics = topic_limits()
    filter = filter_limit()
    may_publish = BooleanField(default=False)
    masks_numbers = BooleanField(
        default=False, help_text="Whether it sees masked telephone numbers. Always so if yours are masked."
    )
    lifetime_seconds = IntegerField(
        min_value=1, max_value=MAX_LIFETIME_SECONDS, default=DEFAULT_LIFETIME_SECONDS, write_only=True
    )
    token = CharField(read_only=True, help_text="The token itself: only in this answer.")
    expires_at = DateTimeField(read_only=True)


def mint_token(controller: Controller, content: Mapping[str, Any]) -> dict[str, Any]:
    """Mint a token within the rights of the credential, record it, and return it for JSON.

    Raises:
        NotPermitted: This kind of credential cannot mint.
        Refused: A value is refused.
    """
    granter = controller.identity
    if granter is None or kind_and_id(granter.credential_id)[0] not in MINTERS:
        raise NotPermitted("Tokens are made with an access key, or with a token from POST /auth/login")
    values = checked(ManagedToken, content)
    customer = controller.customer(values)
    agent = None if values["agent_id"] is None else agent_of(controller, customer, values["agent_id"])
    set_canonical_limits(values)
    grant = Grant(
        minter=granter.credential_id,
        allowed_topics=tuple(values["allowed_topics"]),
        filter=values["filter"],
        may_publish=values["may_publish"],
        masks_numbers=values["masks_numbers"] or granter.masks_numbers,
    )
    if agent is None and not grant.allowed_topics:
        raise Refused(FieldProblem("allowed_topics", "name the topics that the token may use, or an agent"))
    require_within(controller, grant)
    agent_id = None if agent is None else str(agent.pk)
    minted = mint(grant, str(customer.pk), agent_id, values["lifetime_seconds"])
    if len(minted.token) > MAX_LENGTH:
        problem = (
            f"with these the token has {len(minted.token)} characters of at most {MAX_LENGTH}: use wildcards"
        )
        raise Refused(FieldProblem("allowed_topics", problem))
    shown = {
        "customer_id": str(customer.pk),
        "agent_id": agent_id,
        "allowed_topics": list(grant.allowed_topics),
        "filter": decode(grant.filter) if grant.filter else None,
        "may_publish": grant.may_publish,
        "masks_numbers": grant.masks_numbers,
        "expires_at": format_timestamp(datetime.fromtimestamp(minted.expires_at, UTC)),
    }
    with controller.change():
        changes = {name: (None, value) for name, value in shown.items()}
        name = f"Token {minted.jti[:8]}, valid for {values['lifetime_seconds']} seconds."
        controller.record(AuditAction.ADD, f"token:{minted.jti}", customer.pk, name, changes)
    return {**shown, "token": minted.token}
