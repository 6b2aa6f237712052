"""The event log: storing events, reading them, the state of resources, and pruning.

May import: `announcements`, `database`, `domain`, the models. Start with `publish`, the only function that stores
events. Runs in threads that may use the database; a process with an event loop calls it through
`events.database.threads`.
"""
