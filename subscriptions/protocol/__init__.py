"""The WebSocket protocol: messages, frames, permissions and the session of one connection, without I/O.

May import: `events.domain`. Start with `session`: a message in, effects out. Pure values and functions; a session is
used by one connection, in the event loop.
"""
