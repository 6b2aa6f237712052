"""A small platform API: HTTP requests become commands to the simulated contact centre."""

from __future__ import annotations

import hmac
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from voipbin_ws.demo.simulation.commands import Command, CommandQueue
from voipbin_ws.demo.simulation.model.agents import Impossible
from voipbin_ws.demo.simulation.model.contact_centre import ContactCentre

MAX_BYTES = 16 * 2**10


class BadRequest(Exception):
    """A request that is no command; `status` is HTTP's, the message says what is right."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class PlatformServer(ThreadingHTTPServer):
    """The API on a port of this machine. A context manager, which starts and stops it.

    Args:
        port: 0 for a free one.
        key: expected in `Authorization: Bearer`; empty if none is needed.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, key: str, commands: CommandQueue) -> None:
        super().__init__(("127.0.0.1", port), _Request)
        self.key = key
        self.commands = commands
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> PlatformServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Request(BaseHTTPRequestHandler):
    server: PlatformServer
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:
        # The rest of a request that was not read must not be taken for the next one.
        self.close_connection = True
        try:
            self._answer(
                200, self.server.commands.submit(self._command(), self.headers.get("Idempotency-Key"))
            )
        except BadRequest as error:
            self._answer(error.status, {"message": str(error)})
        except Impossible as error:
            self._answer(409, {"message": str(error)})
        except TimeoutError:
            self._answer(503, {"message": "The simulator is busy: nothing was done"})

    do_PUT = do_POST  # noqa: N815

    def _command(self) -> Command:
        given = self.headers.get("Authorization", "")
        if self.server.key and not hmac.compare_digest(given.encode(), f"Bearer {self.server.key}".encode()):
            raise BadRequest(401, "Send the platform's key: Authorization: Bearer …")
        # A web page cannot send this type to another site unless that site allows it.
        if self.headers.get_content_type() != "application/json":
            raise BadRequest(415, "Send JSON, as application/json")
        length = self.headers.get("Content-Length") or ""
        if not (length.isascii() and length.isdecimal() and len(length) < 9 and int(length) <= MAX_BYTES):
            raise BadRequest(413, f"Send a body of up to {MAX_BYTES} bytes, and say its length")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise BadRequest(400, "Send a JSON object")
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        return command_of(self.command, parts, body)

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Discard the line: the simulator's terminal shows other things."""


def command_of(method: str, path: list[str], body: dict[str, Any]) -> Command:
    """Return the command that a request asks for.

    Raises:
        BadRequest: there is no such command.
    """
    match [method, *path]:
        case ["PUT", "v1.0", "agents", agent_id, "status"]:
            status = _text(body, "status")
            return lambda centre: _set_status(centre, agent_id, status)
        case ["POST", "v1.0", "calls", call_id, "accept"]:
            agent_id = _text(body, "agent_id")
            return lambda centre: _accept(centre, call_id, agent_id)
        case ["POST", "v1.0", "calls", call_id, "transfer"]:
            to = body.get("to")
            if not isinstance(to, dict) or to.get("type") not in ("agent", "queue"):
                raise BadRequest(400, "This platform transfers to a queue or an agent")
            target = _text(to, "id")
            return lambda centre: centre.transfer(call_id, target)
        case ["POST", "v1.0", "calls", call_id, "voicemail"]:
            return lambda centre: centre.voicemail(call_id)
        case ["POST", "v1.0", "calls", call_id, "hangup"]:
            return lambda centre: centre.hang_up(call_id)
        case ["POST", "v1.0", "messages"]:
            numbers, text, automatic = _destinations(body), _text(body, "text"), body.get("automatic") is True
            return lambda centre: {
                "ids": [centre.send_message(number, text, automatic=automatic) for number in numbers]
            }
    raise BadRequest(404, "There is nothing at this address")


def _set_status(centre: ContactCentre, agent_id: str, status: str) -> dict[str, Any]:
    centre.take_over(agent_id)
    centre.set_status(agent_id, status)
    agent = centre.routing.agents.of(agent_id)
    return {"status": agent.status, "next_status": agent.next_status}


def _accept(centre: ContactCentre, call_id: str, agent_id: str) -> dict[str, Any]:
    centre.take_over(agent_id)
    centre.accept(call_id, agent_id)
    return {"status": "answered"}


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(400, f'"{name}" is needed, as a string')
    return value


def _destinations(body: dict[str, Any]) -> list[str]:
    given = body.get("destinations")
    if (
        not isinstance(given, list)
        or not 0 < len(given) <= 10
        or not all(isinstance(to, dict) for to in given)
    ):
        raise BadRequest(
            400, '"destinations" is a list of 1 to 10: {"type": "tel", "target": "+15551234567"}'
        )
    return [_text(to, "target") for to in given]
