"""Running the gateway under daphne or uvicorn, and stopping it without dropping anybody unheard."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings

from subscriptions.connections.connection import ABORT_SECONDS
from subscriptions.connections.runtime import runtime
from voipbin_ws.observability.metrics_endpoints import open_metrics_port

MAX_FRAME_BYTES = 2**20
"""Above every limit of ours, so that it is ours that answers, with an error frame instead of a lost connection."""


HANDSHAKE_EXTRA_SECONDS = 10
"""What a handshake may take beyond the database's longest answer, so that it is refused instead of dropped."""


REQUESTS_TIMEOUT_SECONDS = 5
"""What requests under way may take when the process stops."""


class PortUnavailable(Exception):
    """Nothing can listen there; the message says why."""


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket, so that a port in use is told in our words before any server starts.

    Raises:
        PortInUse: another program listens there, or the address is not this machine's.
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
    """The address at which a client reaches this socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def print_address(address: str) -> None:
    """The one line on standard output that says the server is ready."""
    sys.stdout.write(f"Listening on {address}\n")
    sys.stdout.flush()


def run_daphne(application: Any, bound: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; calls `serves` once it does."""
    from voipbin_ws.servers.daphne_adapter import ReadyFramesServer, reactor

    ports: list[Any] = []

    class Server(ReadyFramesServer):
        def listen_success(self, port: Any) -> None:
            super().listen_success(port)
            ports.append(port)

    handshake_seconds = settings.DATABASE_ANSWER_SECONDS + HANDSHAKE_EXTRA_SECONDS
    server = Server(
        application,
        endpoints=[f"fd:fileno={bound.detach()}"],  # Twisted makes its own of it and closes this one.
        signal_handlers=False,
        websocket_handshake_timeout=handshake_seconds,
        websocket_connect_timeout=handshake_seconds,
        websocket_timeout=-1,  # Its default ends every connection after a day.
        ping_interval=settings.PING_SECONDS,
        ping_timeout=settings.PONG_SECONDS,
        websocket_max_message_size=MAX_FRAME_BYTES,
        websocket_max_frame_size=MAX_FRAME_BYTES,
        server_name="voipbin-ws",
    )
    loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop

    async def stop() -> None:
        for port in ports:
            port.stopListening()
        await runtime().stop()
        application.is_stopping = True
        await _requests_done(server)
        reactor.callLater(0, reactor.stop)

    def ready() -> None:
        # A peer that has long not read gets as long as ours to come to our close frame; the default is one second.
        # Each call sets the null Origin anew, which the handshake judges itself.
        server.ws_factory.setProtocolOptions(closeHandshakeTimeout=ABORT_SECONDS, allowNullOrigin=True)
        _on_signals(loop, lambda: loop.create_task(stop()))
        loop.call_soon(open_metrics_port)
        on_ready()

    server.ready_callable = ready
    server.run()


def run_uvicorn(application: Any, bound: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; calls `serves` once it does."""
    import uvicorn

    from voipbin_ws.servers.uvicorn_adapter import UvicornProtocol

    # It complains of every handshake that was refused with an answer of our own.
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: "without completing handshake" not in str(record.msg)
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            open_metrics_port()
            on_ready()

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            # Having stopped in order, uvicorn's own lets the signal end the process after all.
            _on_signals(asyncio.get_running_loop(), lambda: setattr(self, "should_exit", True))
            yield

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # Before uvicorn's own shutdown, which closes every socket with 1012 and no word.
            for each in self.servers:
                each.close()
            await runtime().stop()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        application,
        loop="uvloop",
        ws=UvicornProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=settings.PING_SECONDS,
        ws_ping_timeout=settings.PONG_SECONDS,
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,  # Its lines carry the query, and the query the credential.
        log_config=None,
        server_header=False,
        proxy_headers=False,  # The application heeds them, on both servers, from TRUSTED_PROXIES alone.
        timeout_graceful_shutdown=5,
    )
    Server(config).run(sockets=[bound])


async def _requests_done(server: Any) -> None:
    """Wait for requests under way: daphne would only cancel them, and the thread of one that waits for the event loop
    meanwhile would keep the process alive for ever."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REQUESTS_TIMEOUT_SECONDS):
            while under_way := [
                request
                for details in server.connections.values()
                if (request := details.get("application_instance")) is not None and not request.done()
            ]:
                await asyncio.wait(under_way)


SERVERS: dict[str, Callable[[Any, socket.socket, Callable[[], None]], None]] = {
    "daphne": run_daphne,
    "uvicorn": run_uvicorn,
}


def _on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
    """Stop once at the first signal; a second one ends the process at once."""

    def first() -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)
            signal.signal(name, lambda *_: sys.exit(1))
        stop()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, first)
