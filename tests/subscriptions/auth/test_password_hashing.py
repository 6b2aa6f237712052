"""The bound on hashes of passwords."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password
from django.test import Client

from subscriptions.auth import password_hashing
from subscriptions.auth.password_hashing import HashingThreads, TooManyLogins
from tests.subscriptions.support.admin_client import admin_of
from tests.subscriptions.support.people import agent, customer


def test_hashes_of_django_are_understood_and_those_made_here_are_the_same() -> None:
    stored = PBKDF2PasswordHasher().encode("correct horse 1", "salt", 1000)
    assert check_password("correct horse 1", stored)
    assert not check_password("a guess", stored)
    assert make_password("correct horse 1").startswith("pbkdf2_sha256$")


def test_so_many_hash_at_once_so_many_wait_and_the_rest_is_refused() -> None:
    threads = HashingThreads(at_once=2, max_waiting=3)
    release, started = threading.Event(), threading.Semaphore(0)
    running: list[int] = []
    most = 0

    def work() -> str:
        nonlocal most
        running.append(1)
        most = max(most, len(running))
        started.release()
        release.wait()
        running.pop()
        return "hash"

    with ThreadPoolExecutor(20) as requests:
        waiting = [requests.submit(threads.run, work) for _ in range(20)]
        started.acquire()
        started.acquire()
        while sum(each.done() for each in waiting) < 15:
            threading.Event().wait(0.01)
        refused = [each for each in waiting if each.done()]
        assert all(isinstance(each.exception(), TooManyLogins) for each in refused)
        release.set()
        assert sorted(each.result() for each in waiting if each not in refused) == ["hash"] * 5
    assert most == 2
    assert threads.run(lambda: "the next") == "the next"


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/auth/login", "/admin/login/", "/admin/password_change/"])
def test_a_full_process_answers_429_without_checking(monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    monkeypatch.setattr(password_hashing, "hashing", full := HashingThreads(at_once=1, max_waiting=0))
    monkeypatch.setattr("subscriptions.auth.login_throttle.hashing", full)
    client: Any = Client()
    form: dict[str, str] = {"username": "mary", "password": "x"}
    if page == "/admin/password_change/":
        _, person = admin_of(customer())
        person.user.password = make_password("correct horse 1")
        person.user.save()
        client.force_login(person.user)
        form = {"old_password": "x", "new_password1": "correct horse 2", "new_password2": "correct horse 2"}
    else:
        agent(customer(), password="correct horse 1")
    kind = {"content_type": "application/json"} if page == "/auth/login" else {}
    taken, release = threading.Event(), threading.Event()

    def hold_the_place() -> None:
        with full.place():
            taken.set()
            release.wait()

    with ThreadPoolExecutor(1) as other:
        other.submit(hold_the_place)
        taken.wait()
        answer = client.post(page, form, **kind)
        release.set()
    assert answer.status_code == 429, answer.content
    assert int(answer["Retry-After"]) >= 1
