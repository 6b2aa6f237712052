"""Publishing over HTTP as a backend does: in order, each event once, through restarts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx

from voipbin_ws.demo.simulation.model.event_recorder import SimulatedEvent
from voipbin_ws.demo.simulation.webhooks import as_webhook

MAX_EVENTS_IN_REQUEST = 500
WEBHOOKS_BELOW = 50
"""From this number of events on, they are published as lists, not as single webhooks."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 5.0


class Refused(Exception):
    """The gateway refuses the events; the message says why, in one line."""


class GaveUp(Exception):
    """The gateway did not answer until the retries were stopped."""


class Publisher:
    """Publishes with one key.

    Args:
        url: the gateway's root, without a path.
        wait: waits for a number of seconds, and returns whether to retry.
        report: takes a line for the operator.
    """

    def __init__(
        self, url: str, key: str, *, wait: Callable[[float], bool], report: Callable[[str], object]
    ) -> None:
        self._url = url
        self._wait = wait
        self._report = report
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=10, trust_env=False
        )
        self.published = 0

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def publish(self, events: Sequence[SimulatedEvent]) -> None:
        """Publish all events, in order.

        What the gateway did not confirm is sent again under the same idempotency key: no event is lost or doubled.

        Raises:
            Refused: the gateway refuses an event.
            GaveUp: `wait` returned false.
        """
        for path, body, key, count in _requests(events):
            self._post(path, body, key)
            self.published += count

    def _post(self, path: str, body: Any, key: str | None) -> None:
        pause = FIRST_PAUSE_SECONDS
        is_down = False
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            failure, retry_after = "", 0.0
            try:
                response = self._client.post(path, json=body, headers=headers)
            except httpx.TransportError as error:
                failure = type(error).__name__
            else:
                if response.status_code == httpx.codes.CREATED:
                    break
                if response.status_code < 500 and response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                    raise Refused(_reason(response))
                failure = f"answers {response.status_code}"
                with contextlib.suppress(ValueError):
                    retry_after = min(float(response.headers.get("Retry-After", 0)), 60.0)
            if not is_down:
                self._report(
                    f"The gateway at {self._url} does not take events ({failure}): trying until it does"
                )
                is_down = True
            if not self._wait(max(pause, retry_after)):
                raise GaveUp(f"The gateway at {self._url} did not come back ({failure})")
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        if is_down:
            self._report(f"The gateway at {self._url} is back: going on where it stopped")


def _requests(events: Sequence[SimulatedEvent]) -> Iterator[tuple[str, Any, str | None, int]]:
    """Yield the requests: path, body, idempotency key of a webhook, number of events."""
    waiting: list[dict[str, Any]] = []
    for event in events:
        webhook = as_webhook(event) if len(events) < WEBHOOKS_BELOW else None
        # A call's final status and its end stay together, so that they are stored in one transaction.
        limit = MAX_EVENTS_IN_REQUEST - (event.event_type != "call.ended")
        if waiting and (webhook is not None or len(waiting) >= limit):
            yield "/v1.0/events", waiting, None, len(waiting)
            waiting = []
        if webhook is not None:
            yield "/v1.0/webhooks/voipbin", webhook, event.key, 1
        else:
            waiting.append(event.item())
    if waiting:
        yield "/v1.0/events", waiting, None, len(waiting)


def _reason(response: httpx.Response) -> str:
    """Return one line about a refusal, with the gateway's message if there is one."""
    try:
        body = response.json()
        return f"{response.status_code} {body['code']}: {_first_detail(body) or body['message']}"
    except (ValueError, KeyError, TypeError):
        return (
            f"{response.status_code} {response.reason_phrase}: this does not look like the gateway's answer"
        )


def _first_detail(body: dict[str, Any]) -> str:
    errors = body.get("errors") or []
    return str(errors[0]["message"]) if errors and body["code"] == "PERMISSION_DENIED" else ""
