"""The watch for agents whose desktop is gone: the simulation acts for them again."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any

import httpx

from voipbin_ws.demo.simulation.commands import CommandQueue
from voipbin_ws.demo.simulation.model.agents import Impossible
from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre

PAUSE_SECONDS = 5.0


class DesktopWatch:
    """Reads from the gateway which agents are connected, while clients act for some.

    A context manager, which starts and stops its thread.
    """

    def __init__(self, url: str, key: str, commands: CommandQueue) -> None:
        self._commands = commands
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=10, trust_env=False
        )
        self._stopped = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> DesktopWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._client.close()

    def _run(self) -> None:
        while not self._stopped.wait(PAUSE_SECONDS):
            try:
                self.look()
            except (httpx.HTTPError, TimeoutError, Impossible, RuntimeError):
                # The gateway restarts, or the simulator publishes or stops: the next look follows.
                continue

    def look(self) -> None:
        """Return the agents without a desktop to the simulation.

        Raises:
            httpx.HTTPError: The gateway does not answer.
            TimeoutError: The runner is busy.
        """
        if not self._commands.submit(_manual_agents)["ids"]:
            return
        connected: list[str] = []
        query: dict[str, str] = {"limit": "500"}
        while True:
            page = self._client.get("/v1.0/agents", params=query).raise_for_status().json()
            connected += [each["resource_id"] for each in page["items"] if each["data"].get("connected")]
            if not page["next"]:
                break
            query["next"] = page["next"]
        self._commands.submit(lambda centre: centre.return_absent(connected))


def _manual_agents(centre: ContactCentre) -> dict[str, Any]:
    return {"ids": centre.manual_agents}
