"""What `events` calls through its EVENTS_… settings, one module for each setting.

May import: `auth`, `platform`, `models`, `protocol`. Start with `projection`, which runs in the publishing transaction;
the others run in the thread of the request.
"""
