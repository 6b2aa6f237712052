"""An office whose messages the auto-responder answers: its platform, those who write to it, and the program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.journeys.support.cast import Company
from tests.journeys.support.conversation import publish
from tests.journeys.support.simulated_platform import SimulatedPlatform
from tests.support.gateway import Gateway
from tests.support.processes import ROOT, ServerProcess
from tests.support.waiting import wait_until

HOURS = "We are open Monday to Friday from 9 am to 6 pm, and on Saturday from 10 am to 2 pm."
STOPPED = "You are unsubscribed and will get no more messages from us. Reply START to get them again."
"""As examples/auto_responder.toml says."""

_numbers = iter(range(5_000_000, 6_000_000))


def new_number() -> str:
    return f"+1555{next(_numbers)}"


class Office:
    """A customer's platform, those who write to it, and the program that answers them."""

    def __init__(self, gateway: Gateway, acme: Company, platform: SimulatedPlatform, folder: Path) -> None:
        self.gateway = gateway
        self.acme = acme
        self.platform = platform
        self.folder = folder
        self.database = folder / "kept.sqlite3"
        self.processes: list[ServerProcess] = []

    def start(self, *, ready: bool = True, **environment: str) -> ServerProcess:
        process = ServerProcess(
            [sys.executable, str(ROOT / "examples/auto_responder.py"), "--database", str(self.database)],
            self.folder / f"responder-{len(self.processes)}.log",
            environment={
                "PYTHONUNBUFFERED": "1",
                "VOIPBIN_WS_URL": self.gateway.ws_url,
                "VOIPBIN_TOKEN": self.acme.key("of the customer"),
                "VOIPBIN_CUSTOMER_ID": self.acme.id,
                **self.platform.environment(),
                **environment,
            },
        )
        self.processes.append(process)
        if ready:
            process.wait_ready(lambda: "Listening" in process.log_text(), "the auto-responder")
        return process

    def writes(self, number: str, *texts: str, **more: Any) -> list[dict[str, Any]]:
        """Someone writes; returns the events."""
        events = [
            {
                "event_type": "message.received",
                "data": {"id": f"from-{number}-{next(_numbers)}", "direction": "inbound", "text": text}
                | {"source": {"type": "tel", "target": number}, "destination": {"target": "+15550400400"}}
                | more,
            }
            for text in texts
        ]
        publish(self.gateway, self.acme.key("that publishes"), *events)
        return events

    def got(self, number: str, *texts: str) -> None:
        wait_until(lambda: self.platform.to(number) == list(texts), f"{texts} to {number}")
