"""The simulated contact centre: tenants, queues, agents and calls as a model without I/O.

Start with `contact_centre`. Time and randomness are arguments; the runner provides them.
"""
