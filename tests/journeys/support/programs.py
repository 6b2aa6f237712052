"""A program that prints what it receives, one JSON a line, in a process of its own."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.journeys.support.cast import Company, new_id
from tests.journeys.support.conversation import PATIENCE_SECONDS, publish
from tests.support.gateway import Gateway
from tests.support.waiting import wait_until


class Program:
    """Started with the gateway's address and a credential in its environment; use it as a context, which ends it.

    Its standard input stays open and empty.
    """

    def __init__(
        self,
        gateway: Gateway,
        company: Company,
        credential: str,
        command: Sequence[str],
        *,
        errors: Path,
        path: str = os.defpath,
    ) -> None:
        self._gateway = gateway
        self._company = company
        self._lines: queue.Queue[str] = queue.Queue()
        with errors.open("w") as log:
            self._process = subprocess.Popen(
                command,
                env={
                    "PATH": path,
                    "VOIPBIN_WS_URL": gateway.ws_url,
                    "VOIPBIN_TOKEN": credential,
                    "VOIPBIN_CUSTOMER_ID": company.id,
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def next(self) -> dict[str, Any]:
        """The next line that it prints, read as JSON."""
        return json.loads(self._lines.get(timeout=PATIENCE_SECONDS))

    def events_until(self, cursor: str) -> list[dict[str, Any]]:
        """What it printed up to and with the event that has this cursor."""
        events: list[dict[str, Any]] = []
        while not events or events[-1].get("cursor") != cursor or "id" not in events[-1]:
            events.append(self.next())
        return events

    def wait_until_it_receives(self) -> None:
        """Publish calls until it prints something, and take all that it prints of them."""

        def call() -> str:
            event = {"event_type": "call.created", "data": {"id": new_id()}}
            (receipt,) = publish(self._gateway, self._company.key("that publishes"), event)
            return str(receipt["cursor"])

        wait_until(lambda: call() and not self._lines.empty(), "the program to listen")
        # The first line may be the acknowledgement, and what was published just before it is not received.
        self.events_until(call())
