"""A TCP proxy that can swallow everything without closing anything, and change its targets."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence


class Proxy:
    """Forwards from a port of its own to `targets` (ports of this machine) in turn; one that is down is passed over."""

    def __init__(self, targets: Sequence[int]) -> None:
        self.port = 0
        self._targets = list(targets)
        self._turn = itertools.count()
        self._swallowing = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._pipes: set[_Pipe] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        for pipe in list(self._pipes):
            pipe.close()

    def swallow(self) -> None:
        """From now on everything on the open connections vanishes, for ever, and on new ones until `heal`."""
        self._swallowing.set()
        for pipe in self._pipes:
            pipe.swallows = True

    def heal(self) -> None:
        """New connections work again; those that were open stay deaf."""
        self._swallowing.clear()

    def cut(self) -> None:
        """Close all connections."""
        for pipe in list(self._pipes):
            pipe.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self._targets:
            target = self._targets[next(self._turn) % len(self._targets)]
            with contextlib.suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
                break
        else:
            writer.close()
            return
        pipe = _Pipe([writer, far_writer], self._swallowing.is_set())
        self._pipes.add(pipe)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(pipe.forward(reader, far_writer))
                tasks.create_task(pipe.forward(far_reader, writer))
        except* OSError:
            pass
        finally:
            self._pipes.discard(pipe)
            pipe.close()


class _Pipe:
    def __init__(self, writers: list[asyncio.StreamWriter], swallows: bool) -> None:
        self.swallows = swallows
        self._writers = writers

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self.swallows:
                writer.write(data)
                await writer.drain()
        self.close()

    def close(self) -> None:
        for writer in self._writers:
            writer.close()
