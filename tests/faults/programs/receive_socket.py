"""A client on the library websocket-client; prints all frames as lines of JSON."""

from __future__ import annotations

import json
import os
import sys
import time

import websocket


def main() -> None:
    since: str | None = None
    while True:
        try:
            connection = websocket.create_connection(f"{os.environ['WS_URL']}?token={os.environ['TOKEN']}")
            message = {"type": "subscribe", "topics": [os.environ["TOPIC"]]}
            connection.send(json.dumps(message if since is None else {**message, "since": since}))
            while text := connection.recv():
                since = json.loads(text).get("cursor") or since
                sys.stdout.write(f"{text if isinstance(text, str) else text.decode()}\n")
                sys.stdout.flush()
        except (websocket.WebSocketException, OSError):
            pass
        time.sleep(0.1)


if __name__ == "__main__":
    main()
