"""The smallest client in Python: it retries what is temporary, and says by its exit code that it gave up."""

from __future__ import annotations

import asyncio
import json
import os
import sys

from tests.conformance.server import ScriptedServer
from tests.support.processes import ROOT

TOPIC = "customer_id:12345678-1234-1234-1234-123456789012:call:*"
EVENT = {"event_type": "call.created", "cursor": "0a0b0c0d0e0f.11"}


async def test_only_a_refusal_of_the_gateway_ends_it_and_not_with_success() -> None:
    async with ScriptedServer() as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "examples" / "subscribe.py"),
            TOPIC,
            env={**os.environ, "VOIPBIN_WS_URL": server.url, "VOIPBIN_TOKEN": "t"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        steps = [
            {"refuse": {"status": 503}},
            {"refuse": {"status": 302, "html": "Sign in", "location": "/login"}},
            {"accept": {"token": "t"}},
            {"receive": {"type": "subscribe", "topics": [TOPIC], "since": None}},
            {"send": EVENT},
            {"drop": {}},
            {"refuse": {"status": 404, "html": "No such page"}},
            {"refuse": {"status": 401, "body": {"code": "UNAUTHORIZED", "message": "Revoked"}}},
        ]
        for step in steps:
            await server.play(step)
        output, errors = await process.communicate()
    assert json.loads(output) == EVENT
    assert process.returncode == 1
    assert b"Revoked" in errors
