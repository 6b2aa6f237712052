"""Close orders and limited keys take effect on the right open connections only."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from events.database.threads import in_database_thread
from events.log import reader
from events.log.publish import publish
from subscriptions.auth.access_version import current_version
from subscriptions.connections.close_orders import ALL_CONNECTIONS, close_all_of_key, close_connections
from subscriptions.connections.runtime import Runtime
from subscriptions.delivery import replayer as replayer_module
from subscriptions.models import AccessKey, AuditRecord, Customer, LiveConnection
from tests.subscriptions.support.app_socket import Socket
from tests.subscriptions.support.hub_harness import draft
from tests.subscriptions.support.people import access_key, customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(transactional_db: None) -> Customer:
    return customer()


@pytest.fixture
def key(acme: Customer) -> tuple[AccessKey, str]:
    return access_key(acme)


async def connections(process: Runtime) -> list[LiveConnection]:
    """The rows of the open connections, in their order of opening."""
    opened = sorted(process.presence._connections.values(), key=lambda each: each.opened_at)
    return [process.presence._row(each) for each in opened]


async def records(process: Runtime, **wanted: Any) -> list[AuditRecord]:
    await process.audit.flush()
    return [each async for each in AuditRecord.objects.filter(**wanted).order_by("id")]


async def test_one_connection_is_closed_with_the_operators_reason_and_the_others_stay(
    process: Runtime, key: tuple[AccessKey, str]
) -> None:
    first, second = [await Socket(f"token={key[1]}").open() for _ in range(2)]
    row, _ = await connections(process)
    await sync_to_async(close_connections)([row], by="root", reason="you flood us")
    frame, code = await first.closed()
    assert (code, frame["code"], frame["retry"]) == (4403, "REVOKED", False)
    assert frame["message"] == "Closed by an operator: you flood us"
    assert (await second.ask({"type": "ping"}))["type"] == "pong"
    [ordered] = await records(process, action="close")
    assert (ordered.rule, ordered.detail) == ("closed-by-operator", "root: you flood us")
    assert (ordered.connection_id, ordered.customer_id, ordered.credential) == (
        row.pk,
        key[0].customer_id,
        f"key {key[0].prefix}",
    )
    [ended] = await records(process, action="disconnect")
    assert (ended.connection_id, ended.rule) == (row.pk, "closed-by-operator")
    assert ended.detail == "close code 4403: Closed by an operator: you flood us"
    await second.leave()


async def test_all_of_a_key_are_closed_and_it_may_come_back(
    process: Runtime, acme: Customer, key: tuple[AccessKey, str]
) -> None:
    _, another = await sync_to_async(access_key)(acme)
    sockets = [await Socket(f"token={key[1]}").open() for _ in range(3)]
    stranger = await Socket(f"token={another}").open()
    await sync_to_async(close_all_of_key)(key[0], by="root", reason="")
    for socket in sockets:
        frame, code = await socket.closed()
        assert (code, frame["message"]) == (4403, "Closed by an operator")
    assert (await stranger.ask({"type": "ping"}))["type"] == "pong"
    [ordered] = await records(process, action="close")
    assert (ordered.connection_id, ordered.detail) == (ALL_CONNECTIONS, "root: no word given")
    again = await Socket(f"token={key[1]}").open()
    assert (await again.ask({"type": "ping"}))["type"] == "pong"
    for socket in (again, stranger):
        await socket.leave()


async def test_an_order_is_carried_out_once(process: Runtime, key: tuple[AccessKey, str]) -> None:
    socket = await Socket(f"token={key[1]}").open()
    await sync_to_async(close_all_of_key)(key[0], by="root", reason="")
    await socket.closed()
    again = await Socket(f"token={key[1]}").open()
    # Any other change makes the process check again.
    await sync_to_async(key[0].save)()
    version = await sync_to_async(current_version)()
    process.reauthorizer.notify()
    async with asyncio.timeout(30):
        while process.reauthorizer._seen_version != version:
            await asyncio.sleep(0.01)
    assert (await again.ask({"type": "ping"}))["type"] == "pong"
    await again.leave()


async def test_without_an_announcement_an_order_is_found_at_the_next_check(
    process: Runtime, key: tuple[AccessKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    process.reauthorizer._check_seconds = 0.1
    process.reauthorizer.notify()
    monkeypatch.setattr(process.reauthorizer, "notify", lambda: None)
    monkeypatch.setattr("events.announcements.announcer.announcer.send", lambda *_: None)
    socket = await Socket(f"token={key[1]}").open()
    await sync_to_async(close_all_of_key)(key[0], by="root", reason="")
    assert (await socket.closed())[1] == 4403


# --- Limited keys ---


def narrow(key: AccessKey, *topics: str) -> None:
    key.refresh_from_db()
    key.allowed_topics = list(topics)
    key.save()


async def test_a_narrowed_key_loses_just_the_topics_that_are_not_allowed_any_more(
    process: Runtime, acme: Customer, key: tuple[AccessKey, str]
) -> None:
    calls, queues = f"customer_id:{acme.pk}:call:*", f"customer_id:{acme.pk}:queue"
    socket = await Socket(f"token={key[1]}").open()
    await socket.subscribe(calls, queues)
    await sync_to_async(narrow)(key[0], calls)
    error = await socket.frame()
    assert (error["code"], error["action"], error["topics"]) == ("PERMISSION_DENIED", "subscribe", [queues])
    assert calls in error["message"]
    await in_database_thread(
        publish, [draft(str(acme.pk), "queue.joined", call_id="c"), draft(str(acme.pk), "call.status")]
    )
    assert (await socket.frame())["event_type"] == "call.status"
    refused = await socket.subscribe(queues)
    assert (refused["code"], refused["topics"]) == ("PERMISSION_DENIED", [queues])
    [ended] = await records(process, topic=queues, verdict="ended")
    assert ended.rule == "topic-not-allowed"
    await socket.leave()


async def test_a_key_that_is_widened_again_may_subscribe_again(
    process: Runtime, acme: Customer, key: tuple[AccessKey, str]
) -> None:
    topic = f"customer_id:{acme.pk}:queue:*"
    await sync_to_async(narrow)(key[0], f"customer_id:{acme.pk}:call:*")
    socket = await Socket(f"token={key[1]}").open()
    assert (await socket.subscribe(topic))["code"] == "PERMISSION_DENIED"
    await sync_to_async(narrow)(key[0])
    await process.reauthorizer._check()
    assert (await socket.subscribe(topic))["status"] == "success"
    await socket.leave()


async def test_a_replay_that_runs_goes_on_without_what_is_not_allowed_any_more(
    process: Runtime, acme: Customer, key: tuple[AccessKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, queues = f"customer_id:{acme.pk}:call:*", f"customer_id:{acme.pk}:queue:*"
    customer_id = str(acme.pk)
    pair = [draft(customer_id, "queue.joined", call_id="c"), draft(customer_id, "call.status")]
    start = (await in_database_thread(publish, pair))[1].cursor
    for _ in range(3):
        await in_database_thread(publish, pair)
    read, go_on, is_reading = reader.read, threading.Event(), threading.Event()

    def page(*args: Any, **kwargs: Any) -> Any:
        is_reading.set()
        assert go_on.wait(20)
        return read(*args, **kwargs)

    monkeypatch.setattr(replayer_module.reader, "read", page)
    monkeypatch.setattr(replayer_module, "PAGE", 2)
    socket = await Socket(f"token={key[1]}").open()
    assert (await socket.subscribe(calls, queues, since=start))["recovered"] is True
    assert await in_database_thread(is_reading.wait, 20)
    await sync_to_async(narrow)(key[0], calls)
    # The error is sent at once, though the replay waits for its page, and the topic delivers nothing more.
    error = await socket.frame()
    assert (error["code"], error["topics"]) == ("PERMISSION_DENIED", [queues])
    go_on.set()
    assert [(await socket.frame())["event_type"] for _ in range(3)] == ["call.status"] * 3
    await in_database_thread(publish, pair)
    assert (await socket.frame())["event_type"] == "call.status"
    await socket.leave()


async def test_a_revoked_key_gets_nothing_more_of_a_replay(
    process: Runtime, acme: Customer, key: tuple[AccessKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, customer_id = f"customer_id:{acme.pk}:call:*", str(acme.pk)
    start = (await in_database_thread(publish, [draft(customer_id)]))[0].cursor
    await in_database_thread(publish, [draft(customer_id) for _ in range(5)])
    read, go_on, is_reading = reader.read, threading.Event(), threading.Event()

    def page(*args: Any, **kwargs: Any) -> Any:
        is_reading.set()
        assert go_on.wait(20)
        return read(*args, **kwargs)

    monkeypatch.setattr(replayer_module.reader, "read", page)
    socket = await Socket(f"token={key[1]}").open()
    await socket.subscribe(topic, since=start)
    assert await in_database_thread(is_reading.wait, 20)
    await sync_to_async(lambda: AccessKey.objects.get().delete())()
    frame, code = await socket.closed()
    assert (frame["code"], code) == ("REVOKED", 4403)
    go_on.set()
