"""WebSocket connections: handshake, accepted connection, records, reauthorization, drain.

May import: `presence`, `auth`, `audit`, `delivery`, `models`, `protocol`. Start with `connection`. Runs in the event
loop; database work runs in worker threads. Orders to close connections are given in Django's own threads.
"""
