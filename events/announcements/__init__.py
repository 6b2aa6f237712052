"""Announcements: committed events, sent to other processes through the channel layer.

May import: `domain`, `database`. Start with `announcer`. Announcements are sent in the event loop of a server process,
or in the publishing thread of a command. The receiving process reads lost ones from the log.
"""
