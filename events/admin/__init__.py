"""The admin pages of events, resource states and logs.

Importing the package registers the pages. May import: `database`, `domain`, the models. Start with `pages`. Runs in
the thread of the request.
"""

from events.admin.pages import CustomerLogAdmin, EventAdmin, ResourceStateAdmin

__all__ = ["CustomerLogAdmin", "EventAdmin", "ResourceStateAdmin"]
