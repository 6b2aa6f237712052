"""The composition root: settings, addresses, servers, pages, admin, demo.

May import: `subscriptions`, `events`. Start with `asgi`, then `servers`. `settings` lists what can be configured.
"""

__version__ = "1.0.0"
