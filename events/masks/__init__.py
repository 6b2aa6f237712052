"""Masked telephone numbers, and the filters that would find them out. No I/O.

May import: `events.domain`, `events.filters`. Start with `number_mask`, the one rule that all exits use. Pure
functions, callable from any thread.
"""
