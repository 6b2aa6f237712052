"""PostgreSQL behind PgBouncer in transaction mode, where a session's settings are lost between transactions."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import gettempdir

import psycopg
import pytest

from deploy.programs import PGBOUNCER
from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import Conversation, cursors, get, publish
from tests.support.databases import MigratedPostgres
from tests.support.gateway import Gateway, gateway_environment, manage
from tests.support.gateways import Gateways
from tests.support.pgbouncer_server import PgBouncerServer
from tests.support.postgres_server import PostgresServer
from tests.support.requirement import require

ROLE = "careless"
"""Its sessions do not wait for the disk by default."""

NOTE_MODES = """
CREATE TABLE modes (mode text);
CREATE FUNCTION note_mode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO modes VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
CREATE TRIGGER note_mode AFTER INSERT ON events_event FOR EACH STATEMENT EXECUTE FUNCTION note_mode();
CREATE TRIGGER note_mode AFTER INSERT ON subscriptions_auditrecord FOR EACH STATEMENT EXECUTE FUNCTION note_mode();
"""


@pytest.fixture(scope="module")
def careless(postgres_server: PostgresServer) -> str:
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {ROLE} LOGIN SUPERUSER")
        connection.execute(f"ALTER ROLE {ROLE} SET synchronous_commit = off")
    return ROLE


@pytest.fixture(scope="module")
def direct_url(careless: str, migrated_postgres: MigratedPostgres) -> str:
    """A database of this role's, by way of nothing."""
    url = migrated_postgres.create_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(NOTE_MODES)
    return url.replace("postgres@", f"{careless}@")


@pytest.fixture(scope="module")
def pooled_url(
    direct_url: str, careless: str, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pgbouncer")
    # Another user than ours gets to it.
    for each in (folder, *folder.parents):
        if each == Path(gettempdir()):
            break
        each.chmod(0o755)
    server = PgBouncerServer(require(PGBOUNCER), folder, postgres_server.port, careless)
    yield server.url(direct_url)
    server.kill()


@pytest.fixture(scope="module")
def pair(gateway_of_file: Gateways, pooled_url: str) -> tuple[Gateway, Gateway]:
    return tuple(gateway_of_file(server, database_url=pooled_url) for server in ("daphne", "uvicorn"))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def acme(pair: tuple[Gateway, Gateway]) -> Company:
    acme = company("Acme")
    settle(pair[0], acme)
    return acme


def test_behind_pgbouncer_everything_arrives_and_is_committed_to_disk(
    pair: tuple[Gateway, Gateway], acme: Company, direct_url: str
) -> None:
    key = acme.key("that publishes")
    events = [{"event_type": "call.created", "data": {"id": new_id()}} for _ in range(80)]
    with Conversation(pair[0], acme.token("manager")) as manager:
        start = manager.subscribe(f"customer_id:{acme.id}")["cursor"]
        with ThreadPoolExecutor(8) as threads:
            receipts = list(
                threads.map(
                    lambda number: publish(pair[number % 2], key, events[number])[0], range(len(events))
                )
            )
        last = max(cursors(receipts), key=lambda cursor: int(cursor.partition(".")[2]))
        received = manager.until(last)
    assert sorted(cursors(received)) == sorted(cursors(receipts))
    with Conversation(pair[1], acme.token("manager")) as manager:
        assert manager.subscribe(f"customer_id:{acme.id}", since=start)["recovered"] is True
        assert cursors(manager.until(last)) == cursors(received)
    assert len(get(pair[1], acme.token("manager"), "/v1.0/calls").json()["items"]) == len(events)
    with psycopg.connect(direct_url) as connection:
        modes = {mode for (mode,) in connection.execute("SELECT DISTINCT mode FROM modes")}
    assert modes == {"on"}
    for command in (["verify_audit"], ["prune_events", "--older-than", "1d"], ["migrate", "--check"]):
        pair[0].manage(*command)


def test_the_check_looks_at_a_transaction(pooled_url: str, direct_url: str) -> None:
    for url in (pooled_url, direct_url):
        assert "W006" not in manage(gateway_environment(url), "check", "--database", "default")


def test_what_the_url_sets_for_a_session_is_kept(direct_url: str) -> None:
    environment = gateway_environment(f"{direct_url}?options=-c%20search_path%3Dgw%20-c%20work_mem%3D5MB")
    show = (
        "from django.db import connection as c, transaction as t\n"
        "def show(name):\n"
        "    with t.atomic(), c.cursor() as cursor:\n"
        "        cursor.execute(f'SHOW {name}'); return cursor.fetchone()[0]\n"
        "print(*map(show, ('search_path', 'work_mem', 'synchronous_commit')))"
    )
    said = manage(environment, "shell", "--verbosity", "0", "--command", show)
    assert said.split() == ["gw", "5MB", "on"]


def test_a_unix_socket_may_be_written_as_libpq_does(
    postgres_server: PostgresServer, postgres_socket_folder: str, direct_url: str
) -> None:
    name = direct_url.rpartition("/")[2]
    host = postgres_socket_folder.replace("/", "%2F")
    url = f"postgresql://postgres@{host}:{postgres_server.port}/{name}"
    manage(gateway_environment(url), "migrate", "--check")


@pytest.fixture(scope="module")
def postgres_socket_folder(direct_url: str) -> str:
    with psycopg.connect(direct_url) as connection:
        [[folder]] = connection.execute("SHOW unix_socket_directories").fetchall()
    return str(folder)
