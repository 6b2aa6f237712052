"""Starts gateways for a test or a file of tests, each on the parts that it uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tests.support.gateway import Gateway, gateway_environment
from tests.support.reports import end_of_log


class CreatesDatabases(Protocol):
    """Gives migrated databases."""

    def create_database(self) -> str: ...


class Gateways:
    """Call it to start a gateway; all that it started end with `end_all`.

    The parts are given as functions, so that nothing starts that no gateway asks for.
    """

    def __init__(
        self,
        folder: Path,
        sqlite: Callable[[], CreatesDatabases],
        postgres: Callable[[], CreatesDatabases],
        redis_url: Callable[[], str],
    ) -> None:
        self._folder = folder
        self._sqlite = sqlite
        self._postgres = postgres
        self._redis_url = redis_url
        self._gateways: list[Gateway] = []

    def __call__(
        self,
        server: str = "daphne",
        *,
        postgres: bool = False,
        redis: bool = False,
        database_url: str | None = None,
        redis_url: str | None = None,
        options: Sequence[str] = (),
        **environment: str,
    ) -> Gateway:
        """Start a gateway and wait until it serves.

        Args:
            server: `daphne` or `uvicorn`.
            postgres: on a PostgreSQL database of its own, else on an SQLite file of its own.
            redis: with the channel layer of the tests' Redis, else with the in-memory one.
            database_url: on this migrated database, such as another gateway's.
            redis_url: with this Redis.
            options: more of `manage.py serve`, such as `("--workers", "2")`.
            environment: more variables, such as `MESSAGE_MAX_BYTES="2048"`.
        """
        if database_url is None:
            database_url = (self._postgres() if postgres else self._sqlite()).create_database()
        if redis_url is None and redis:
            redis_url = self._redis_url()
        log = self._folder / f"gateway-{len(self._gateways) + 1}-{server}.log"
        gateway = Gateway(server, gateway_environment(database_url, redis_url, **environment), log, options)
        self._gateways.append(gateway)
        return gateway

    def logs(self) -> str:
        """The end of what each of them wrote."""
        return "\n".join(end_of_log(gateway.log) for gateway in self._gateways)

    def end_all(self) -> None:
        """Kill all that still run."""
        for gateway in self._gateways:
            gateway.kill()
