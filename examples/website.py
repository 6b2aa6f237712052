"""A web site whose page shows events live: it gives the page a short-lived token instead of the access key.

To try it with `make run`, allow the site's origin, and set the variables that `make run` prints:

    WEBSOCKET_ORIGINS=http://127.0.0.1:8080 make run
    python3 examples/website.py 8080

and open http://127.0.0.1:8080/.
"""

import json
import os
import sys
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOPIC = f"customer_id:{os.environ['VOIPBIN_CUSTOMER_ID']}:call:*"
PAGE = Path(__file__).with_name("website.html")
SCRIPTS = Path(__file__).parents[1] / "clients/javascript"


def new_token() -> bytes:
    """Make a token for one page. A real site checks first who asks, and chooses the topics of this person."""
    request = urllib.request.Request(  # noqa: S310 (the operator's own address)
        f"{os.environ['VOIPBIN_API_URL']}/v1.0/control/tokens",
        data=json.dumps({"allowed_topics": [TOPIC], "lifetime_seconds": 60}).encode(),
        headers={"Authorization": f"Bearer {os.environ['VOIPBIN_PUBLISH_KEY']}"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        token: str = json.load(response)["token"]
    given = {"url": os.environ["VOIPBIN_WS_URL"], "token": token, "topic": TOPIC}
    return json.dumps(given).encode()


class Site(SimpleHTTPRequestHandler):
    """The page, the scripts of the client, and `POST /token`."""

    def do_GET(self) -> None:
        if self.path == "/":
            self.answer("text/html; charset=utf-8", PAGE.read_bytes())
        else:
            super().do_GET()

    def do_POST(self) -> None:
        try:
            self.answer("application/json", new_token())
        except OSError as error:
            self.send_error(503, f"No token: {error}")

    def answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), partial(Site, directory=str(SCRIPTS))) as server:
    server.serve_forever()
