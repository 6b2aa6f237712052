"""The Python client: inbox, cursor, cancelling, closing, and invalid arguments."""

# Long because the tests of one module are in one file.

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from voipbin_ws_client import ClientClosed, Event, EventClient, Forbidden, State, StateChange, Unauthorized

from tests.conformance.clock import ManualClock
from tests.conformance.server import ScriptedServer

TOPIC = "customer_id:12345678-1234-1234-1234-123456789012:call:*"
EPOCH = "0123456789ab"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with asyncio.timeout(30), ScriptedServer() as server:
        yield server
        assert asyncio.all_tasks() >= {asyncio.current_task()}


def frame(seq: int, **data: Any) -> str:
    event = {
        "event_type": "call.status",
        "topic": "t",
        "data": {"seq": seq, **data},
        "cursor": f"{EPOCH}.{seq}",
    }
    return json.dumps(event)


async def subscribed(server: ScriptedServer) -> None:
    """Accept a connection and grant its subscription."""
    await server.accept({})
    await grant(server)


async def grant(server: ScriptedServer) -> None:
    message = await server.next_message()
    ack = {"type": "ack", "action": message["type"], "topics": message["topics"], "request_id": "last"}
    await server.send({**ack, "cursor": f"{EPOCH}.0", "recovered": True})


def number_of(item: object) -> int:
    assert isinstance(item, Event)
    return item.data["seq"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"url": "http://example.com"}, "WebSocket address"),
        ({"url": "nonsense"}, "WebSocket address"),
        ({"url": "ws:///v1.0/ws"}, "WebSocket address"),
        ({"url": "ws://example.com", "cursor": "yesterday"}, "no cursor"),
    ],
)
def test_invalid_arguments_raise_at_once(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EventClient(**arguments)  # type: ignore[arg-type]


async def test_the_cursor_follows_the_items_taken_and_not_those_waiting(server: ScriptedServer) -> None:
    async with EventClient(server.url, topics=[TOPIC]) as client:
        await subscribed(server)
        for seq in (1, 2, 3):
            await server.send_text(frame(seq))
        await server.send_text(json.dumps({"type": "pong", "cursor": f"{EPOCH}.9"}))
        cursors = []
        for _ in range(3):
            await anext(client)
            cursors.append(client.cursor)
        while client.cursor != f"{EPOCH}.9":
            await asyncio.sleep(0.01)
    assert cursors[:2] == [f"{EPOCH}.1", f"{EPOCH}.2"]


async def test_an_application_that_does_not_read_stops_the_server_from_sending(
    server: ScriptedServer,
) -> None:
    async with EventClient(
        server.url, topics=[TOPIC], max_waiting=5, idle_seconds=0.01, answer_seconds=0.01
    ) as client:
        await subscribed(server)
        sent = 0
        assert server.socket is not None
        try:
            while True:
                async with asyncio.timeout(1):
                    await server.socket.send(frame(sent + 1, filling="x" * 100_000))
                sent += 1
        except TimeoutError:
            sent += 1  # The last frame is in the server's buffer.
        assert 5 < sent < 500
        assert client.state is State.CONNECTED
        assert [number_of(await anext(client)) for _ in range(sent)] == list(range(1, sent + 1))


async def test_cancelling_the_wait_for_an_item_loses_none(server: ScriptedServer) -> None:
    async with EventClient(server.url, topics=[TOPIC]) as client:
        await subscribed(server)
        for seq in range(1, 20):
            waiting = asyncio.create_task(anext(client))
            await asyncio.sleep(0)
            waiting.cancel()
            assert (await asyncio.gather(waiting, return_exceptions=True))[
                0
            ].__class__ is asyncio.CancelledError
            await server.send_text(frame(seq))
            assert number_of(await anext(client)) == seq


async def test_a_cancelled_subscribe_is_withdrawn(server: ScriptedServer) -> None:
    async with EventClient(server.url, topics=[TOPIC]) as client:
        await subscribed(server)
        subscribing = asyncio.create_task(client.subscribe("other"))
        assert await server.next_message() == {"type": "subscribe", "topics": ["other"]}
        subscribing.cancel()
        assert await server.next_message() == {"type": "unsubscribe", "topics": ["other"]}
        assert client.topics == (TOPIC,)


async def test_a_cancelled_subscribe_does_not_affect_another_one(server: ScriptedServer) -> None:
    async with EventClient(server.url) as client:
        await server.accept({})
        subscribing = [asyncio.create_task(client.subscribe("other")) for _ in range(2)]
        await asyncio.sleep(0)
        subscribing[0].cancel()
        await grant(server)
        await subscribing[1]
        assert client.topics == ("other",)


async def test_subscribing_again_sends_nothing(server: ScriptedServer) -> None:
    async with EventClient(server.url, topics=[TOPIC]) as client:
        await subscribed(server)
        await client.subscribe(TOPIC)
        await client.subscribe(TOPIC, TOPIC)
        await client.unsubscribe("never held")


async def test_closing_ends_every_wait(server: ScriptedServer) -> None:
    async with EventClient(server.url) as client:
        await server.accept({})
        subscribing = asyncio.create_task(client.subscribe(TOPIC))
        await server.next_message()
        reading = asyncio.create_task(anext(client, None))
        await asyncio.sleep(0)
        await client.aclose()
        assert await reading is None
        with pytest.raises(ClientClosed):
            await subscribing
    with pytest.raises(ClientClosed):
        await client.subscribe(TOPIC)
    await client.aclose()


async def test_a_failure_ends_every_wait_with_its_reason(server: ScriptedServer) -> None:
    async with EventClient(server.url, topics=[TOPIC]) as client:
        await server.accept({})
        await server.next_message()
        subscribing = asyncio.create_task(client.subscribe("other"))
        await server.next_message()
        await server.close({"code": 4403, "reason": "Revoked"})
        with pytest.raises(Forbidden, match="Revoked"):
            await subscribing
        for _ in range(2):
            with pytest.raises(Forbidden, match="Revoked"):
                await anext(client)
        with pytest.raises(Forbidden):
            await client.subscribe("more")
    assert client.state is State.FAILED


async def test_a_failing_token_provider_is_called_again(server: ScriptedServer) -> None:
    clock, changes = ManualClock(), asyncio.Queue[StateChange]()
    responses = iter([OSError("the log-in server is away"), "good"])

    async def provide(_: str) -> str:
        response = next(responses)
        if isinstance(response, Exception):
            raise response
        return response

    async with EventClient(
        server.url,
        token=provide,
        topics=[TOPIC],
        clock=clock,
        random=lambda: 0.5,
        on_state=changes.put_nowait,
    ):
        change = await changes.get()
        assert change.current is State.RECONNECTING
        assert "log-in server is away" in str(change.reason)
        await clock.slept_for(0.5)
        clock.move(0.5)
        await server.accept({"token": "good"})


@pytest.mark.parametrize(
    ("response", "error"), [(None, TypeError), (Unauthorized("sign in", 0), Unauthorized)]
)
async def test_a_token_provider_that_returns_no_token_ends_the_client(
    server: ScriptedServer, response: Any, error: type
) -> None:
    async def provide(_: str) -> Any:
        if isinstance(response, Exception):
            raise response
        return response

    async with EventClient(server.url, token=provide) as client:
        with pytest.raises(error):
            await anext(client)


async def test_a_failing_state_handler_does_not_affect_the_client(server: ScriptedServer) -> None:
    def handler(_: StateChange) -> None:
        raise RuntimeError

    async with EventClient(server.url, topics=[TOPIC], on_state=handler) as client:
        await subscribed(server)
        await server.send_text(frame(1))
        assert number_of(await anext(client)) == 1


async def test_a_refused_tcp_connection_is_tried_again() -> None:
    changes = asyncio.Queue[StateChange]()
    async with EventClient("ws://127.0.0.1:1/", on_state=changes.put_nowait, clock=ManualClock()):
        change = await changes.get()
        assert (change.current, change.reason) == (State.RECONNECTING, "Nothing listens there")


async def test_the_token_is_not_in_the_url_and_the_query_stays(server: ScriptedServer) -> None:
    async with EventClient(f"{server.url}?tenant=x&batch=0", token="secret"):
        await server.accept({"token": "secret", "query": {"tenant": "x", "batch": "true", "token": None}})


async def test_closing_leaves_no_task_behind(server: ScriptedServer) -> None:
    before = asyncio.all_tasks()
    async with EventClient(server.url, topics=[TOPIC], max_waiting=1) as client:
        await subscribed(server)
        for seq in (1, 2, 3):
            await server.send_text(frame(seq))
        await anext(client)
    assert {task for task in asyncio.all_tasks() - before if "EventClient" in task.get_name()} == set()
    assert client.state is State.CLOSED
    assert client.cursor == f"{EPOCH}.1"
