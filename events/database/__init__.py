"""Database access beside the ORM: bounded threads, and statements without query building.

May import: `domain`, the models. Start with `threads`. `threads` and `background_task` are called from event loops and
do their work in worker threads; `direct_sql` and `stored_times` run in the thread that holds the connection.
"""
