"""The throttle of log-in attempts, over REST and in the admin."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from events.quotas.rate_limit import RateLimit
from subscriptions.auth import login_throttle
from subscriptions.models import LoginTries
from tests.subscriptions.support.people import agent, customer

PASSWORD = "correct horse 1"
HERE, ELSEWHERE = "203.0.113.7", "203.0.113.8"

pytestmark = pytest.mark.django_db


class Clock:
    """The time that login_tries sees."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def forward(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(login_throttle.timezone, "now", lambda: clock.now)
    return clock


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _no_failures_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_throttle, "process_limit", login_throttle.ProcessLimit())


@pytest.fixture
def mary() -> str:
    user = agent(customer(), role="admin", password=PASSWORD).user
    user.username, user.is_staff = "mary", True
    user.save()
    return "mary"


def rest(username: str, password: str, address: str = HERE) -> Any:
    return Client(REMOTE_ADDR=address).post(
        "/auth/login", {"username": username, "password": password}, content_type="application/json"
    )


def admin(username: str, password: str, address: str = HERE) -> Any:
    form = {"username": username, "password": password, "next": "/admin/"}
    return Client(REMOTE_ADDR=address).post("/admin/login/", form)


GOOD = {rest: 200, admin: 302}
BAD = {rest: 401, admin: 200}
WAYS = pytest.mark.parametrize("log_in", [rest, admin])


@WAYS
def test_after_five_failures_not_even_the_right_password_is_looked_at(log_in: Any, mary: str) -> None:
    for _ in range(login_throttle.PER_USER.burst):
        assert log_in(mary, "a guess").status_code == BAD[log_in]
    refused = log_in(mary, PASSWORD)
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert ": try again in " in refused.content.decode()


@WAYS
def test_waiting_for_the_returned_time_lets_the_owner_in(log_in: Any, mary: str, clock: Clock) -> None:
    for _ in range(login_throttle.PER_USER.burst):
        log_in(mary, "a guess")
    for _ in range(20):  # A refused try costs nothing more.
        refused = log_in(mary, "a guess")
    clock.forward(int(refused["Retry-After"]))
    assert log_in(mary, PASSWORD).status_code == GOOD[log_in]


@WAYS
def test_a_stranger_elsewhere_cannot_lock_the_owner_out(log_in: Any, mary: str) -> None:
    for _ in range(3 * login_throttle.PER_USER.burst):
        log_in(mary, "a guess", ELSEWHERE)
    assert log_in(mary, PASSWORD).status_code == GOOD[log_in]


def test_guesses_at_the_present_password_are_counted_too(mary: str) -> None:
    browser: Any = Client(REMOTE_ADDR=HERE)
    browser.force_login(User.objects.get(username=mary))
    form = {"old_password": "a guess", "new_password1": "another 2", "new_password2": "another 2"}
    answers = [browser.post("/admin/password_change/", form).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    assert rest(mary, PASSWORD).status_code == 429


def guess_from_everywhere(count: int) -> list[int]:
    return [rest("mary", "a guess", f"198.51.{n // 250}.{n % 250 + 1}").status_code for n in range(count)]


def test_guesses_for_one_user_from_many_addresses_are_held_up(mary: str, clock: Clock) -> None:
    burst = login_throttle.PER_NAME.burst
    assert guess_from_everywhere(burst + 5) == [401] * burst + [429] * 5
    assert rest(mary, PASSWORD).status_code == 429
    clock.forward(login_throttle.PER_NAME.refill_seconds)
    assert rest(mary, PASSWORD).status_code == 200


@WAYS
def test_the_owner_logs_in_from_a_known_address_during_an_attack(log_in: Any, mary: str) -> None:
    assert log_in(mary, PASSWORD).status_code == GOOD[log_in]
    guess_from_everywhere(login_throttle.PER_PROCESS.burst * 2)
    assert log_in(mary, PASSWORD).status_code == GOOD[log_in]
    assert rest(mary, PASSWORD, ELSEWHERE).status_code == 429


def test_guesses_for_many_users_from_many_addresses_are_held_up() -> None:
    burst = login_throttle.PER_PROCESS.burst
    answers = [rest(f"name {n}", "Spring2026", f"198.51.100.{n + 1}").status_code for n in range(burst * 2)]
    assert answers[:burst] == [401] * burst
    assert 429 in answers[burst:]


def test_both_doors_count_together(mary: str) -> None:
    for log_in in (rest, admin, rest, admin, rest):
        assert log_in(mary, "a guess").status_code == BAD[log_in]
    assert admin(mary, PASSWORD).status_code == rest(mary, PASSWORD).status_code == 429


def test_another_spelling_of_the_name_is_no_new_beginning(mary: str) -> None:
    for name in ("mary", "MARY", " mary", "Mary ", "mAry"):
        rest(name, "a guess")
    assert rest("maRy", "a guess").status_code == 429


def test_a_success_forgets_the_failures_before_it(mary: str) -> None:
    for _ in range(5):
        for _ in range(login_throttle.PER_USER.burst - 1):
            rest(mary, "a guess")
        assert rest(mary, PASSWORD).status_code == 200


def test_many_names_from_one_address_are_held_up_too(mary: str, clock: Clock) -> None:
    for number in range(login_throttle.PER_ADDRESS.burst):
        assert rest(f"name {number}", "Spring2026").status_code == 401
    assert rest(mary, PASSWORD).status_code == 429
    assert rest(mary, PASSWORD, ELSEWHERE).status_code == 200
    clock.forward(login_throttle.PER_ADDRESS.refill_seconds)
    assert rest(mary, PASSWORD).status_code == 200


def test_an_office_behind_one_address_may_begin_its_shift_at_once(
    monkeypatch: pytest.MonkeyPatch, mary: str
) -> None:
    monkeypatch.setattr(login_throttle, "PER_ADDRESS", RateLimit(burst=2, refill_seconds=600))
    assert [rest(mary, PASSWORD).status_code for _ in range(6)] == [200] * 6


def test_addresses_of_one_ipv6_network_are_one(mary: str) -> None:
    for number in range(login_throttle.PER_USER.burst):
        rest(mary, "a guess", f"2001:db8:1:2::{number}")
    assert rest(mary, PASSWORD, "2001:db8:1:2:ffff::1").status_code == 429
    assert rest(mary, PASSWORD, "2001:db8:1:3::1").status_code == 200


def test_what_cannot_be_a_login_is_not_counted(mary: str) -> None:
    for body in ("", "[]", '{"username": "mary"}', '{"username": "mary", "password": ""}'):
        for _ in range(3):
            assert (
                Client(REMOTE_ADDR=HERE)
                .post("/auth/login", body, content_type="application/json")
                .status_code
                == 400
            )
    assert admin("mary", "").status_code == 200
    assert rest(mary, PASSWORD).status_code == 200


def test_a_login_without_a_place_in_the_admin_is_a_failure_there() -> None:
    User.objects.create_user("bob", password=PASSWORD)
    for _ in range(login_throttle.PER_USER.burst):
        assert admin("bob", PASSWORD).status_code == 200
    assert admin("bob", PASSWORD).status_code == 429


def test_nothing_that_was_typed_is_kept(mary: str) -> None:
    rest("my-secret-password", "x")
    kept = " ".join(f"{row.key} {row}" for row in LoginTries.objects.all())
    assert kept
    assert "my-secret-password" not in kept
    assert HERE not in kept


def test_what_says_nothing_any_more_goes_away(mary: str, clock: Clock) -> None:
    rest(mary, "a guess")
    clock.forward(login_throttle.RETENTION.total_seconds() + 3600)
    rest("another", "a guess", ELSEWHERE)
    assert LoginTries.objects.count() == 3  # The name, the address, and both.


@pytest.mark.parametrize("wait_between", [0.0, 0.5, 1.0, 7.0])
def test_in_the_long_run_an_allowance_gives_no_more_than_it_says(wait_between: float) -> None:
    allowance, full_at, now, taken = RateLimit(burst=3, refill_seconds=2), 0.0, 1000.0, 0
    for _ in range(500):
        full_at, wait = allowance.take(full_at, now)
        taken += not wait
        now += wait_between
    assert taken <= 3 + (now - 1000) / 2
    assert taken >= min(500, 3 + (now - 1000 - wait_between) // 2 - 1)
