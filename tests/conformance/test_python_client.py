"""The Python client on the conformance suite."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from voipbin_ws_client import Event, EventClient, Gap, Item, StateChange, SubscriptionRefused
from voipbin_ws_client.errors import Forbidden, NotAGateway, ProtocolError, Unauthorized

from tests.conformance.clock import ManualClock
from tests.conformance.server import PATIENCE_SECONDS, SERVER_STEPS, ScriptedServer

CASES = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parent / "cases").glob("*.json"))
}
ERRORS = {
    "unauthorized": Unauthorized,
    "forbidden": Forbidden,
    "protocol_error": ProtocolError,
    "not_a_gateway": NotAGateway,
}


class Runner:
    """A client that plays one case."""

    def __init__(self, case: Mapping[str, Any], server: ScriptedServer) -> None:
        self.provider_reasons: list[str] = []
        self.clock = ManualClock()
        self._server = server
        self._changes: asyncio.Queue[StateChange] = asyncio.Queue()
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._tokens = iter(case["client"].get("tokens", ()))
        settings = case["client"]
        self.client = EventClient(
            server.url,
            token=self._provide if "tokens" in settings else settings.get("token"),
            topics=settings.get("topics", ()),
            cursor=settings.get("cursor"),
            batch=settings.get("batch", False),
            transport=settings.get("transport", "auto"),
            on_state=self._changes.put_nowait,
            max_waiting=settings.get("max_waiting", 1000),
            clock=self.clock,
            random=lambda: case.get("random", 0.5),
        )

    async def _provide(self, reason: str) -> str:
        self.provider_reasons.append(reason)
        token = next(self._tokens)
        if token is None:
            await asyncio.Event().wait()
        return token

    async def play(self, step: Mapping[str, Any]) -> None:
        [(name, details)] = step.items()
        if name in SERVER_STEPS:
            await self._server.play(step)
            return
        async with asyncio.timeout(PATIENCE_SECONDS):
            await getattr(self, f"_{name}")(details)

    async def _subscribe(self, call: Mapping[str, Any]) -> None:
        self._calls[call["as"]] = asyncio.create_task(
            self.client.subscribe(*call["topics"], filter=call.get("filter"))
        )
        await asyncio.sleep(0)

    async def _unsubscribe(self, call: Mapping[str, Any]) -> None:
        self._calls[call["as"]] = asyncio.create_task(self.client.unsubscribe(*call["topics"]))
        await asyncio.sleep(0)

    async def _granted(self, call: str) -> None:
        await self._calls.pop(call)

    async def _refused(self, wanted: Mapping[str, Any]) -> None:
        with pytest.raises(SubscriptionRefused) as refused:
            await self._calls.pop(wanted["call"])
        assert {name: _plain(getattr(refused.value, name)) for name in wanted if name != "call"} == {
            name: value for name, value in wanted.items() if name != "call"
        }

    async def _item(self, wanted: Mapping[str, Any]) -> None:
        [(kind, fields)] = wanted.items()
        item = await anext(self.client)
        assert _kind(item) == kind, item
        assert {name: _plain(getattr(item, name)) for name in fields} == fields

    async def _state(self, wanted: Mapping[str, Any]) -> None:
        change = await self._changes.get()
        assert {name: getattr(change, name) for name in wanted} == wanted, change

    async def _cursor(self, wanted: str | None) -> None:
        while self.client.cursor != wanted:
            await asyncio.sleep(0.01)

    async def _wait(self, seconds: float) -> None:
        await self.clock.slept_for(seconds)
        self.clock.move(seconds)

    async def _move(self, seconds: float) -> None:
        self.clock.move(seconds)

    async def _failed(self, wanted: Mapping[str, Any]) -> None:
        with pytest.raises(ERRORS[wanted["error"]]) as failed:
            await anext(self.client)
        assert str(failed.value) == wanted.get("message", str(failed.value))
        assert self.client.state == "failed"

    async def _close_client(self, _: object) -> None:
        await self.client.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(self.client)


def _kind(item: Item) -> str:
    return "event" if isinstance(item, Event) else "gap" if isinstance(item, Gap) else "refusal"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_case(case: Mapping[str, Any]) -> None:
    async with ScriptedServer() as server:
        runner = Runner(case, server)
        async with runner.client:
            for number, step in enumerate(case["steps"], 1):
                try:
                    await runner.play(step)
                except (AssertionError, TimeoutError) as error:
                    raise AssertionError(
                        f"{case['why']}: step {number}, {json.dumps(step)}: {error!r}"
                    ) from error
        assert runner.provider_reasons == case.get("provider_reasons", runner.provider_reasons)
        assert server.attempts.empty()
        assert server.streams.empty()
    assert asyncio.all_tasks() == {asyncio.current_task()}
