"""The rules of events, without I/O: topics, cursors, events, states and visibility.

May import: itself only. Start with `topics` (addresses and patterns) and `event` (an event before and after it is
numbered). Pure functions and values: they run in any thread.
"""
