"""Running the gateway under daphne or uvicorn, and stopping it in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings

from subscriptions.connections.connection import ABORT_SECONDS
from subscriptions.connections.handshake import PROTOCOL_VERSION
from subscriptions.connections.runtime import runtime
from voipbin_ws.http.connections import http_connections
from voipbin_ws.observability.metrics_endpoints import open_metrics_port
from voipbin_ws.servers.supervisor import stop_signals

MAX_FRAME_BYTES = 2**20
"""Above all limits of the gateway, so that a client receives an error frame of its own."""

HANDSHAKE_EXTRA_SECONDS = 10
"""Seconds beyond DATABASE_ANSWER_SECONDS for a handshake, so that it is refused."""

REQUESTS_TIMEOUT_SECONDS = 5
"""Seconds that running requests may take when the process stops; then they are answered 503."""


class PortUnavailable(Exception):
    """No server can listen at the address; the message says why."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket, so that a port in use is reported before a server starts.

    Raises:
        PortUnavailable: another program listens there, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise PortUnavailable(
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another port"
        ) from None
    bound.listen(2048)
    bound.setblocking(False)
    return bound


def address_of(bound: socket.socket) -> str:
    """Return the URL at which clients reach this socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def print_address(address: str) -> None:
    """Print the one line that says the server is ready."""
    sys.stdout.write(f"Listening on {address}\n")
    sys.stdout.flush()


def run_daphne(application: Any, bound: socket.socket, on_ready: Callable[[], object]) -> None:
    """Serve until a stop signal; call `on_ready` when the server listens."""
    from voipbin_ws.servers.daphne_adapter import ReadyFramesServer, reactor
    from voipbin_ws.servers.daphne_http import GatewayHttpFactory

    handshake_seconds = settings.DATABASE_ANSWER_SECONDS + HANDSHAKE_EXTRA_SECONDS
    server = ReadyFramesServer(
        application,
        endpoints=["the socket that `ready` adopts"],
        signal_handlers=False,
        websocket_handshake_timeout=handshake_seconds,
        websocket_connect_timeout=handshake_seconds,
        websocket_timeout=-1,  # The default ends every connection after a day.
        ping_interval=settings.PING_SECONDS,
        ping_timeout=settings.PONG_SECONDS,
        websocket_max_message_size=MAX_FRAME_BYTES,
        websocket_max_frame_size=MAX_FRAME_BYTES,
        server_name="voipbin-ws",
    )
    # daphne's own endpoint for sockets takes each for IPv4, and reads garbage as the addresses of IPv6 clients.
    server.endpoints.clear()
    loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop
    ports: list[Any] = []

    async def stop() -> None:
        for port in ports:
            port.stopListening()
        await runtime().stop()
        application.is_stopping = True
        await _requests_done(server)
        reactor.callLater(0, reactor.stop)

    def ready() -> None:
        # A slow reader gets as long as in the gateway's own closing to reach the close frame; the default is 1 s.
        # Each call sets the null Origin anew, which the handshake judges itself.
        server.ws_factory.setProtocolOptions(
            versions=[int(PROTOCOL_VERSION)],
            failByDrop=False,  # A violation of the protocol is answered with a close frame (RFC 6455, section 7.1.7).
            closeHandshakeTimeout=ABORT_SECONDS,
            allowNullOrigin=True,
        )
        ports.append(reactor.adoptStreamPort(bound.fileno(), bound.family, GatewayHttpFactory(server)))
        bound.close()  # Twisted has duplicated it.
        _on_signals(loop, lambda: loop.create_task(stop()))
        loop.call_soon(open_metrics_port)
        http_connections.watch(loop)
        on_ready()

    server.ready_callable = ready
    server.run()


def run_uvicorn(application: Any, bound: socket.socket, on_ready: Callable[[], object]) -> None:
    """Serve until a stop signal; call `on_ready` when the server listens."""
    import uvicorn

    from voipbin_ws.servers.uvicorn_adapter import UvicornProtocol
    from voipbin_ws.servers.uvicorn_http import UvicornHttp

    # uvicorn warns of every handshake that the gateway refused with a response of its own.
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: "without completing handshake" not in str(record.msg)
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            open_metrics_port()
            http_connections.watch(asyncio.get_running_loop())
            on_ready()

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            # After an orderly stop, uvicorn's own handler would still let the signal end the process.
            _on_signals(asyncio.get_running_loop(), lambda: setattr(self, "should_exit", True))
            yield

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # uvicorn's shutdown closes connections with 1012 and without a reason, so the gateway closes them first.
            for each in self.servers:
                each.close()
            await runtime().stop()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=UvicornHttp,
        ws=UvicornProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=settings.PING_SECONDS,
        ws_ping_timeout=settings.PONG_SECONDS,
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,  # Its lines contain the query, which can contain a credential.
        log_config=None,
        server_header=False,
        proxy_headers=False,  # The application evaluates them, on both servers, from TRUSTED_PROXIES alone.
        timeout_keep_alive=math.ceil(settings.HTTP_PATIENCE_SECONDS),
        timeout_graceful_shutdown=REQUESTS_TIMEOUT_SECONDS,
    )
    Server(config).run(sockets=[bound])


async def _requests_done(server: Any) -> None:
    """Wait for running requests, which daphne would cancel.

    The thread of a cancelled request that waits for the event loop would keep the process alive for ever.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REQUESTS_TIMEOUT_SECONDS):
            while under_way := [
                request
                for details in server.connections.values()
                if (request := details.get("application_instance")) is not None and not request.done()
            ]:
                await asyncio.wait(under_way)


SERVERS: dict[str, Callable[[Any, socket.socket, Callable[[], object]], None]] = {
    "daphne": run_daphne,
    "uvicorn": run_uvicorn,
}


def _on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
    """Call `stop` at the first signal; a second SIGTERM or SIGINT ends the process at once."""
    signals = stop_signals()

    def first() -> None:
        for name in signals:
            loop.remove_signal_handler(name)
            # A closed terminal's shell and its kernel each send a SIGHUP.
            signal.signal(name, signal.SIG_IGN if name == signal.SIGHUP else lambda *_: sys.exit(1))
        stop()

    for name in signals:
        loop.add_signal_handler(name, first)
