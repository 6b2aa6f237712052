"""What each rule of the audit log means, in words for operators."""

from __future__ import annotations

from collections.abc import Mapping

from subscriptions.protocol.messages import CloseCode
from subscriptions.protocol.permissions import Rule

RULE_TEXTS: Mapping[str, str] = {
    Rule.PLATFORM_STAFF: "Platform staff hear every customer.",
    Rule.CUSTOMER_MANAGER: "Managers and admins hear everything of their customer.",
    Rule.CUSTOMER_KEY: "An access key without an agent hears everything of its customer.",
    Rule.GRANTED_RESOURCE: "The agent was granted this resource of its customer.",
    Rule.OWN_AGENT: "An agent hears its own topics.",
    Rule.FOREIGN_CUSTOMER: "The topic is of another customer than the credential, or of one that does not exist.",
    Rule.FOREIGN_AGENT: "An agent's topics are for that agent alone.",
    Rule.RESOURCE_NOT_GRANTED: "The agent was not granted this resource of its customer.",
    Rule.TOPIC_NOT_ALLOWED: "The access key is narrowed to topics that do not cover this one.",
    "invalid-topic": "The client wrote no topic, or named a resource that is not known.",
    "subscribe-rate": "The client subscribed faster than SUBSCRIBE_BURST and SUBSCRIBE_PER_SECOND allow.",
    "connection-topics": "The connection held CONNECTION_MAX_TOPICS topics already.",
    "from-now": "The client asked for what comes from now on.",
    "recovered": "The client came back with its cursor, and was sent what it had missed.",
    "not-recovered": "The client came back with its cursor, and was told that what it had missed cannot be had.",
    "retention": "Records were removed because they were older than they are kept.",
    "asked": "The client asked for it.",
    "no-credential": "The client sent no credential.",
    "ambiguous-credential": "The client sent more than one credential.",
    "foreign-credential": "The new credential was of another customer or agent than the connection's first.",
    "unknown-scheme": "The Authorization header was not of the form: Bearer <JWT or access key>.",
    "malformed-credential": "What the client sent is neither a JWT nor an access key.",
    "unknown-key": "There is no such access key; it may have been deleted, or copied in part.",
    "revoked-key": "The access key was revoked.",
    "expired-key": "The access key has expired.",
    "key-may-not-subscribe": "The access key may publish only.",
    "expired-token": "The token has expired: its holder has to log in again.",
    "invalid-token": "The token is damaged or lacks what it should say.",
    "unknown-signature": "The token was signed with a key that is not accepted here.",
    "unknown-agent": "The agent of the token or topic does not exist here.",
    "revoked-token": "The agent was signed out everywhere after the token was issued.",
    "no-permission": "The VoIPBIN token names no permission.",
    "inactive-customer": "The customer is switched off.",
    "inactive-agent": "The agent or its login is switched off.",
    "closed-by-operator": "An operator closed the connection; the credential may still be good.",
    "foreign-origin": "A page of an origin that is not listed in WEBSOCKET_ORIGINS tried to connect.",
    "database-away": "The database did not answer, so the credential could not be checked.",
    "client-left": "The client closed the connection, or it broke.",
    CloseCode.RESTARTING.name: "The gateway stopped or restarted; clients come back by themselves.",
    CloseCode.PROTOCOL_ERROR.name: "The client kept sending what cannot be read.",
    CloseCode.TOKEN_EXPIRED.name: "The credential ran out while the client was connected.",
    CloseCode.REVOKED.name: "The credential was revoked, or its owner switched off, while the client was connected.",
    CloseCode.TOO_SLOW.name: "The client did not read what it had asked for.",
    CloseCode.TOO_MANY.name: "The credential had too many connections.",
}


def text_of(rule: str) -> str:
    """What the rule means; empty for a rule that is not known here."""
    return RULE_TEXTS.get(rule, "")
