"""A client's WebSocket on the whole application, without a server."""

from __future__ import annotations

import json
from typing import Any

from channels.testing import WebsocketCommunicator

from tests.support.frames import check_received
from voipbin_ws.asgi import application

PATIENCE_SECONDS = 20


class Socket:
    """A client of the application, without a server."""

    def __init__(self, query: str = "", *, path: str = "/v1.0/ws", **headers: str) -> None:
        given = [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in ({"host": "localhost"} | headers).items()
        ]
        self._communicator = WebsocketCommunicator(application, f"{path}?{query}", given)
        self._communicator.scope["client"] = ["192.0.2.7", 5]

    async def connect(self, extensions: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Open the connection; returns the application's whole answer to the handshake."""
        self._communicator.scope["extensions"] = extensions or {}
        await self._communicator.send_input({"type": "websocket.connect"})
        answers = [await self.output()]
        if answers[0]["type"] == "websocket.http.response.start":
            answers.append(await self.output())
        return answers

    async def open(self) -> Socket:
        (answer,) = await self.connect()
        assert answer["type"] == "websocket.accept"
        return self

    async def output(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._communicator.receive_output(PATIENCE_SECONDS)
        return message

    async def send(self, message: Any) -> None:
        if isinstance(message, bytes):
            await self._communicator.send_input({"type": "websocket.receive", "bytes": message})
        else:
            text = message if isinstance(message, str) else json.dumps(message)
            await self._communicator.send_input({"type": "websocket.receive", "text": text})

    async def frame(self) -> Any:
        output = await self.output()
        assert output["type"] == "websocket.send", output
        frame = json.loads(output["text"])
        check_received(frame)
        return frame

    async def ask(self, message: Any) -> Any:
        await self.send(message)
        return await self.frame()

    async def subscribe(self, *topics: str, **fields: Any) -> Any:
        return await self.ask({"type": "subscribe", "topics": topics, **fields})

    async def closed(self) -> tuple[dict[str, Any], int]:
        """The closing frame and the close code, after which the connection is ended."""
        frame, close = await self.frame(), await self.output()
        assert close["type"] == "websocket.close", close
        await self.leave(close["code"])
        return frame, close["code"]

    async def leave(self, code: int = 1000) -> None:
        await self._communicator.send_input({"type": "websocket.disconnect", "code": code})
        await self._communicator.wait(PATIENCE_SECONDS)
