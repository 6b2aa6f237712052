"""The meaning of each rule of the audit log, for operators."""

from __future__ import annotations

from collections.abc import Mapping

from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.permissions import Rule

RULE_TEXTS: Mapping[str, str] = {
    Rule.PLATFORM_STAFF: "Platform staff may subscribe to every customer.",
    Rule.CUSTOMER_MANAGER: "Managers and admins may subscribe to everything of their customer.",
    Rule.CUSTOMER_KEY: "An access key without an agent may subscribe to everything of its customer.",
    Rule.GRANTED_RESOURCE: "The agent was granted this resource of its customer.",
    Rule.OWN_AGENT: "An agent may subscribe to its own topics.",
    Rule.FOREIGN_CUSTOMER: "The topic belongs to another customer than the credential, or to one that does not exist.",
    Rule.FOREIGN_AGENT: "The topics of an agent are for that agent only.",
    Rule.RESOURCE_NOT_GRANTED: "The agent was not granted this resource of its customer.",
    Rule.SUMMARY_CHANGED: "The credential may see other summaries than before.",
    Rule.TOPIC_NOT_ALLOWED: "The access key is narrowed to topics that do not cover this one.",
    Rule.BEYOND_LIMIT: "The manager is limited to other queues and teams of the customer.",
    Rule.NUMBERS_MASKED: "Telephone numbers are masked for the credential, which may find nothing by them.",
    "invalid-topic": "The text is not a topic, or names an unknown resource.",
    "invalid-filter": "The filter is not valid.",
    "subscribe-rate": "The client subscribed faster than SUBSCRIBE_BURST and SUBSCRIBE_PER_SECOND allow.",
    "message-rate": "The client sent messages faster than MESSAGE_BURST and MESSAGES_PER_SECOND allow.",
    "connection-topics": "The connection had CONNECTION_MAX_TOPICS topics already.",
    "from-now": "The client subscribed to events from now on.",
    "recovered": "The client reconnected with its cursor, and the missed events were sent.",
    "not-recovered": "The client reconnected with its cursor, but the missed events could not be recovered.",
    "retention": "Records older than the retention time were pruned.",
    "asked": "The client requested it.",
    "no-credential": "The client sent no credential.",
    "ambiguous-credential": "The client sent more than one credential.",
    "foreign-credential": "The new credential belongs to another customer or agent than the connection.",
    "unknown-scheme": "The Authorization header did not have the form: Bearer <JWT or access key>.",
    "malformed-credential": "The credential is neither a JWT nor an access key.",
    "unknown-key": "The access key does not exist; it may have been deleted, or copied incompletely.",
    "revoked-key": "The access key was revoked.",
    "expired-key": "The access key has expired.",
    "key-may-not-subscribe": "The access key may publish only.",
    "expired-token": "The token has expired: the agent has to sign in again.",
    "invalid-token": "The token is damaged, or lacks a claim.",
    "unknown-signature": "The token is not signed with an accepted key.",
    "unknown-agent": "The agent of the token or topic does not exist.",
    "revoked-token": "The agent was signed out everywhere after the token was issued.",
    "no-permission": "The VoIPBIN token names no permission.",
    "role-not-accepted": "The VoIPBIN token claims a role that VOIPBIN_TOKEN_ROLES does not accept.",
    "inactive-customer": "The customer is switched off.",
    "inactive-agent": "The agent or its user is switched off.",
    "closed-by-operator": "An operator closed the connection; the credential may still be valid.",
    "ended-by-operator": "An operator ended a call whose end was never published.",
    "invitation": "The password was set with an invitation.",
    "invalid-invitation": "The link of the invitation was not valid, used or expired.",
    "right-password": "The user name and the password were right.",
    "wrong-password": "The user name or the password was wrong.",
    "too-many-logins": "Too many logins failed or arrived at once: the password was not checked.",
    "many-failed-logins": "Further logins of many names or addresses failed within the same minute.",
    "password-changed": "The password was changed; all tokens from before are refused.",
    "signed-out-everywhere": "The person ended all own tokens and sessions.",
    "ended-token": "The person signed out, which ended this token.",
    "unsealed": "An older version wrote these records during an upgrade, or they were inserted into the database.",
    "by-operator": "An operator did it in the admin pages.",
    "by-client": "A client did it over REST.",
    "by-event": "It follows from an event that was published.",
    "presence-policy": "The agent's connection was lost, and the customer's policy replaces its status then.",
    "foreign-origin": "The page's origin is not listed in WEBSOCKET_ORIGINS.",
    "unknown-format": "The parameter format names no format of events.",
    "customer-connections": "The customer had all the connections open that its quota allows.",
    "too-many-handshakes": "Too many handshakes from this address were refused: the credential was not checked.",
    "database-away": "The database was unavailable, so the credential could not be checked.",
    "client-left": "The client closed the connection, or the connection was lost.",
    CloseCode.RESTARTING.name: "The gateway stopped or restarted; clients reconnect automatically.",
    CloseCode.PROTOCOL_ERROR.name: "The client kept sending unreadable messages.",
    CloseCode.TOKEN_EXPIRED.name: "The credential expired while the client was connected.",
    CloseCode.REVOKED.name: "The credential was revoked, or its holder switched off, while the client was connected.",
    CloseCode.TOO_SLOW.name: "The client did not read its events fast enough.",
    CloseCode.TOO_MANY.name: "The credential has too many connections, or the client kept sending too many messages.",
}


def text_of(rule: str) -> str:
    """Return the meaning of the rule, or "" if the rule is unknown."""
    return RULE_TEXTS.get(rule, "")
