"""The throttle of log-in attempts, which makes guessing passwords too slow.

Failures are counted per user name and address, per address, and per user name from all addresses, in the database that
all processes share; and all failures of one process together, in its memory. The last two do not apply to an address
from which the user has logged in before: an attacker must not be able to lock its owner out. A refused attempt is not
counted, so waiting always ends.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from events.quotas.rate_limit import RateLimit
from subscriptions.auth.password_hashing import TooManyLogins, hashing
from subscriptions.models import LoginTries
from subscriptions.protocol.limits import network_of

PER_USER = RateLimit(burst=5, refill_seconds=60)
PER_ADDRESS = RateLimit(burst=50, refill_seconds=6)
"""Hundreds of people in an office share one address; a successful attempt is given back."""
PER_NAME = RateLimit(burst=30, refill_seconds=60)
"""From all addresses together: thousands of them may guess for one user."""
PER_PROCESS = RateLimit(burst=60, refill_seconds=1)
"""Of all users from all addresses: each attempt costs a hash."""

KNOWN_FOR = dt.timedelta(days=90)
"""How long an address stays known after a user's login from it."""

RETENTION = dt.timedelta(hours=1)
"""How long a row that limits nothing any more is kept, for attempts that are in progress."""


class ProcessLimit:
    """The failed attempts of this process, from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._full_at = 0.0

    def take(self) -> float:
        """Count an attempt; return the seconds to wait, with which it is not counted."""
        with self._lock:
            self._full_at, wait = PER_PROCESS.take(self._full_at, monotonic())
        return wait

    def give_back(self) -> None:
        """Uncount an attempt that did not fail."""
        with self._lock:
            self._full_at -= PER_PROCESS.refill_seconds


process_limit = ProcessLimit()


@contextmanager
def throttled(username: str, address: str) -> Iterator[None]:
    """Check a password in the block, which raises if the login fails.

    Raises:
        TooManyLogins: The password is not to be checked now.
    """
    with hashing.place():
        counted = _begin(username, address)
        yield
        _succeeded(username, address, counted)


def _begin(username: str, address: str) -> dict[str, RateLimit]:
    """Count an attempt as failed, before the password is checked.

    So parallel attempts are counted as well. Returns the limits with which it is counted, by the keys of their rows.

    Raises:
        TooManyLogins: Too many attempts failed.
    """
    now = timezone.now()
    wait_for_process = process_limit.take()
    is_known = LoginTries.objects.filter(key=_key_of_known(username, address), full_at__gt=now).exists()
    if wait_for_process and not is_known:
        # Before anything is written: a flood must not occupy the database.
        raise TooManyLogins(wait=wait_for_process)
    limits = {_key_of_user(username, address): PER_USER, _key_of_address(address): PER_ADDRESS}
    if not is_known:
        limits[_key_of_name(username)] = PER_NAME
    if wait := _take(limits, now):
        if not wait_for_process:
            process_limit.give_back()
        raise TooManyLogins("Too many failed logins from here", wait)
    _delete_full(now)
    return limits


def _take(limits: dict[str, RateLimit], now: dt.datetime) -> float:
    """Take one of each limit, or nothing; return the seconds to wait."""
    with transaction.atomic():
        LoginTries.objects.bulk_create(
            [LoginTries(key=key, full_at=now) for key in sorted(limits)], ignore_conflicts=True
        )
        rows = list(LoginTries.objects.select_for_update().filter(key__in=limits).order_by("key"))
        waits = []
        for row in rows:
            full_at, wait = limits[row.key].take(row.full_at.timestamp(), now.timestamp())
            row.full_at = dt.datetime.fromtimestamp(full_at, dt.UTC)
            waits.append(wait)
        if not any(waits):
            LoginTries.objects.bulk_update(rows, ["full_at"])
    return max(waits)


def _succeeded(username: str, address: str, counted: dict[str, RateLimit]) -> None:
    """Uncount a successful attempt, and the user's earlier failures from this address."""
    known_until = timezone.now() + KNOWN_FOR
    LoginTries.objects.update_or_create(
        key=_key_of_known(username, address), defaults={"full_at": known_until}
    )
    LoginTries.objects.filter(key=_key_of_user(username, address)).delete()
    process_limit.give_back()
    for key, limit in counted.items():
        given_back = dt.timedelta(seconds=limit.refill_seconds)
        LoginTries.objects.filter(key=key).update(full_at=F("full_at") - given_back)


def _key_of_user(username: str, address: str) -> str:
    return _key(f"{username.strip().casefold()}\0{network_of(address)}")


def _key_of_name(username: str) -> str:
    return _key(f"{username.strip().casefold()}\0")


def _key_of_known(username: str, address: str) -> str:
    return _key(f"{username.strip().casefold()}\0{network_of(address)}\0known")


def _key_of_address(address: str) -> str:
    return _key(network_of(address))


def _key(text: str) -> str:
    # Users may type a password into the field of the name: nothing readable is stored.
    return salted_hmac(
        "subscriptions.login_tries", text.encode("utf-8", "surrogatepass"), algorithm="sha256"
    ).hexdigest()


def _delete_full(now: dt.datetime) -> None:
    old = LoginTries.objects.filter(full_at__lt=now - RETENTION)
    if old.exists():
        with transaction.atomic():
            free = old.select_for_update(skip_locked=True).values_list("key", flat=True)[:1000]
            LoginTries.objects.filter(key__in=list(free)).delete()
