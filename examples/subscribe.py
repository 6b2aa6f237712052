"""Print each event of the given topics as a line of JSON; reconnect after any break."""

import json
import os
import random
import sys
import time
from typing import Any

import websocket  # pip install websocket-client

FINAL = ("UNAUTHORIZED", "FORBIDDEN_ORIGIN", "NOT_FOUND", "INVALID_REQUEST")


def code_of(broken: Any) -> object:
    """Return the code with which the gateway refused; None if a proxy answered, or nothing did."""
    try:
        return json.loads(broken.resp_body)["code"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


url = f"{os.environ['VOIPBIN_WS_URL']}?token={os.environ['VOIPBIN_TOKEN']}"
cursor, pause, retry = None, 1.0, True
while retry:
    try:
        socket = websocket.create_connection(url, timeout=60, redirect_limit=0)  # It pings every 20 s.
        socket.send(json.dumps({"type": "subscribe", "topics": sys.argv[1:], "since": cursor}))
        for frame in map(json.loads, iter(socket.recv, "")):
            if "event_type" in frame:
                print(json.dumps(frame), flush=True)
            elif frame["type"] == "error" or frame.get("recovered") is False:
                print(frame, file=sys.stderr)
                retry = frame.get("retry", True)
            if "cursor" in frame:
                cursor, pause = frame["cursor"], 1.0
    except (OSError, websocket.WebSocketException) as broken:
        print(broken, file=sys.stderr)
        retry = retry and code_of(broken) not in FINAL
    time.sleep(pause * random.random())
    pause = min(pause * 2, 30.0)
sys.exit("The gateway refuses this client: see above")
