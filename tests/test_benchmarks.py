"""The benchmarks on a small scale: every table, and the checks of the load client."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks import event, publishing, report, wire
from benchmarks.__main__ import main
from benchmarks.compiled import Unavailable, compiled
from benchmarks.contestants import gateway
from benchmarks.load import LoadClient, LoadFailed, Socket
from tests.support.databases import MigratedSqlite
from tests.support.waiting import wait_until

SMALL = {
    "fanout": "--only uvicorn c --sockets 3 --events 4 --pace 1000 --rounds 1",
    "memory": "--server uvicorn --sockets 4 --back 2",
    "matching": "--patterns 100 200 --agents 10 11 --events 4 --rounds 1",
    "publishing": "--database sqlite --events 20 --list 10 --singles 10 --connections 3 --rounds 1",
    "latency": "--server daphne --sockets 3 --events 4 --pace 1000 --rounds 1",
}
"""The arguments of each table. `processes` is left out: it would need another PostgreSQL and Redis."""

ANSWER = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


@pytest.fixture(autouse=True)
def _c_compiler() -> None:
    try:
        compiled("load_client")
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("table", SMALL)
def test_a_table_can_be_measured(
    table: str, tmp_path: Path, migrated_sqlite: MigratedSqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "FOLDER", tmp_path)
    monkeypatch.setattr("benchmarks.matching.IDLE_SECONDS", 0.0)
    # Forked from the tests' own, and on copies of one database, servers start sooner; their cost does not matter here.
    monkeypatch.setattr(gateway, "NOT_FORKED", {})
    for module in (gateway, publishing):
        monkeypatch.setattr(module, "MigratedSqlite", lambda _: migrated_sqlite)

    assert main([table, *SMALL[table].split()]) == 0

    assert json.loads((tmp_path / f"{table}.json").read_text())["circumstances"]["machine"]
    assert (tmp_path / f"{table}.md").read_text().startswith("| ")


Serve = Callable[..., Socket]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(part, …)` serves these bytes in order, and returns the connection to open."""
    server = socket.create_server(("127.0.0.1", 0))
    received: list[bytes] = []

    def start(*parts: bytes, first_mark: int = 1) -> Socket:
        def send() -> None:
            connection, _ = server.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.recv(4096)
                for part in parts:
                    connection.sendall(part)
                while chunk := connection.recv(4096):
                    received.append(chunk)

        threading.Thread(target=send, daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        return Socket(address, wire.handshake(address, "/"), start=first_mark)

    start.received = received  # type: ignore[attr-defined]
    yield start
    server.close()


def frame(payload: str, opcode: int = 0x81) -> bytes:
    """A server's frame with up to 125 bytes."""
    return bytes([opcode, len(payload)]) + payload.encode()


@pytest.fixture
def load(tmp_path: Path) -> Iterator[LoadClient]:
    with LoadClient(tmp_path, {0}) as client:
        yield client


def test_the_load_client_counts_what_comes_complete_and_in_order(serve: Serve, load: LoadClient) -> None:
    load.open([serve(ANSWER, *(frame(f'"{event.mark(number)}"') for number in (1, 2, 3)))])
    load.begin_until(3)
    seen = load.finish()
    assert (seen.open, seen.deliveries, seen.lost, seen.disordered) == (1, 3, 0, 0)


def test_a_mark_counts_once_however_it_is_cut(serve: Serve, load: LoadClient) -> None:
    one, two = event.mark(1), event.mark(2)
    fragments = frame(f"x{one[:5]}", 0x01) + frame(f"{one[5:]}@@{two[:7]}", 0x00) + frame(two[7:], 0x80)
    pieces = [fragments[at : at + 3] for at in range(0, len(fragments), 3)]
    load.open([serve(ANSWER, *pieces)])
    load.begin_until(2)
    assert load.finish().deliveries == 2


def test_a_ping_is_answered(serve: Serve, load: LoadClient) -> None:
    load.open([serve(ANSWER, frame("are you there", 0x89), frame(event.mark(1)))])
    load.begin_until(1)
    load.finish()
    load.end()
    pong = wire.frame(b"are you there", 0x0A)
    # The server's thread may read later.
    wait_until(lambda: b"".join(serve.received) == pong, "the pong")  # type: ignore[attr-defined]


@pytest.mark.parametrize("marks", [(1, 3), (1, 1, 2, 3), (2, 1, 3), (1, 2)], ids=str)
def test_what_is_lost_repeated_or_out_of_order_is_reported(
    marks: tuple[int, ...], serve: Serve, load: LoadClient
) -> None:
    load.open([serve(ANSWER, *(frame(event.mark(mark)) for mark in marks))])
    load.begin_until(3, seconds=0.3)
    with pytest.raises(LoadFailed, match="not all arrived"):
        load.finish()


def test_a_refused_handshake_is_reported(serve: Serve, load: LoadClient) -> None:
    with pytest.raises(LoadFailed, match="403"):
        load.open([serve(b"HTTP/1.1 403 Forbidden\r\n\r\n")])


def test_a_closed_socket_is_reported(serve: Serve, load: LoadClient) -> None:
    load.open([serve(ANSWER, frame(event.mark(1)), bytes([0x88, 2]) + (4408).to_bytes(2, "big"))])
    load.begin_until(2, seconds=0.3)
    with pytest.raises(LoadFailed, match="4408"):
        load.finish()
