"""The ways to a gateway: a WebSocket, or server-sent events where WebSockets are blocked.

Start reading at `transport`. `handshake` opens a WebSocket, and reads why one was refused; `event_stream` is the same
interface on server-sent events, with the rules in `stream_messages` and `stream_parser` (both without I/O). `choice`
decides which of the two the next connection uses.
"""
