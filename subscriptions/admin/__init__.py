"""The admin of who may do what and of the audit log; importing it registers its pages."""

from subscriptions.admin.access_keys import AccessKeyAdmin
from subscriptions.admin.agents import AgentAdmin
from subscriptions.admin.audit_log import AuditRecordAdmin
from subscriptions.admin.customers import CustomerAdmin, QueueAdmin

__all__ = ["AccessKeyAdmin", "AgentAdmin", "AuditRecordAdmin", "CustomerAdmin", "QueueAdmin"]
