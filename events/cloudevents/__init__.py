"""CloudEvents 1.0: events read from, and written in, the format of the CNCF. No I/O.

May import: `events.domain`, `events.event_types`. Start with `incoming`, which turns a CloudEvent into an item of the
event parser, and `outgoing`, which turns a frame into a CloudEvent. Pure functions, callable from any thread.
"""
