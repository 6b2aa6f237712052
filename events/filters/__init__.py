"""Filters of events: tags, expressions on them, and the decision on one event. No I/O.

May import: `events.domain`. Start with `event_filter`, which decides how a subscription receives an event. `expression`
parses a filter, `compiled` makes it a function, `tags` are what it looks at. Pure functions, callable from any thread.
"""
