"""WebSocket connections: handshake, accepted connection, audit records, reauthorization and drain.

May import: everything below `api`. Start with `connection`. Runs in the event loop; database work runs in worker
threads.
"""
