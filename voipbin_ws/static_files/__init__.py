"""Static files: their addresses, and how they are sent.

May import: nothing of ours. Start with `files`. The version is computed at the first page, in its thread; files are
found in the event loop, and bundled and compressed in worker threads.
"""
