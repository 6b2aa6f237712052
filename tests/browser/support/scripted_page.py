"""The JavaScript client in a page of the scripted server, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.conformance.server import PATIENCE_SECONDS, ScriptedServer
from tests.support.processes import ROOT

SCRIPTS = {
    **{f"/{path.name}": path for path in (ROOT / "clients/javascript").glob("*.js")},
    "/harness.js": Path(__file__).with_name("client_harness.js"),
}


class ServerWithPage(ScriptedServer):
    """A scripted server that also serves an empty page and the scripts."""

    async def _decide(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/":
            return _file("text/html", b"<!doctype html><link rel=icon href=data:,>")
        if request.path in SCRIPTS:
            return _file("text/javascript", SCRIPTS[request.path].read_bytes())
        return await super()._decide(connection, request)


def _file(kind: str, content: bytes) -> Response:
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close"})
    return Response(200, "OK", headers, content)


class ThreadedServer:
    """A ScriptedServer in another thread: playwright's synchronous API blocks this one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: ScriptedServer) -> None:
        self._loop = loop
        self.server = server

    def play(self, step: Mapping[str, Any]) -> None:
        """See `ScriptedServer.play`."""
        playing = asyncio.run_coroutine_threadsafe(self.server.play(step), self._loop)
        playing.result(PATIENCE_SECONDS * 2)


@contextmanager
def scripted_server() -> Iterator[ThreadedServer]:
    """Run a scripted server until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(PATIENCE_SECONDS)

    server = ServerWithPage()
    try:
        run(server.__aenter__())
        yield ThreadedServer(loop, server)
        run(server.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def open_harness(page: Page, url: str) -> None:
    """Open the server's page with the client and the harness."""
    page.goto(f"http://{urlsplit(url).netloc}/")
    page.evaluate("async () => { window.harness = await import('/harness.js') }")
