"""The simulated contact centre as a model without I/O: tenants, queues, agents, calls.

May import: `events.domain`. Start with `contact_centre`. Time and randomness are arguments; the runner provides them.
"""
