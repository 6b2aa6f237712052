"""The admin of what happened; importing it registers its pages."""

from events.admin.pages import CustomerLogAdmin, EventAdmin, ResourceStateAdmin

__all__ = ["CustomerLogAdmin", "EventAdmin", "ResourceStateAdmin"]
