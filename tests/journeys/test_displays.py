"""The key of a wallboard on both servers: what its connection receives, and what it may not do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, new_id
from tests.journeys.support.conversation import Conversation, get, publish
from tests.journeys.support.event_stream import EventStream
from tests.journeys.test_summaries import queue_event
from tests.support.gateway import Gateway

KEYS = "/v1.0/control/access-keys"


def control(gateway: Gateway, acme: Company, method: str, path: str, **content: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {acme.token('admin')}"}
    return httpx.request(method, f"{gateway.url}{path}", json=content or None, headers=headers, timeout=30)


def all_until_waiting(frames: Any, count: int) -> list[Any]:
    """All events up to the summary in which so many callers wait."""
    found = []
    while not found or found[-1]["data"].get("waiting") != count:
        frame = frames.receive()
        if "event_type" in frame:
            found.append(frame)
    return found


@pytest.fixture(scope="module")
def key(gateway_on_each_stack: Gateway, acme: Company) -> dict[str, str]:
    made = control(gateway_on_each_stack, acme, "POST", KEYS, kind="display", label="Front wall")
    assert made.status_code == 201, made.text
    found: dict[str, str] = made.json()
    return found


def test_a_wallboard_receives_figures_and_no_event_not_even_one_of_the_resource_summary(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company, key: dict[str, str]
) -> None:
    gateway, publisher, queue, call = (
        gateway_on_each_stack,
        acme.key("that publishes"),
        acme.queues[0],
        new_id(),
    )
    scope, secret = f"customer_id:{acme.id}", key["secret"]
    with (
        Conversation(gateway, secret) as screen,
        EventStream(gateway, secret, f"{scope}:summary:*") as stream,
    ):
        foreign = f"customer_id:{globex.id}:summary:*"
        for refused in (f"{scope}:call:*", f"{scope}:*:*", f"{scope}:queue:{queue}", foreign):
            answer = screen.ask({"type": "subscribe", "topics": [refused]})
            assert (answer["type"], answer["code"]) == ("error", "PERMISSION_DENIED"), refused
        screen.subscribe(f"{scope}:summary:*")
        publish(
            gateway,
            publisher,
            {"event_type": "summary.created", "data": {"id": "all", "text": "+15550009999"}},
            {"event_type": "call.created", "data": {"id": call, "source": {"target": "+15550009999"}}},
            queue_event("joined", queue, call),
        )
        for frames in (screen, stream):
            shown = all_until_waiting(frames, 1)
            assert {each["event_type"] for each in shown} == {"summary.changed"}
            assert "+15550009999" not in str(shown)
        row = control(gateway, acme, "GET", f"{KEYS}/{key['id']}").json()
        assert row["last_used_at"] is not None
        publish(gateway, publisher, queue_event("abandoned", queue, call))


def test_a_wallboard_cannot_publish_or_read_and_ends_when_its_key_is_revoked(
    gateway_on_each_stack: Gateway, acme: Company, key: dict[str, str]
) -> None:
    gateway, secret = gateway_on_each_stack, key["secret"]
    event = {"event_type": "call.created", "data": {"id": new_id()}}
    headers = {"Authorization": f"Bearer {secret}"}
    for path in ("/v1.0/events", "/v1.0/webhooks/voipbin", "/v1.0/control/tokens", "/v1.0/messages"):
        answer = httpx.post(f"{gateway.url}{path}", json=event, headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED"), path
    for path in ("/v1.0/events", "/v1.0/calls", "/v1.0/me", KEYS):
        assert get(gateway, secret, path).status_code == 403, path
    assert get(gateway, secret, "/v1.0/display").json()["name"] == "Front wall"
    with Conversation(gateway, secret) as screen:
        screen.subscribe(f"customer_id:{acme.id}:summary:*")
        assert control(gateway, acme, "DELETE", f"{KEYS}/{key['id']}").status_code == 204
        assert screen.until_closed()[1] == 4403
    assert get(gateway, secret, "/v1.0/summary").status_code == 401
