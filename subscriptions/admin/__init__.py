"""The admin pages of customers, agents, keys, connections and the audit log.

Importing the package registers the pages. May import: everything in `subscriptions`. Start with `customer_scoped`, from
which the pages inherit. Runs in the thread of the request.
"""

from subscriptions.admin.access_keys.pages import AccessKeyAdmin
from subscriptions.admin.agents.pages import AgentAdmin
from subscriptions.admin.audit.pages import AuditRecordAdmin
from subscriptions.admin.calls.pages import EndableStateAdmin
from subscriptions.admin.connections.pages import LiveConnectionAdmin
from subscriptions.admin.customers import CustomerAdmin, QueueAdmin
from subscriptions.admin.new_passwords import OperatorAdmin

__all__ = [
    "AccessKeyAdmin",
    "AgentAdmin",
    "AuditRecordAdmin",
    "CustomerAdmin",
    "EndableStateAdmin",
    "LiveConnectionAdmin",
    "OperatorAdmin",
    "QueueAdmin",
]
