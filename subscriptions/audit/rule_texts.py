"""The meaning of each rule of the audit log, for operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.permissions import Rule

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

RULE_TEXTS: Mapping[str, StrOrPromise] = {
    Rule.PLATFORM_STAFF: _("Platform staff may subscribe to every customer."),
    Rule.CUSTOMER_MANAGER: _("Managers and admins may subscribe to everything of their customer."),
    Rule.CUSTOMER_KEY: _("An access key without an agent may subscribe to everything of its customer."),
    Rule.GRANTED_RESOURCE: _("The agent was granted this resource of its customer."),
    Rule.OWN_AGENT: _("An agent may subscribe to its own topics."),
    Rule.FOREIGN_CUSTOMER: _(
        "The topic belongs to another customer than the credential, or to one that does not exist."
    ),
    Rule.FOREIGN_AGENT: _("The topics of an agent are for that agent only."),
    Rule.RESOURCE_NOT_GRANTED: _("The agent was not granted this resource of its customer."),
    Rule.SUMMARY_CHANGED: _("The credential may see other summaries than before."),
    Rule.TOPIC_NOT_ALLOWED: _("The access key is narrowed to topics that do not cover this one."),
    Rule.BEYOND_LIMIT: _("The manager is limited to other queues and teams of the customer."),
    Rule.NUMBERS_MASKED: _(
        "Telephone numbers are masked for the credential, which may find nothing by them."
    ),
    "invalid-topic": _("The text is not a topic, or names an unknown resource."),
    "invalid-filter": _("The filter is not valid."),
    "subscribe-rate": _("The client subscribed faster than SUBSCRIBE_BURST and SUBSCRIBE_PER_SECOND allow."),
    "message-rate": _("The client sent messages faster than MESSAGE_BURST and MESSAGES_PER_SECOND allow."),
    "connection-topics": _("The connection had CONNECTION_MAX_TOPICS topics already."),
    "from-now": _("The client subscribed to events from now on."),
    "recovered": _("The client reconnected with its cursor, and the missed events were sent."),
    "not-recovered": _(
        "The client reconnected with its cursor, but the missed events could not be recovered."
    ),
    "retention": _("Records older than the retention time were pruned."),
    "asked": _("The client requested it."),
    "no-credential": _("The client sent no credential."),
    "ambiguous-credential": _("The client sent more than one credential."),
    "foreign-credential": _("The new credential belongs to another customer or agent than the connection."),
    "unknown-scheme": _("The Authorization header did not have the form: Bearer <JWT or access key>."),
    "malformed-credential": _("The credential is neither a JWT nor an access key."),
    "unknown-key": _("The access key does not exist; it may have been deleted, or copied incompletely."),
    "revoked-key": _("The access key was revoked."),
    "expired-key": _("The access key has expired."),
    "key-may-not-subscribe": _("The access key may publish only."),
    "expired-token": _("The token has expired: the agent has to sign in again."),
    "invalid-token": _("The token is damaged, or lacks a claim."),
    "unknown-signature": _("The token is not signed with an accepted key."),
    "unknown-agent": _("The agent of the token or topic does not exist."),
    "revoked-token": _("The agent was signed out everywhere after the token was issued."),
    "no-permission": _("The VoIPBIN token names no permission."),
    "role-not-accepted": _("The VoIPBIN token claims a role that VOIPBIN_TOKEN_ROLES does not accept."),
    "inactive-customer": _("The customer is switched off."),
    "inactive-agent": _("The agent or its user is switched off."),
    "closed-by-operator": _("An operator closed the connection; the credential may still be valid."),
    "ended-by-operator": _("An operator ended a call whose end was never published."),
    "invitation": _("The password was set with an invitation."),
    "invalid-invitation": _("The link of the invitation was not valid, used or expired."),
    "right-password": _("The user name and the password were right."),
    "wrong-password": _("The user name or the password was wrong."),
    "too-many-logins": _("Too many logins failed or arrived at once: the password was not checked."),
    "many-failed-logins": _("Further logins of many names or addresses failed within the same minute."),
    "password-changed": _("The password was changed; all tokens from before are refused."),
    "signed-out-everywhere": _("The person ended all own tokens and sessions."),
    "ended-token": _("The person signed out, which ended this token."),
    "unsealed": _(
        "An older version wrote these records during an upgrade, or they were inserted into the database."
    ),
    "by-operator": _("An operator did it in the admin pages."),
    "by-client": _("A client did it over REST."),
    "by-event": _("It follows from an event that was published."),
    "presence-policy": _(
        "The agent's connection was lost, and the customer's policy replaces its status then."
    ),
    "foreign-origin": _("The page's origin is not listed in WEBSOCKET_ORIGINS."),
    "unknown-format": _("The parameter format names no format of events."),
    "customer-connections": _("The customer had all the connections open that its quota allows."),
    "too-many-handshakes": _(
        "Too many handshakes from this address were refused: the credential was not checked."
    ),
    "database-away": _("The database was unavailable, so the credential could not be checked."),
    "client-left": _("The client closed the connection, or the connection was lost."),
    CloseCode.RESTARTING.name: _("The gateway stopped or restarted; clients reconnect automatically."),
    CloseCode.PROTOCOL_ERROR.name: _("The client kept sending unreadable messages."),
    CloseCode.TOKEN_EXPIRED.name: _("The credential expired while the client was connected."),
    CloseCode.REVOKED.name: _(
        "The credential was revoked, or its holder switched off, while the client was connected."
    ),
    CloseCode.TOO_SLOW.name: _("The client did not read its events fast enough."),
    CloseCode.TOO_MANY.name: _(
        "The credential has too many connections, or the client kept sending too many messages."
    ),
}


def text_of(rule: str) -> str:
    """Return the meaning of the rule for the reader, or "" if the rule is unknown."""
    return str(RULE_TEXTS.get(rule, ""))
