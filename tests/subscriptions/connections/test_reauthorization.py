"""Reauthorization: no credential that was taken away lives on in an open connection, whatever runs meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from subscriptions.auth.access_keys import revoke
from subscriptions.connections import connection, reauthorization
from subscriptions.connections.runtime import Runtime
from subscriptions.models import AccessKey, Customer
from tests.subscriptions.support.app_socket import Socket
from tests.subscriptions.support.hub_harness import until
from tests.subscriptions.support.people import access_key, customer


@pytest.fixture
def acme(transactional_db: None) -> Customer:
    return customer()


@pytest.fixture
def key(acme: Customer) -> tuple[AccessKey, str]:
    return access_key(acme)


class Gate:
    """A function of a database thread that returns only when the test lets it."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self._work = work
        self._done, self._go_on = threading.Event(), threading.Event()

    def __call__(self, *args: Any) -> Any:
        result = self._work(*args)
        self._done.set()
        assert self._go_on.wait(30)
        return result

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._done.wait, 30)

    def open(self) -> None:
        self._go_on.set()


async def revoked(key: AccessKey, process: Runtime) -> None:
    """Revoke the key, and wait until the process has checked its connections for it."""
    before = process.reauthorizer._seen_version
    await sync_to_async(revoke)(key, timezone.now())
    await until(lambda: process.reauthorizer._seen_version != before, "the check")


async def test_a_key_revoked_while_a_client_authenticates_with_it_is_closed(
    process: Runtime, acme: Customer, key: tuple[AccessKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other, secret = await sync_to_async(access_key)(acme)
    socket = await Socket(f"token={key[1]}").open()
    assert (await socket.ask({"type": "ping"}))["type"] == "pong"
    gate = Gate(connection.identify)
    monkeypatch.setattr(connection, "identify", gate)
    await socket.send({"type": "authenticate", "token": secret})
    await gate.reached()
    await revoked(other, process)
    gate.open()
    assert (await socket.frame())["type"] == "ack"
    process.reauthorizer.notify()
    assert (await socket.closed())[1] == 4403


async def test_a_client_that_authenticates_while_a_check_runs_is_checked_again(
    process: Runtime, acme: Customer, key: tuple[AccessKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other, secret = await sync_to_async(access_key)(acme)
    gate = Gate(reauthorization.current_identities)
    monkeypatch.setattr(reauthorization, "current_identities", gate)
    socket = await Socket(f"token={key[1]}").open()
    process.reauthorizer.notify()
    await gate.reached()  # With the identity of the handshake.
    assert (await socket.ask({"type": "authenticate", "token": secret}))["type"] == "ack"
    await sync_to_async(AccessKey.objects.filter(pk=other.pk).update)(revoked_at=timezone.now())
    gate.open()
    process.reauthorizer.notify()
    assert (await socket.closed())[1] == 4403


async def test_a_check_that_failed_half_way_is_repeated_for_new_and_old_connections(
    process: Runtime, key: tuple[AccessKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    process.reauthorizer._check_seconds = 0.05
    process.reauthorizer.notify()
    old = await Socket(f"token={key[1]}").open()
    await until(lambda: not process.reauthorizer._new, "the check of the old connection")
    failures = [OperationalError("the database is away")] * 2
    real = reauthorization.current_identities

    def fail_at_first(identities: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(identities)

    monkeypatch.setattr(reauthorization, "current_identities", fail_at_first)
    new = await Socket(f"token={key[1]}").open()
    # As a change of which no announcement arrives.
    monkeypatch.setattr("events.announcements.announcer.announcer.send", lambda *_: None)
    await sync_to_async(revoke)(key[0], timezone.now())
    for socket in (old, new):
        assert (await socket.closed())[1] == 4403
    assert failures == []


async def test_a_new_connection_whose_first_check_failed_is_checked_again(
    process: Runtime, key: tuple[AccessKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await until(lambda: process.reauthorizer._seen_version is not None, "the first check")
    gate, failures = Gate(reauthorization.current_identities), [OperationalError("away")]
    gate.open()

    def fail_at_first(identities: Any) -> Any:
        if failures:
            raise failures.pop()
        return gate(identities)

    monkeypatch.setattr(reauthorization, "current_identities", fail_at_first)
    socket = await Socket(f"token={key[1]}").open()
    await sync_to_async(AccessKey.objects.filter(pk=key[0].pk).update)(revoked_at=timezone.now())
    process.reauthorizer.notify()
    await until(lambda: not failures, "the check that fails")
    process.reauthorizer.notify()
    assert (await socket.closed())[1] == 4403
