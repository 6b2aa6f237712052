"""A client of event streams on plain httpx, which reads the format of WHATWG HTML, section 9.2, by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from tests.journeys.support.conversation import PATIENCE_SECONDS, Frame
from tests.support.gateway import Gateway


class EventStream:
    """One response; `status` and `content` are those of a refusal."""

    def __init__(
        self,
        gateway: Gateway,
        credential: str,
        *topics: str,
        last: str = "",
        query: Sequence[tuple[str, str]] = (),
        **parameters: str,
    ) -> None:
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        if last:
            headers["Last-Event-ID"] = last
        if topics:
            parameters["topics"] = ",".join(topics)
        self._client = httpx.Client(timeout=PATIENCE_SECONDS)
        # Not by httpx, which would put parameters of the same name together.
        address = f"{gateway.url}/v1.0/sse?{urlencode([*query, *parameters.items()])}"
        request = self._client.build_request("GET", address, headers=headers)
        self.response = self._client.send(request, stream=True)
        self.ids: list[str] = []
        self.comments = 0
        self._messages = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()
        self._client.close()

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.response.read())
        return content

    def _read(self) -> Iterator[Frame]:
        rest, data = b"", ""
        for part in self.response.iter_raw():
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                name, _, value = line.decode().partition(":")
                if name == "data":
                    data = value.removeprefix(" ")
                elif name == "id":
                    self.ids.append(value.removeprefix(" "))
                elif not name and value == "" and line:
                    self.comments += 1
                elif not line and data:
                    yield json.loads(data)
                    data = ""

    def receive(self) -> Frame:
        """The next frame.

        Raises:
            StopIteration: the response has ended.
        """
        return next(self._messages)

    def until_end(self) -> list[Frame]:
        """All frames up to the end of the response."""
        return list(self._messages)

    def until(self, cursor: str) -> list[Frame]:
        """All frames up to and with the event that has this cursor."""
        frames = [self.receive()]
        while frames[-1].get("cursor") != cursor:
            frames.append(self.receive())
        return frames
