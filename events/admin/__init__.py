"""The admin pages of events, states and logs; importing this package registers them.

May import: `database`, `domain`, the models. Start with `pages`. Runs in the thread of the request.
"""

from events.admin.pages import CustomerLogAdmin, EventAdmin, ResourceStateAdmin

__all__ = ["CustomerLogAdmin", "EventAdmin", "ResourceStateAdmin"]
