"""Brokers in Go and C, from Debian's packages, with clients over WebSockets."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import event, wire
from benchmarks.compiled import Unavailable
from benchmarks.contestants.contestant import Place, ProcessContestant, connect
from benchmarks.load import Socket
from tests.support.ports import free_port, on_free_port
from tests.support.processes import ServerProcess

SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
NCHAN_MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")


def _program(name: str, package: str) -> str:
    found = shutil.which(name) or next(
        (found for folder in SYSTEM_FOLDERS if (found := shutil.which(name, path=folder))), None
    )
    if found is None:
        raise Unavailable(f"no {name} here: apt-get install {package}")
    return found


class _Broker(ProcessContestant[socket.socket]):
    """A broker; `configure` returns its configuration for the two ports."""

    def __init__(
        self, name: str, place: Place, command: Sequence[str], configure: Callable[[int, int], str]
    ) -> None:
        path = place.folder / "server.conf"

        def start(port: int) -> tuple[int, ServerProcess]:
            publishing = free_port()
            path.write_text(configure(port, publishing))
            return publishing, self.started([*command, path], place, port)

        self._port, (publishing, process) = on_free_port(start)
        super().__init__(name, process, connect(publishing))
        self._address = f"127.0.0.1:{self._port}"

    def _read_until(self, last: bytes) -> bytes:
        read = b""
        while last not in read:
            part = self._publisher.recv(65536)
            if not part:
                raise RuntimeError(f"{self.name} ended the publisher's connection after {read[-500:]!r}")
            read += part
        return read


class Nats(_Broker):
    """nats-server."""

    def __init__(self, place: Place) -> None:
        super().__init__(
            "nats-server",
            place,
            [_program("nats-server", "nats-server"), "-c"],
            lambda port, publishing: (
                f'host: 127.0.0.1\nport: {publishing}\nping_interval: "10m"\nmax_pending: 256MB\n'
                f"websocket {{ host: 127.0.0.1, port: {port}, no_tls: true }}\n"
            ),
        )
        self._publisher.sendall(wire.NATS_CONNECT + b"PING\r\n")
        self._read_until(wire.NATS_READY)

    def sockets(self, count: int, start: int) -> list[Socket]:
        request = wire.handshake(self._address, "/")
        first = wire.frame(wire.nats_subscribe("call.*"), wire.BINARY)
        return [Socket(self._address, request, first, wire.NATS_READY, start) for _ in range(count)]

    def publish(self, marks: Sequence[int]) -> None:
        published = [
            wire.nats_publish(f"call.{event.call_of(mark)}", event.frame(mark).encode()) for mark in marks
        ]
        self._publisher.sendall(b"".join(published) + b"PING\r\n")
        self._read_until(wire.NATS_READY)


class Mosquitto(_Broker):
    """mosquitto, MQTT 3.1.1 at QoS 0."""

    def __init__(self, place: Place) -> None:
        super().__init__(
            "mosquitto",
            place,
            [_program("mosquitto", "mosquitto"), "-c"],
            lambda port, publishing: (
                f"listener {publishing} 127.0.0.1\nprotocol mqtt\n"
                f"listener {port} 127.0.0.1\nprotocol websockets\n"
                "allow_anonymous true\nlog_type error\nset_tcp_nodelay true\n"
                "max_queued_messages 0\nmax_inflight_messages 0\n"
            ),
        )
        self._publisher.sendall(wire.mqtt_connect("publisher"))
        self._read_until(bytes([0x20, 2, 0, 0]))

    def sockets(self, count: int, start: int) -> list[Socket]:
        request = wire.handshake(self._address, "/mqtt", {"Sec-WebSocket-Protocol": "mqtt"})
        subscribe = wire.frame(wire.mqtt_subscribe("call/+"), wire.BINARY)
        return [
            Socket(
                self._address,
                request,
                wire.frame(wire.mqtt_connect(f"subscriber {start} {number}"), wire.BINARY) + subscribe,
                wire.MQTT_SUBACK,
                start,
            )
            for number in range(count)
        ]

    def publish(self, marks: Sequence[int]) -> None:
        self._publisher.sendall(
            b"".join(
                wire.mqtt_publish(f"call/{event.call_of(mark)}", event.frame(mark).encode()) for mark in marks
            )
        )


class Nchan(_Broker):
    """nginx with its nchan module, one worker, messages kept in memory."""

    def __init__(self, place: Place) -> None:
        program = _program("nginx", "nginx-light libnginx-mod-nchan")
        if not NCHAN_MODULE.exists():
            raise Unavailable("no nchan here: apt-get install libnginx-mod-nchan")
        folder = place.folder
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(
            "nginx with nchan",
            place,
            [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c"],
            lambda port, publishing: (
                f"""
load_module {NCHAN_MODULE};
daemon off; worker_processes 1; pid {folder}/nginx.pid; user root;
worker_rlimit_nofile 20000;
events {{ worker_connections 16000; }}
http {{
    access_log off; keepalive_requests 100000000; keepalive_timeout 1h; tcp_nodelay on;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    nchan_message_buffer_length 2000; nchan_message_timeout 5m;
    server {{
        listen 127.0.0.1:{port};
        location /call {{ nchan_subscriber websocket; nchan_channel_id call;
                         nchan_subscriber_first_message newest; }}
    }}
    server {{
        listen 127.0.0.1:{publishing};
        location /call {{ nchan_publisher; nchan_channel_id call; }}
    }}
}}
"""
            ),
        )

    def sockets(self, count: int, start: int) -> list[Socket]:
        request = wire.handshake(self._address, "/call")
        return [Socket(self._address, request, start=start) for _ in range(count)]

    def publish(self, marks: Sequence[int]) -> None:
        posts = []
        for mark in marks:
            body = event.frame(mark).encode()
            head = (
                "POST /call HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            posts.append(head.encode() + body)
        self._publisher.sendall(b"".join(posts))
        answered, read = 0, b""
        while answered < len(marks):
            read += self._publisher.recv(1 << 20)
            answered += len(re.findall(rb"HTTP/1\.1 20[12] ", read))
            read = read[-20:] if not re.search(rb"HTTP/1\.1 20[12] ", read[-20:]) else b""
