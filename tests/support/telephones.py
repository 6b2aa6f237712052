"""Telephones of SIPp: each makes or takes one call, and waits where a test wants to look."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

HOST = "127.0.0.1"
CALLER = "<sip:+15552004711@example.com>;tag=caller"
LINE = "+15550100100"

_WAIT = '<recv request="INFO"/>'
_CONTACT = "Contact: <sip:phone@[local_ip]:[local_port]>"


def _send(start: str, *headers: str) -> str:
    lines = [start, *headers, _CONTACT, "Max-Forwards: 70", "Content-Length: 0", "", ""]
    return "<send><![CDATA[\n" + "\n".join(lines) + "\n]]></send>"


def _request(method: str, number: int, *, via: str = "", to: str = f"<sip:{LINE}@example.com>") -> str:
    """A request of the caller. Without a tag in `to` it belongs to the INVITE."""
    is_within = ";tag" in to
    return _send(
        f"{method} {'[next_url]' if is_within else f'sip:{LINE}@[remote_ip]:[remote_port]'} SIP/2.0",
        via or "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]",
        *(["[routes]"] if is_within else []),
        f"From: {CALLER}",
        f"To: {to}",
        "Call-ID: [call_id]",
        f"CSeq: {number} {method}",
    )


def _response(status: str) -> str:
    """A response to the INVITE. Its first headers are those that `_INVITED` stored."""
    return _send(
        f"SIP/2.0 {status}",
        "[$top]",
        f"From: {CALLER}",
        f"To: {_WITHIN}",
        "Call-ID: [call_id]",
        "CSeq: 1 INVITE",
    )


_INVITED = """<recv request="INVITE" rrs="true">
<action><ereg regexp="(Record-Route:.*)..From:" search_in="msg" assign_to="whole,top"/></action>
</recv><Reference variables="whole"/>"""
_SAME = (
    "[last_Via:]",
    "[last_Record-Route:]",
    "[last_From:]",
    "[last_To:]",
    "[last_Call-ID:]",
    "[last_CSeq:]",
)
_OK = _send("SIP/2.0 200 OK", *_SAME)
_WITHIN = f"<sip:{LINE}@example.com>;tag=callee"
_DIAL = _request("INVITE", 1) + '<recv response="100" optional="true"/>'
_TALK = _DIAL + '<recv response="180" optional="true"/><recv response="200" rrs="true"/>'
_TALK += _request("ACK", 1, to=_WITHIN)
_BYE = _request("BYE", 9, to=_WITHIN) + '<recv response="200"/>'
_REFUSED = _request("ACK", 1, via="[last_Via:]")
_RING = _INVITED + _response("180 Ringing") + _WAIT
_ANSWER = _RING + _response("200 OK") + '<recv request="ACK"/>'

SCENARIOS = {
    "call and hang up": _TALK + _WAIT + _BYE,
    "call, refresh and hang up": _TALK
    + _WAIT
    + _request("UPDATE", 2, to=_WITHIN)
    + '<recv response="200"/>'
    + _WAIT
    + _BYE,
    "call until the other hangs up": _TALK + '<recv request="BYE"/>' + _OK,
    "call and give up": _DIAL
    + '<recv response="180"/>'
    + _WAIT
    + _request("CANCEL", 1, via="Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch-4]")
    + '<recv response="200"/><recv response="487"/>'
    + _REFUSED,
    "answer": _ANSWER + '<recv request="BYE"/>' + _OK,
    "answer and be refreshed": _ANSWER + '<recv request="UPDATE"/>' + _OK + '<recv request="BYE"/>' + _OK,
    "answer and hang up": _ANSWER
    + _WAIT
    + _send(
        "BYE [next_url] SIP/2.0",
        "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]",
        "[routes]",
        f"From: {_WITHIN}",
        f"To: {CALLER}",
        "Call-ID: [call_id]",
        "CSeq: 1 BYE",
    )
    + '<recv response="200"/>',
    "ring until canceled": _INVITED
    + _response("180 Ringing")
    + '<recv request="CANCEL"/>'
    + _OK
    + _response("487 Request Terminated")
    + '<recv request="ACK"/>',
    **{
        f"be refused with {status}": _DIAL
        + f'<recv response="180" optional="true"/><recv response="{status}"/>'
        + _REFUSED
        for status in (404, 480, 486, 500)
    },
    **{
        f"refuse with {status}": _RING + _response(f"{status} Refused") + '<recv request="ACK"/>'
        for status in (404, 480, 486, 500)
    },
}


class Telephone:
    """One process of SIPp for one call. `call_id` is needed of the caller; `proxy` is where it calls."""

    def __init__(
        self, program: Path, folder: Path, scenario: str, *, port: int, call_id: str, proxy: int | None = None
    ) -> None:
        self._port = port
        self._call_id = call_id
        self._sent = 0
        name = f"{call_id}-{scenario.replace(' ', '-')}"
        script = folder / f"{name}.xml"
        lines = ['<?xml version="1.0" encoding="us-ascii"?>', f'<scenario name="{scenario}">']
        script.write_text("\n".join([*lines, SCENARIOS[scenario].replace("><", ">\n<"), "</scenario>\n"]))
        self._messages = folder / f"{name}.messages"
        options = ["-sf", str(script), "-i", HOST, "-p", str(port), "-m", "1", "-nostdin", "-nd"]
        options += ["-trace_msg", "-message_file", str(self._messages)]
        options += ["-cid_str", call_id, f"{HOST}:{proxy}"] if proxy else []
        environment = {"TERM": "dumb", "PATH": "/usr/bin"}
        self.process = ServerProcess(
            [str(program), *options], folder / f"{name}.log", environment=environment, folder=folder
        )
        if proxy is None:
            self.process.wait_ready(lambda: _is_bound(port), f"sipp: {scenario}")

    def go_on(self, after: str) -> None:
        """Let the call go on, once the telephone sent a message that contains `after`."""
        wait_until(lambda: self._messages.exists() and after in self._messages.read_text(), f"{after} sent")
        # SIPp takes an equal one for a retransmission.
        self._sent += 1
        lines = [
            "INFO sip:phone SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:9;branch=z9hG4bKtest{self._sent}",
            f"From: {CALLER}",
        ]
        lines += [
            f"To: {_WITHIN}",
            f"Call-ID: {self._call_id}",
            f"CSeq: {self._sent} INFO",
            "Content-Length: 0",
            "",
            "",
        ]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto("\r\n".join(lines).encode(), (HOST, self._port))

    def finish(self) -> None:
        """Wait for the end of the call, which went as planned."""
        assert self.process.wait() == 0, self.process.log_text() + self._messages.read_text()


def free_udp_port() -> int:
    """Return a port of UDP on which nothing listens now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_bound(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
