"""The identity behind a credential, and the verdict on each topic with the rule behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from events.domain.topics import (
    AGENT_SCOPE,
    ANY,
    SUMMARY_OF_ALL,
    SUMMARY_RESOURCE,
    Pattern,
    covering_patterns,
)
from events.masks.number_mask import mask_id
from events.quotas.limits import UNLIMITED, UNLIMITED_RATES, Quotas, Rates
from subscriptions.protocol.manager_limit import BEYOND_LIMIT, Limit

MOST_NAMED = 5
"""Allowed topics that a refusal lists."""


NUMBERS_MASKED = "Telephone numbers are masked for you, so that nothing is found by one: use an id or a name"
"""The refusal of what would tell a masked reader whether a guessed number is right."""


class Role(StrEnum):
    """The role of an agent on the platform."""

    AGENT = "agent"
    MANAGER = "manager"
    ADMIN = "admin"
    STAFF = "staff"


class Rule(StrEnum):
    """The rules that grant or refuse a topic, by the names in the audit log."""

    PLATFORM_STAFF = "platform-staff"
    CUSTOMER_MANAGER = "customer-manager"
    CUSTOMER_KEY = "customer-key"
    GRANTED_RESOURCE = "granted-resource"
    OWN_AGENT = "own-agent"
    FOREIGN_CUSTOMER = "foreign-customer"
    FOREIGN_AGENT = "foreign-agent"
    RESOURCE_NOT_GRANTED = "resource-not-granted"
    TOPIC_NOT_ALLOWED = "topic-not-allowed"
    SUMMARY_CHANGED = "summary-changed"
    NUMBERS_MASKED = "numbers-masked"
    BEYOND_LIMIT = "beyond-limit"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a minted token was given: at most what the credential has that minted it.

    `minter` is that credential's id. `allowed_topics` and `filter` limit the token as they limit an access key; empty
    for no limit.
    """

    minter: str
    allowed_topics: tuple[str, ...] = ()
    filter: str = ""
    may_publish: bool = False
    masks_numbers: bool = False
    may_subscribe: ClassVar[bool] = True
    may_control: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Identity:
    """The customer, agent and permissions that a credential proved.

    `role` is `None` for an access key that belongs to no agent. `credential` names the credential for people, a key by
    its prefix and never by its secret; `credential_id` is unique. `allowed_topics` are the patterns in canonical form
    to which an access key is limited, `None` if it is not. `expires_at` and `issued_at` are in seconds since 1970;
    they are `None` if the credential never expires or does not contain its time of issue. `token_id` is unique to a
    token, `None` for an access key. `quotas` are those of the customer, `rates` those of the credential alone.
    `filter` is an access key's in canonical form: what it does not match is not read. `may_control` permits the control
    API. `grant` is that of a minted token, else `None`. With `masks_numbers` telephone numbers are masked in all that
    it reads, and no request may find something by one; `may_reveal` permits to see those of one call or message.
    `limit` is that of a manager who sees a part of its customer, else `None`. With `is_display` the credential is that
    of a wallboard: it reads the summaries of `allowed_topics`, and nothing else.
    """

    customer_id: str
    agent_id: str | None
    role: Role | None
    credential: str
    credential_id: str
    may_subscribe: bool
    may_publish: bool
    granted_resources: frozenset[str] = frozenset()
    allowed_topics: frozenset[str] | None = None
    expires_at: float | None = None
    issued_at: float | None = None
    token_id: str | None = None
    quotas: Quotas = UNLIMITED
    rates: Rates = UNLIMITED_RATES
    filter: str | None = None
    may_control: bool = False
    grant: Grant | None = None
    masks_numbers: bool = False
    may_reveal: bool = False
    limit: Limit | None = None
    is_display: bool = False

    @property
    def is_authenticated(self) -> bool:
        """True, for REST framework: only valid credentials have an identity."""
        return True

    @property
    def summary_queues(self) -> frozenset[str] | None:
        """The queues whose summaries are visible; `None` if no limit says so."""
        return None if self.limit is None or self.filter != self.limit.filter else self.limit.queues

    @property
    def is_platform_staff(self) -> bool:
        return self.role is Role.STAFF


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a topic is granted, by which rule, and what a refused client is sent."""

    granted: bool
    rule: Rule
    message: str = ""


BEYOND = Verdict(False, Rule.BEYOND_LIMIT, BEYOND_LIMIT)


def may_subscribe(identity: Identity, pattern: Pattern) -> Verdict:
    """Decide on one topic.

    The refusals are the same whether the customer or agent exists or not, so that clients cannot probe for them.
    """
    if identity.masks_numbers and mask_id(pattern.resource_id) != pattern.resource_id:
        return Verdict(False, Rule.NUMBERS_MASKED, NUMBERS_MASKED)
    if identity.limit is not None and identity.limit.is_beyond(pattern):
        return BEYOND
    if pattern.resource_id != ANY and summary_access(identity, pattern) is not SummaryAccess.NONE:
        return may_hold(identity, _queue_of(pattern))
    verdict = may_hold(identity, pattern)
    if not verdict.granted or identity.allowed_topics is None:
        return verdict
    # A pattern must be covered by a single allowed one: several that cover its parts are not enough.
    if identity.allowed_topics.isdisjoint(covering_patterns(str(pattern))):
        return Verdict(False, Rule.TOPIC_NOT_ALLOWED, _not_allowed(identity.allowed_topics))
    return verdict


def may_hold(identity: Identity, pattern: Pattern) -> Verdict:
    """Decide on one topic, whatever topics the access key is limited to."""
    if identity.is_platform_staff:
        return Verdict(True, Rule.PLATFORM_STAFF)
    if pattern.scope == AGENT_SCOPE:
        if identity.agent_id is not None and pattern.scope_id == identity.agent_id:
            return Verdict(True, Rule.OWN_AGENT)
        return Verdict(False, Rule.FOREIGN_AGENT, _foreign_agent(identity))
    if pattern.scope_id != identity.customer_id:
        return Verdict(
            False,
            Rule.FOREIGN_CUSTOMER,
            f"Your credential receives the events of its own customer only: {identity.customer_id}",
        )
    if identity.role is None:
        return Verdict(True, Rule.CUSTOMER_KEY)
    if identity.role in (Role.MANAGER, Role.ADMIN):
        return Verdict(True, Rule.CUSTOMER_MANAGER)
    if pattern.resource != ANY and pattern.resource in identity.granted_resources:
        return Verdict(True, Rule.GRANTED_RESOURCE)
    return Verdict(False, Rule.RESOURCE_NOT_GRANTED, _not_granted(identity))


class SummaryAccess(StrEnum):
    """The gateway's summaries that a topic has; `WITH_AGENTS` has also those of agents."""

    NONE = "none"
    QUEUES = "queues"
    WITH_AGENTS = "agents"


def summary_access(identity: Identity, pattern: Pattern) -> SummaryAccess:
    """Decide which summaries a topic has: of the queues whose events are permitted.

    An access key may also be limited to the summary's own topic. One with a filter has none: they count all events.
    """
    own = identity.summary_queues
    if pattern.resource != SUMMARY_RESOURCE or (identity.filter is not None and own is None):
        return SummaryAccess.NONE
    queue = _queue_of(pattern)
    if not may_hold(identity, queue).granted:
        return SummaryAccess.NONE
    allowed = identity.allowed_topics
    if allowed is not None and allowed.isdisjoint(
        (*covering_patterns(str(queue)), *covering_patterns(str(pattern)))
    ):
        return SummaryAccess.NONE
    if own is not None:
        return SummaryAccess.QUEUES
    if identity.is_display:
        return SummaryAccess.WITH_AGENTS
    agents = replace(pattern, resource="agent", resource_id=ANY)
    if pattern.scope != AGENT_SCOPE and may_subscribe(identity, agents).granted:
        return SummaryAccess.WITH_AGENTS
    return SummaryAccess.QUEUES


def _queue_of(pattern: Pattern) -> Pattern:
    """Return the pattern of the queues that a summary counts."""
    is_all = pattern.resource_id == SUMMARY_OF_ALL
    return replace(pattern, resource="queue", resource_id=ANY if is_all else pattern.resource_id)


def _foreign_agent(identity: Identity) -> str:
    if identity.agent_id is None:
        return "An access key that belongs to no agent receives no agent's topics: subscribe to customer_id topics"
    return f"An agent's topics are for that agent alone: yours begin with agent_id:{identity.agent_id}"


def _not_allowed(allowed: frozenset[str]) -> str:
    first = sorted(allowed)[:MOST_NAMED]
    more = f" and {len(allowed) - MOST_NAMED} more" if len(allowed) > MOST_NAMED else ""
    return (
        f"This access key is narrowed to {', '.join(first) or 'nothing'}{more}: subscribe to what these cover"
    )


def _not_granted(identity: Identity) -> str:
    granted = ", ".join(sorted(identity.granted_resources)) or "none"
    return (
        "An agent receives those resources of its customer that it was granted "
        f"(yours: {granted}) and its own agent_id topics; managers and admins receive all"
    )
