"""The WebSocket protocol without I/O: messages, frames, permissions and sessions.

May import: `events.domain`. Start with `session`: one message in, its effects out. Values and pure functions; each
session belongs to one connection and its event loop.
"""
