"""The admin of who may do what and of the audit log; importing it registers its pages."""

from subscriptions.admin.access_keys import AccessKeyAdmin
from subscriptions.admin.agents import AgentAdmin
from subscriptions.admin.audit_log import AuditRecordAdmin
from subscriptions.admin.customers import CustomerAdmin, QueueAdmin
from subscriptions.admin.live_connections import LiveConnectionAdmin

__all__ = [
    "AccessKeyAdmin",
    "AgentAdmin",
    "AuditRecordAdmin",
    "CustomerAdmin",
    "LiveConnectionAdmin",
    "QueueAdmin",
]
