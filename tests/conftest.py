"""The tests' fixtures: Django in this process, and the real parts that run in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import django
import pytest

from deploy.programs import CHROMIUM, HEADLESS_CHROMIUM, POSTGRES, REDIS
from tests.support.reaper import reaper

# In memory every commit is on the disk at once; a disk takes milliseconds for each of many thousands.
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
ROOMY = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > 4 * 2**30

FOLDER = Path(tempfile.mkdtemp(prefix="voipbin-ws-tests-", dir=IN_MEMORY if ROOMY else None))
reaper.watch_folder(FOLDER)
# PostgreSQL runs as another user, and must get to its own folder in this one.
FOLDER.chmod(0o711)

# httpx reads the certificates of all authorities for each client, 20 ms: thousands of times, and over plain HTTP.
pytest.MonkeyPatch().setattr(ssl, "create_default_context", cache(ssl.create_default_context))

# Before anything imports the settings, which read the environment once.
os.environ.update(
    DJANGO_SETTINGS_MODULE="voipbin_ws.settings",
    SECRET_KEY="the secret of the tests in this process",
    DATABASE_URL=f"sqlite:///{FOLDER}/unused.sqlite3",
    REDIS_URL="",
)
from django.conf import settings  # noqa: E402

# A file, for Django's default would be in memory, where the threads that have connections of their own see nothing.
settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(FOLDER / "django.sqlite3")
django.setup()

from django.test.client import Client, FakePayload  # noqa: E402
from websocket import ABNF, WebSocket  # noqa: E402

from subscriptions.auth.password_hashing import BoundedPBKDF2PasswordHasher  # noqa: E402
from tests.support.answers import check_answer, operation_of  # noqa: E402
from tests.support.databases import MigratedPostgres, MigratedSqlite  # noqa: E402
from tests.support.frames import check_received  # noqa: E402
from tests.support.gateway import Gateway  # noqa: E402
from tests.support.gateways import Gateways  # noqa: E402
from tests.support.postgres_server import PostgresServer  # noqa: E402
from tests.support.prefork import prefork  # noqa: E402
from tests.support.redis_server import RedisServer  # noqa: E402
from tests.support.reports import add_evidence, shown_on_failure  # noqa: E402
from tests.support.requirement import require  # noqa: E402
from tests.support.stacks import STACKS, Stack  # noqa: E402

# By design a password costs a fifth of a second of CPU.
BoundedPBKDF2PasswordHasher.iterations = 10_000

# What takes long begins first: at the end, the many short files keep all workers busy alike. What mostly waits
# begins before all, while other workers use the processors.
FIRST = (
    *("faults/test_hidden_desktop.py", "journeys/test_silent_peers.py"),
    *("browser", "faults", "journeys", "deploy", "models", "clients", "voipbin_ws/static"),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    first = [Path(__file__).parent / name for name in FIRST]

    def rank(item: pytest.Item) -> int:
        places = {item.path, *item.path.parents}
        return next((number for number, place in enumerate(first) if place in places), len(first))

    items.sort(key=rank)


def pytest_unconfigure() -> None:
    reaper.finish()
    prefork.finish()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    add_evidence(item, report)
    return report


@pytest.fixture(scope="session", autouse=True)
def _answers_are_as_described() -> Iterator[None]:
    """Every answer that the REST interface gives in this process is as its own description says."""
    plain = Client.request

    def request(client: Client, **requested: Any) -> Any:
        body = requested["wsgi.input"].read() if "wsgi.input" in requested else b""
        response = plain(client, **{**requested, "wsgi.input": FakePayload(body)})
        url = f"{requested['PATH_INFO']}?{requested.get('QUERY_STRING', '')}"
        if operation_of(requested["REQUEST_METHOD"], requested["PATH_INFO"]):
            check_answer(requested["REQUEST_METHOD"], url, body, response.status_code, response.content)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "request", request)
        yield


@pytest.fixture(scope="session", autouse=True)
def _frames_are_as_described() -> Iterator[None]:
    """Every frame that comes from a gateway over the websocket-client library is one of docs/asyncapi.yaml."""
    plain = WebSocket.recv_data

    def recv_data(socket: WebSocket, *options: Any) -> tuple[int, bytes]:
        opcode, data = plain(socket, *options)
        if opcode == ABNF.OPCODE_TEXT:
            check_received(json.loads(data))
        return opcode, data

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WebSocket, "recv_data", recv_data)
        yield


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A private Redis. What a test does to it is undone after the test."""
    server = RedisServer(require(REDIS), _folder("redis"))
    _faulty.append(server)
    yield server
    server.kill()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A private PostgreSQL. What a test does to it is undone after the test."""
    server = PostgresServer(require(POSTGRES), _folder("postgres"))
    _faulty.append(server)
    yield server
    server.kill()


_faulty: list[RedisServer | PostgresServer] = []


@pytest.fixture(autouse=True)
def _faults_end_with_their_test() -> Iterator[None]:
    yield
    for server in _faulty:
        server.heal()


@pytest.fixture(scope="session")
def postgres_folder() -> Path:
    """A folder for one more PostgreSQL, whose user can get to it."""
    return _folder("another-postgres")


@pytest.fixture(scope="session")
def migrated_sqlite() -> MigratedSqlite:
    """Gives migrated SQLite databases: `.create_database()` returns the URL of a new one."""
    return MigratedSqlite(_folder("sqlite"))


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> MigratedPostgres:
    """Gives migrated PostgreSQL databases: `.create_database()` returns the URL of a new one."""
    return MigratedPostgres(postgres_server)


@pytest.fixture
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateways]:
    """Starts gateways for one test: `gateway()`, `gateway("uvicorn", postgres=True, redis=True)`; see Gateways."""
    with _gateways(request, tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def gateway_of_file(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateways]:
    """Starts gateways that live as long as the tests of this file; for a fixture of the file's own."""
    with _gateways(request, tmp_path_factory.mktemp("gateways")) as start:
        yield start


@pytest.fixture(scope="module", params=STACKS, ids=str)
def stack(request: pytest.FixtureRequest) -> Stack:
    """Each of the four stacks in turn."""
    return request.param


@pytest.fixture(scope="module")
def gateway_on_each_stack(
    stack: Stack, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway on each of the four stacks in turn, shared by the tests of a file: make customers of your own."""
    with _gateways(request, tmp_path_factory.mktemp("gateways")) as start:
        yield start(stack.server, postgres=stack.shared, redis=stack.shared)


@contextmanager
def _gateways(request: pytest.FixtureRequest, folder: Path) -> Iterator[Gateways]:
    start = Gateways(
        folder,
        sqlite=lambda: request.getfixturevalue("migrated_sqlite"),
        postgres=lambda: request.getfixturevalue("migrated_postgres"),
        redis_url=lambda: request.getfixturevalue("redis_server").url,
    )
    try:
        with shown_on_failure(request.node, start.logs):
            yield start
    finally:
        start.end_all()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Where Chromium is."""
    return require(CHROMIUM)


@pytest.fixture(scope="session")
def headless_chromium() -> Path:
    """Where Chromium without a window is."""
    return require(HEADLESS_CHROMIUM)


def _folder(name: str) -> Path:
    folder = FOLDER / name
    folder.mkdir()
    return folder
