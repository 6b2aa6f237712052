"""The tables of the subscriptions app.

May import: `protocol`, `events.domain`. Start with `tenants`. All names are exported here, where Django and its
migrations find them. Queries run in worker threads or in Django's own threads, never in the event loop.
"""

from subscriptions.models.audit import NO_CONNECTION, AuditAction, AuditChain, AuditRecord
from subscriptions.models.connections import CloseOrder, GatewayProcess, LiveConnection
from subscriptions.models.credentials import (
    CONTROLLING_ROLES,
    KEY_MARK,
    KEY_PREFIX_CHARACTERS,
    AccessChanges,
    AccessKey,
    EndedToken,
    KeyKind,
    LoginTries,
    digest_of,
    display_topics,
)
from subscriptions.models.invitations import Invitation
from subscriptions.models.presence import (
    MAX_GRACE_SECONDS,
    MIN_GRACE_SECONDS,
    AgentPresence,
    PresencePolicy,
)
from subscriptions.models.tenants import (
    Agent,
    AgentRole,
    AgentStatus,
    Customer,
    OptOut,
    Queue,
    customers_of,
    validate_not_nil,
    validate_resources,
)
from subscriptions.protocol.effects import AuditVerdict

__all__ = [
    "CONTROLLING_ROLES",
    "KEY_MARK",
    "KEY_PREFIX_CHARACTERS",
    "MAX_GRACE_SECONDS",
    "MIN_GRACE_SECONDS",
    "NO_CONNECTION",
    "AccessChanges",
    "AccessKey",
    "Agent",
    "AgentPresence",
    "AgentRole",
    "AgentStatus",
    "AuditAction",
    "AuditChain",
    "AuditRecord",
    "AuditVerdict",
    "CloseOrder",
    "Customer",
    "EndedToken",
    "GatewayProcess",
    "Invitation",
    "KeyKind",
    "LiveConnection",
    "LoginTries",
    "OptOut",
    "PresencePolicy",
    "Queue",
    "customers_of",
    "digest_of",
    "display_topics",
    "validate_not_nil",
    "validate_resources",
]
