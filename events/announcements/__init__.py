"""Announcements: frames and numbers of committed events, sent to the other processes by the channel layer.

May import: `domain`, `database`. Start with `announcer`. Announcements are sent in the event loop of a server process,
or in the publishing thread of a command. A lost announcement is repaired from the log by the receiving process.
"""
