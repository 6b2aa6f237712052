"""Publishing over HTTP as any backend would: in order, each event once, through restarts of the gateway."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx

from voipbin_ws.demo.simulation.model.event_recorder import SimulatedEvent
from voipbin_ws.demo.simulation.webhooks import as_webhook

MAX_EVENTS_IN_REQUEST = 500
WEBHOOKS_BELOW = 50
"""With so many events to publish at once, lists of events take the place of webhooks, which go one by one."""

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0


class Refused(Exception):
    """The gateway does not take what is published; the message says why, in one line."""


class GaveUp(Exception):
    """The gateway does not answer, and waiting for it was called off."""


class Publisher:
    """Publishes with one key.

    Args:
        url: the gateway's root, without a path.
        wait: waits so many seconds, and says whether to go on trying.
        say: takes a line for whoever watches.
    """

    def __init__(
        self, url: str, key: str, *, wait: Callable[[float], bool], say: Callable[[str], object]
    ) -> None:
        self._url = url
        self._wait = wait
        self._say = say
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=10, trust_env=False
        )
        self.published = 0

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def publish(self, events: Sequence[SimulatedEvent]) -> None:
        """Publish all of them, in order.

        What the gateway did not confirm is sent again under the same idempotency key, so that nothing is lost or
        doubled.

        Raises:
            Refused: the gateway will not have it.
            GaveUp: `wait` said so.
        """
        for path, body, key, count in _requests(events):
            self._post(path, body, key)
            self.published += count

    def _post(self, path: str, body: Any, key: str | None) -> None:
        pause = FIRST_PAUSE
        away = False
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            trouble, asked_to_wait = "", 0.0
            try:
                answer = self._client.post(path, json=body, headers=headers)
            except httpx.TransportError as error:
                trouble = type(error).__name__
            else:
                if answer.status_code == httpx.codes.CREATED:
                    break
                if answer.status_code < 500 and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                    raise Refused(_reason(answer))
                trouble = f"answers {answer.status_code}"
                with contextlib.suppress(ValueError):
                    asked_to_wait = min(float(answer.headers.get("Retry-After", 0)), 60.0)
            if not away:
                self._say(
                    f"The gateway at {self._url} does not take events ({trouble}): trying until it does"
                )
                away = True
            if not self._wait(max(pause, asked_to_wait)):
                raise GaveUp(f"The gateway at {self._url} did not come back ({trouble})")
            pause = min(pause * 2, LONGEST_PAUSE)
        if away:
            self._say(f"The gateway at {self._url} is back: going on where it stopped")


def _requests(events: Sequence[SimulatedEvent]) -> Iterator[tuple[str, Any, str | None, int]]:
    """The requests in which these are published: path, body, key of a webhook, number of events."""
    waiting: list[dict[str, Any]] = []
    for event in events:
        webhook = as_webhook(event) if len(events) < WEBHOOKS_BELOW else None
        if waiting and (webhook is not None or len(waiting) == MAX_EVENTS_IN_REQUEST):
            yield "/v1.0/events", waiting, None, len(waiting)
            waiting = []
        if webhook is not None:
            yield "/v1.0/webhooks/voipbin", webhook, event.key, 1
        else:
            waiting.append(event.item())
    if waiting:
        yield "/v1.0/events", waiting, None, len(waiting)


def _reason(answer: httpx.Response) -> str:
    """One line about a refusal, in the gateway's own words where it gave some."""
    try:
        said = answer.json()
        return f"{answer.status_code} {said['code']}: {_first_detail(said) or said['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.reason_phrase}: this does not look like the gateway's answer"


def _first_detail(said: dict[str, Any]) -> str:
    errors = said.get("errors") or []
    return str(errors[0]["message"]) if errors and said["code"] == "PERMISSION_DENIED" else ""
