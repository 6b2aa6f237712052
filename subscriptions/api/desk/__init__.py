"""The addresses for agent desktops: notes, callers, conversations, colleagues, days.

May import: `subscriptions.api`, and the lower layers. Start with `calls`. Runs in the threads of Django.
"""
