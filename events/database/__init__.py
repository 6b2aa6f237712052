"""Database access beside the ORM: bounded threads, and statements without query building.

May import: `domain`. Start with `threads`. `threads` is called from event loops and runs its work in worker threads;
`direct_sql` runs in the thread that holds the connection.
"""
