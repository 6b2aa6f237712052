"""A request in one thread: its response, streams at the pace of the client, and its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from voipbin_ws.http.django_handler import THREADS, SingleThreadHandler

seen: dict[str, Any] = {}


def echo(request: HttpRequest) -> HttpResponse:
    seen["thread"] = threading.current_thread()
    response = HttpResponse(request.body + request.META["QUERY_STRING"].encode(), status=201)
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


def long(request: HttpRequest) -> StreamingHttpResponse:
    seen["over"] = threading.Event()

    def parts() -> Iterator[bytes]:
        try:
            for number in range(5):
                seen["made"] = number
                yield b"%d," % number
        finally:
            seen["over"].set()

    return StreamingHttpResponse(parts())


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a bug")


async def asynchronous(request: HttpRequest) -> HttpResponse:
    seen["loop"] = asyncio.get_running_loop()
    return HttpResponse(b"async")


urlpatterns = [
    path("echo", echo),
    path("long", long),
    path("broken", broken),
    path("asynchronous", asynchronous),
]


@pytest.fixture
def handler() -> Iterator[SingleThreadHandler]:
    seen.clear()
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[]):
        yield SingleThreadHandler()


async def ask(
    handler: SingleThreadHandler, address: str, body: bytes = b"", send: Any = None
) -> SimpleNamespace:
    incoming = [
        {"type": "http.request", "body": body[:3], "more_body": True},
        {"type": "http.request", "body": body[3:]},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not incoming:
            await asyncio.Event().wait()
        return incoming.pop(0)

    async def keep(message: dict[str, Any]) -> None:
        sent.append(message)

    where, _, query = address.partition("?")
    scope = {
        "type": "http",
        "method": "POST",
        "path": where,
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())],
    }
    await handler(scope, receive, send or keep)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    first = sent[0] if sent else {"status": None, "headers": []}
    return SimpleNamespace(status=first["status"], headers=first["headers"], content=content, messages=sent)


async def test_a_request_is_answered_with_its_body_headers_and_cookies(handler: SingleThreadHandler) -> None:
    answer = await ask(handler, "/echo?question", b"body and ")
    assert (answer.status, answer.content) == (201, b"body and question")
    cookies = [value for name, value in answer.headers if name == b"Set-Cookie"]
    assert [cookie.partition(b";")[0] for cookie in cookies] == [b"a=1", b"b=2"]


async def test_all_of_a_request_is_in_one_thread_which_is_not_the_event_loops(
    handler: SingleThreadHandler,
) -> None:
    threads: list[threading.Thread] = []

    def note(**_: object) -> None:
        threads.append(threading.current_thread())

    request_started.connect(note)
    request_finished.connect(note)
    try:
        await ask(handler, "/echo")
    finally:
        request_started.disconnect(note)
        request_finished.disconnect(note)
    assert threads[:2] == [seen["thread"]] * 2
    assert threading.current_thread() not in threads


async def test_a_long_answer_is_made_at_the_pace_at_which_it_is_taken(handler: SingleThreadHandler) -> None:
    taken: list[bytes] = []

    async def send(message: dict[str, Any]) -> None:
        if body := message.get("body"):
            taken.append(body)
            assert seen["made"] == len(taken) - 1, "made before the part before it was taken"

    await ask(handler, "/long", send=send)
    assert b"".join(taken) == b"0,1,2,3,4,"


async def test_a_client_that_leaves_ends_a_long_answer(handler: SingleThreadHandler) -> None:
    async def send(message: dict[str, Any]) -> None:
        if message.get("body") == b"1,":
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await ask(handler, "/long", send=send)
    assert seen["made"] == 1
    assert await asyncio.to_thread(seen["over"].wait, 30)


async def test_a_request_that_is_broken_off_is_not_served(handler: SingleThreadHandler) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError("the client has left")

    await handler(
        {"type": "http", "method": "POST", "path": "/echo", "headers": [(b"content-length", b"9")]},
        receive,
        send,
    )
    assert "thread" not in seen


async def test_a_bug_is_a_500_and_not_the_end(handler: SingleThreadHandler) -> None:
    assert (await ask(handler, "/broken")).status == 500
    assert (await ask(handler, "/nowhere")).status == 404
    assert (await ask(handler, "/echo")).status == 201


async def test_an_asynchronous_view_runs_in_the_loop_that_serves(handler: SingleThreadHandler) -> None:
    assert (await ask(handler, "/asynchronous")).content == b"async"
    assert seen["loop"] is asyncio.get_running_loop()


async def test_clients_that_do_not_read_hold_no_thread(handler: SingleThreadHandler) -> None:
    waiting: list[dict[str, Any]] = []
    go_on = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        waiting.append(message)
        await go_on.wait()

    slow = [asyncio.create_task(ask(handler, "/long", send=send)) for _ in range(THREADS + 5)]
    while len(waiting) < THREADS + 5:
        await asyncio.sleep(0.001)
    assert (await ask(handler, "/echo")).status == 201
    go_on.set()
    await asyncio.gather(*slow)
