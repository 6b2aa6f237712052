"""Delivery: the hub of a process, the feeds of customers, and the outboxes of connections.

May import: `protocol`, `events`. Start with `hub`. Runs in the event loop of the server process; the log is read in
the threads of `events.database.threads`.
"""
