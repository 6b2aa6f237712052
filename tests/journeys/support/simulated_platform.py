"""The simulator's platform API beside a gateway: it sends messages that the gateway receives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any, Self

import httpx

from tests.journeys.support.cast import Company
from tests.support.gateway import Gateway
from voipbin_ws.demo.simulation.commands import CommandQueue
from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre
from voipbin_ws.demo.simulation.model.load_profiles import PROFILES
from voipbin_ws.demo.simulation.model.tenants import tenant_of
from voipbin_ws.demo.simulation.platform_api import PlatformServer

KEY = "the-platforms-key"


class SimulatedPlatform:
    """The platform of one customer. Its time stands still, so nothing happens but the test's commands."""

    def __init__(self, customer_id: str) -> None:
        self.sent: list[dict[str, Any]] = []
        """The data of all messages that were sent."""
        self.gateway: Gateway | None = None
        """The gateway to which it publishes them, with the key in `publish_key`."""
        self.publish_key = ""
        self._centre = ContactCentre(
            tenant_of(customer_id), PROFILES["quiet"], seed="platform", start=datetime.now(UTC)
        )
        self._woken = Event()
        self._commanded = Event()
        self._is_held = self._is_over = False
        self.commands = CommandQueue(self._wake)
        self._platform = PlatformServer(0, KEY, self.commands)
        self._thread = Thread(target=self._carry_out, daemon=True)

    def __enter__(self) -> Self:
        self._platform.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._woken.set()
        self._thread.join()
        self._platform.__exit__()

    def environment(self) -> dict[str, str]:
        """Return the variables that give its address to programs and gateways."""
        return {"PLATFORM_API_URL": self._platform.url, "PLATFORM_API_KEY": KEY}

    def publish_to(self, gateway: Gateway, company: Company) -> None:
        self.gateway, self.publish_key = gateway, company.key("that publishes")

    def to(self, number: str) -> list[str]:
        """Return the texts that were sent to this number."""
        return [data["text"] for data in self.sent if data["destination"]["target"] == number]

    @contextmanager
    def held(self) -> Iterator[Event]:
        """Accept commands without executing them; the event is set by the next one."""
        self._is_held = True
        self._commanded.clear()
        yield self._commanded
        self._is_held = False
        self._woken.set()

    def _wake(self) -> None:
        self._woken.set()
        self._commanded.set()

    def _carry_out(self) -> None:
        while not self._is_over:
            self._woken.wait(60)
            self._woken.clear()
            if self._is_held:
                continue
            self.commands.execute(self._centre)
            for reported in self._centre.advance(0.0):
                if reported.event_type == "message.sent":
                    self.sent.append(dict(reported.data))
                    self._publish(reported.item())

    def _publish(self, event: dict[str, Any]) -> None:
        if self.gateway is not None:
            headers = {"Authorization": f"Bearer {self.publish_key}"}
            url = f"{self.gateway.url}/v1.0/events"
            httpx.post(url, json=event, headers=headers, timeout=30, trust_env=False).raise_for_status()
