"""The event log: the only way to store events, and the reader of what is stored.

May import: `announcements`, `database`, `domain`, the models. Start with `publish`. Runs in threads that may use the
database; a process with an event loop calls it through `events.database.threads`.
"""
