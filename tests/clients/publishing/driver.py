"""Publishes what the test writes to its standard input, and prints the result of each call."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from voipbin_ws_client import ClientError, Publisher, PublishRefused


def show(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def main() -> None:
    order: dict[str, Any] = json.loads(sys.stdin.readline())
    tokens = iter(order["tokens"])

    async def provide(reason: str) -> str:
        show(reason=reason)
        return next(tokens)

    token = provide if len(order["tokens"]) > 1 else order["tokens"][0]
    publisher = Publisher(order["url"], token=token, max_waiting=order["max_waiting"], random=lambda: 0.01)

    async def call(number: int, events: list[dict[str, Any]]) -> None:
        try:
            receipts = await publisher.publish(*events)
            result: dict[str, Any] = {"ids": [receipt.id for receipt in receipts]}
        except PublishRefused as error:
            result = {"error": "PublishRefused", "status": error.status, "errors": list(error.errors)}
        except ClientError as error:
            result = {"error": type(error).__name__}
        show(call=number, **result)

    await asyncio.gather(*(call(number, events) for number, events in enumerate(order["calls"])))
    await publisher.flush()
    await publisher.aclose()
    show(waiting=publisher.waiting)


asyncio.run(main())
