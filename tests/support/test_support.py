"""The tests' own servers: they fail as a test wants them to, come back, and never outlive the tests."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from deploy.programs import Program
from tests.support.browser import launched
from tests.support.gateway import gateway_environment
from tests.support.postgres_server import PostgresServer
from tests.support.prefork import prefork
from tests.support.processes import ROOT, DidNotStart, ServerProcess
from tests.support.redis_server import RedisServer
from tests.support.requirement import require
from tests.support.waiting import wait_until


def test_a_killed_redis_comes_back_at_its_address(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        redis_server.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        redis_server.restart()
        assert client.ping()


def test_a_stopped_redis_does_not_answer_until_it_is_resumed(redis_server: RedisServer) -> None:
    redis_server.stop()
    with (
        redis.Redis.from_url(redis_server.url, socket_timeout=0.1) as impatient,
        pytest.raises(redis.TimeoutError),
    ):
        impatient.ping()
    redis_server.resume()
    with redis_server.client() as client:
        assert client.ping()


def test_a_fault_that_a_test_left_is_undone(
    redis_server: RedisServer, postgres_server: PostgresServer
) -> None:
    redis_server.kill()
    postgres_server.stop()
    redis_server.heal()
    postgres_server.heal()
    with redis_server.client() as client:
        assert client.ping()
    psycopg.connect(postgres_server.url("postgres"), connect_timeout=30).close()


def test_a_postgres_keeps_what_it_committed_over_a_crash(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    postgres_server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    postgres_server.restart()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


def test_a_new_database_is_empty_though_another_was_filled(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.create_database()) as connection:
        connection.execute("CREATE TABLE other AS SELECT 1")
    with psycopg.connect(postgres_server.create_database()) as connection:
        assert connection.execute("SELECT to_regclass('other')").fetchall() == [(None,)]


def test_a_process_that_ends_before_it_is_ready_says_what_it_wrote(tmp_path: Path) -> None:
    process = ServerProcess(["sh", "-c", "echo no such luck; exit 3"], tmp_path / "log")
    with pytest.raises(DidNotStart, match=r"ended with 3:\nno such luck"):
        process.wait_ready(lambda: False, "the server")


WRITES = (
    "import os, sys; print(sys.stdin.read(), os.environ['WORD'], sys.argv[1:], flush=True); sys.exit('no')"
)


def test_a_process_of_the_nursery_is_as_any_other() -> None:
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", WRITES]
    environment = gateway_environment("sqlite:////tmp/nobody-opens-this.sqlite3", WORD="one")
    assert prefork.takes(command, environment)
    done = prefork.run(command, environment, text="given")
    alone = subprocess.run(command, env=environment, input="given", capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (alone.returncode, alone.stdout, alone.stderr)
    assert done.stdout == f"given one {command[2:]}\n"
    assert not prefork.takes(command, environment | {"PYTHONPATH": "."})
    assert not prefork.takes(command, environment | {"MALLOC_ARENA_MAX": "1"})
    assert not prefork.takes(["sh", "-c", "true"], environment)


def test_a_process_of_the_nursery_that_is_killed_reports_by_what(tmp_path: Path) -> None:
    waits = [
        "shell",
        "--verbosity",
        "0",
        "--command",
        "import time; print('here', flush=True); time.sleep(999)",
    ]
    process = ServerProcess(
        [sys.executable, "manage.py", *waits],
        tmp_path / "log",
        environment=gateway_environment("sqlite:////tmp/nobody-opens-this.sqlite3"),
    )
    process.wait_ready(lambda: "here" in process.log_text(), "the process")
    assert os.getpgid(process.pid) == process.pid
    process.send(signal.SIGTERM)
    assert process.wait() == -signal.SIGTERM
    assert not process.running


def test_nothing_outlives_tests_that_were_killed(tmp_path: Path) -> None:
    doomed = f"""
import sys, time
from pathlib import Path
from tests.support.processes import ServerProcess
from tests.support.reaper import reaper
reaper.watch_folder(Path({str(tmp_path / "left")!r}))
print(ServerProcess(["sleep", "1000"], Path({str(tmp_path / "left" / "log")!r})).pid, flush=True)
time.sleep(1000)
"""
    with subprocess.Popen(
        [sys.executable, "-c", doomed], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as tests:
        assert tests.stdout is not None
        child = int(tests.stdout.readline())
        os.kill(child, 0)
        tests.kill()
    wait_until(lambda: not (tmp_path / "left").exists(), "the folder to be deleted")
    wait_until(lambda: _ended(child), "the child to end")


def test_a_missing_program_skips_and_in_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Program("Nothing", "no-such-package", lambda: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Nothing here: apt-get install no-such-package"):
        require(missing)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"no Nothing here.*CI=true demands it"):
        require(missing)


def test_after_a_browser_this_thread_can_run_an_event_loop(headless_chromium: Path) -> None:
    with launched(headless_chromium) as browser:
        browser.new_page().close()

    async def answer() -> int:
        return 42

    assert asyncio.run(answer()) == 42


def _ended(process: int) -> bool:
    try:
        # Its parent is gone too: until init collects it, a zombie is left.
        os.kill(process, signal.SIGCONT)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True
