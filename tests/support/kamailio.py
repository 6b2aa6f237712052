"""The SIP proxy Kamailio with the configuration of examples/kamailio."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from tests.support.processes import ROOT, ServerProcess
from tests.support.telephones import HOST, free_udp_port

CONFIGURATION = ROOT / "examples" / "kamailio" / "kamailio.cfg"


class Kamailio:
    """A proxy between a trunk and a PBX, which are ports of telephones."""

    def __init__(self, program: Path, folder: Path, gateway_url: str, publish_key: str) -> None:
        self.trunk, self.pbx, self.port = (free_udp_port() for _ in range(3))
        self._program = program
        self._folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "GATEWAY_URL": gateway_url,
            "PUBLISH_KEY": publish_key,
            "TRUNK": f"sip:{HOST}:{self.trunk}",
            "PBX": f"sip:{HOST}:{self.pbx}",
        }
        self._process = self._start()

    def kill(self) -> None:
        """SIGKILL: all that it has in memory is gone."""
        self._process.kill()

    def restart(self) -> None:
        """Kill it and start it again on the same port."""
        self.kill()
        self._process = self._start()

    def log_text(self) -> str:
        return self._process.log_text()

    def _start(self) -> ServerProcess:
        # In the foreground, logging to standard error, with little memory and all files in the test's folder.
        command = [str(self._program), "-DD", "-E", "-m", "16", "-f", str(CONFIGURATION)]
        command += ["-l", f"udp:{HOST}:{self.port}", "-Y", str(self._folder), "-w", str(self._folder)]
        process = ServerProcess(
            command, self._folder / "kamailio.log", environment=self._environment, folder=self._folder
        )
        process.wait_ready(self._answers, "kamailio")
        return process

    def _answers(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((HOST, 0))
            client.settimeout(0.2)
            own = f"{HOST}:{client.getsockname()[1]}"
            lines = [f"OPTIONS sip:{HOST} SIP/2.0", f"Via: SIP/2.0/UDP {own};branch=z9hG4bK1"]
            lines += [f"From: <sip:test@{own}>;tag=1", f"To: <sip:{HOST}>", f"Call-ID: {own}"]
            lines += ["CSeq: 1 OPTIONS", "Content-Length: 0", "", ""]
            client.sendto("\r\n".join(lines).encode(), (HOST, self.port))
            try:
                return client.recv(4096).startswith(b"SIP/2.0 200")
            except OSError:
                return False
