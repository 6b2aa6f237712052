#!/usr/bin/env python3
"""Answer text messages by rules, each once, and respect STOP.

    VOIPBIN_WS_URL=… VOIPBIN_TOKEN=… VOIPBIN_CUSTOMER_ID=… PLATFORM_API_URL=… \\
        python examples/auto_responder.py --rules my-rules.toml --database my.sqlite3

The program receives messages from the gateway, and the platform sends the replies. No message is missed: the gateway's
cursor is stored in the same transaction as the replies to the events before it. No message is answered twice: a reply
has the id of its message. A second reply to it finds the row of the first one here. A second attempt after a crash
between sending and recording has the same Idempotency-Key, by which the platform recognises it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parent
# The modules of this program, and the client and the rule for telephone numbers of this checkout.
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "clients" / "python" / "src")]

from voipbin_ws_client import Event, Gap, Refusal, Terminated, Unauthorized  # noqa: E402

from examples.answering.errors import FatalError, log, retry_delays  # noqa: E402
from examples.answering.gateway import Gateway  # noqa: E402
from examples.answering.messages import read_message  # noqa: E402
from examples.answering.platform import Platform  # noqa: E402
from examples.answering.rules import Rules, read_rules  # noqa: E402
from examples.answering.store import Store  # noqa: E402

MAX_STOP_SECONDS = 5.0
"""How long a reply that is being sent may take after a signal to stop."""


class Responder:
    """Receives messages and sends replies until `stop` is set."""

    def __init__(self, gateway: Gateway, platform: Platform, rules: Rules, store: Store) -> None:
        self.stop = asyncio.Event()
        self._gateway = gateway
        self._platform = platform
        self._rules = rules
        self._store = store
        self._wakeup = asyncio.Event()

    async def run(self) -> None:
        """Run until `stop` is set.

        Raises:
            FatalError, Terminated: only the operator can correct the cause.
        """
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
            receiving, sending, stopping = map(
                asyncio.ensure_future, (self._receive(http), self._send(http), self.stop.wait())
            )
            await asyncio.wait({receiving, sending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            self.stop.set()
            self._wakeup.set()
            receiving.cancel()
            # If its result is recorded, the reply need not be sent again.
            await asyncio.wait({sending}, timeout=MAX_STOP_SECONDS)
            sending.cancel()
            for ended in await asyncio.gather(receiving, sending, stopping, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended

    async def _receive(self, http: httpx.AsyncClient) -> None:
        if self._store.cursor is None:
            await self._read_history(http)
        async with self._gateway.client(self._store.cursor) as client:
            async for item in client:
                match item:
                    case Event():
                        message = read_message(item.frame)
                        self._store.record([message] if message else [], self._rules, client.cursor)
                        self._wakeup.set()
                    case Gap():
                        log(f"Messages may be missing ({item.reason}): reading what the log still has")
                        await self._read_history(http)
                        self._store.record([], self._rules, client.cursor)
                    case Refusal():
                        raise FatalError(f"The gateway refuses {', '.join(item.topics)}: {item.message}")

    async def _read_history(self, http: httpx.AsyncClient) -> None:
        """Record the messages of the log: opt-outs, and replies that are not too late."""
        since = max(self._store.begun_at, datetime.now(UTC) - self._rules.answer_within)
        async for messages, cursor in self._gateway.history(http):
            self._store.record(messages, self._rules, cursor, since=since)
            self._wakeup.set()

    async def _send(self, http: httpx.AsyncClient) -> None:
        pause = retry_delays()
        while not self.stop.is_set():
            self._wakeup.clear()
            if await self._send_waiting(http):
                pause = retry_delays()
                await self._wakeup.wait()
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stop.wait(), next(pause))

    async def _send_waiting(self, http: httpx.AsyncClient) -> bool:
        """Send the waiting replies; return whether none is left.

        A reply that fails does not hold up the others.
        """
        number, is_done = 0, True
        while not self.stop.is_set() and (reply := self._store.next_waiting(number)):
            number = reply.number
            state: str | None = "dropped"
            if datetime.now(UTC) - reply.at <= self._rules.answer_within:
                try:
                    state = await self._platform.send(http, reply)
                except httpx.TransportError as error:
                    log(f"The platform cannot be reached ({str(error) or type(error).__name__})")
                    return False
            if state is None:
                is_done = False
            else:
                self._store.set_state(reply, state)
        return is_done


# --- Starting ---

REQUIRED = {
    "VOIPBIN_WS_URL": "the gateway's address, such as wss://ws.example.com/v1.0/ws",
    "VOIPBIN_TOKEN": "a credential that may subscribe to messages",
    "VOIPBIN_CUSTOMER_ID": "the customer whose messages are answered",
    "PLATFORM_API_URL": "the root of the API that sends messages, such as https://api.example.com",
}


async def respond(rules: Rules, database: Path) -> None:
    """Run with the settings of the environment until SIGINT or SIGTERM.

    Raises:
        FatalError, Terminated, sqlite3.Error: only the operator can correct the cause.
    """
    for name, what in REQUIRED.items():
        if not os.environ.get(name):
            raise FatalError(f"Set {name}: {what}")
    url, token, customer_id, platform_url = (os.environ[name] for name in REQUIRED)
    gateway = Gateway(url, token, customer_id)
    try:
        gateway.client(None)
    except ValueError as error:
        raise FatalError(f"VOIPBIN_WS_URL: {error}") from None
    if not re.fullmatch(r"https?://[^/?#\s]+[^?#\s]*", platform_url):
        raise FatalError(f"PLATFORM_API_URL: {platform_url!r} is no address such as https://api.example.com")
    key = os.environ.get("PLATFORM_API_KEY", "")
    store = Store(database, customer_id, datetime.now(UTC), rules.region)
    try:
        responder = Responder(gateway, Platform(platform_url.rstrip("/"), key, customer_id), rules, store)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, responder.stop.set)
        await responder.run()
    finally:
        store.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rules", type=Path, default=HERE / "auto_responder.toml", help="the rules, in TOML")
    parser.add_argument(
        "--database",
        type=Path,
        default=Path("auto_responder.sqlite3"),
        help="the SQLite file; created if it does not exist",
    )
    options = parser.parse_args(arguments)
    try:
        asyncio.run(respond(read_rules(options.rules), options.database))
    except Unauthorized as error:
        problem = f"The gateway does not accept VOIPBIN_TOKEN: {error}"
    except sqlite3.Error as error:
        problem = f"{options.database} cannot be used: {error}"
    except (FatalError, Terminated) as error:
        problem = str(error)
    else:
        return 0
    print(f"auto_responder: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
