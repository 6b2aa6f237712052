"""A private nginx with the configuration that the project ships, on ports and with files of its own."""

from __future__ import annotations

import datetime
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.processes import ROOT, ServerProcess

SHIPPED = ROOT / "deploy" / "nginx"

# What Debian's own nginx.conf has around conf.d/, as far as it matters here.
AROUND = """
{user}
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/conf.d/*.conf;
}}
"""


class NginxServer:
    """Listens for HTTPS on `port` and for HTTP on `plain_port`, before gateways on the ports `behind`."""

    def __init__(
        self, program: Path, folder: Path, port: int, plain_port: int, behind: Mapping[int, int]
    ) -> None:
        """`behind` has the port of a process for each of those that the shipped upstream.conf names."""
        self.certificate = folder / "tls" / "voipbin-ws.crt"
        self._folder = folder
        for name in ("conf.d", "tls", "log"):
            (folder / name).mkdir()
        _write_certificate(folder / "tls")
        changes = {
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "listen 80;": f"listen 127.0.0.1:{plain_port};",
            "listen [::]:443 ssl;": "",
            "listen [::]:80;": "",
            "/etc/nginx/tls/": f"{folder}/tls/",
            "/var/log/nginx/": f"{folder}/log/",
            **{f"127.0.0.1:{named} ": f"127.0.0.1:{real} " for named, real in behind.items()},
        }
        text = {path.name: path.read_text() for path in SHIPPED.glob("*.conf")}
        for shipped, ours in changes.items():
            assert any(shipped in each for each in text.values()), f"{shipped!r} is not in deploy/nginx"
            text = {name: each.replace(shipped, ours) for name, each in text.items()}
        for name, each in text.items():
            (folder / "conf.d" / name).write_text(each)
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))
        command = [str(program), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
        self._process = ServerProcess(command, folder / "nginx.log")
        self._process.wait_ready(lambda: _listens(port), "nginx")

    def access_log(self) -> str:
        """What it says of requests."""
        return (self._folder / "log" / "voipbin-ws.log").read_text()

    def all_logs(self) -> str:
        """Everything that it wrote, wherever."""
        paths = [*self._folder.glob("*.log"), *(self._folder / "log").iterdir()]
        return "\n".join(path.read_text(errors="replace") for path in paths)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _write_certificate(folder: Path) -> None:
    """A certificate for localhost that no one but the tests trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "voipbin-ws.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "voipbin-ws.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
