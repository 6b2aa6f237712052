"""The bytes that the load client sends: handshakes, masked frames, MQTT and NATS messages."""

from __future__ import annotations

import struct
from collections.abc import Mapping

TEXT, BINARY = 1, 2


def handshake(address: str, path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """The opening handshake, without extensions."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {address}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def stream_request(address: str, path: str) -> bytes:
    """The request of an event stream: by HTTP/1.0, so that the load client receives it without chunks."""
    return f"GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode()


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """A client's frame, masked with zeros, which leave the payload unchanged."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


def mqtt_connect(client_id: str) -> bytes:
    """CONNECT of MQTT 3.1.1, with a clean session and no keep-alive."""
    return _mqtt(0x10, _mqtt_string("MQTT") + bytes([4, 2, 0, 0]) + _mqtt_string(client_id))


def mqtt_subscribe(topic: str) -> bytes:
    """SUBSCRIBE at QoS 0, which the server answers with `MQTT_SUBACK`."""
    return _mqtt(0x82, b"\0\1" + _mqtt_string(topic) + b"\0")


MQTT_SUBACK = bytes([0x90, 3, 0, 1, 0])


def mqtt_publish(topic: str, payload: bytes) -> bytes:
    """PUBLISH at QoS 0."""
    return _mqtt(0x30, _mqtt_string(topic) + payload)


def _mqtt_string(text: str) -> bytes:
    return struct.pack("!H", len(text)) + text.encode()


def _mqtt(kind: int, content: bytes) -> bytes:
    left, size = len(content), b""
    while True:
        left, digit = divmod(left, 128)
        size += bytes([digit | (0x80 if left else 0)])
        if not left:
            return bytes([kind]) + size + content


NATS_CONNECT = b'CONNECT {"verbose":false,"pedantic":false,"headers":false}\r\n'


def nats_subscribe(subject: str) -> bytes:
    """CONNECT and SUB, which the server answers with `NATS_READY`."""
    return NATS_CONNECT + f"SUB {subject} 1\r\nPING\r\n".encode()


NATS_READY = b"PONG\r\n"


def nats_publish(subject: str, payload: bytes) -> bytes:
    """PUB."""
    return f"PUB {subject} {len(payload)}\r\n".encode() + payload + b"\r\n"
