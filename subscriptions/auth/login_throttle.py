"""The throttle of log-in attempts, which makes guessing passwords too slow.

Failures are counted per user name and address, and per address, in the database that all processes share. They are not
counted per user name alone, or an attacker could lock out its owner. A refused attempt is not counted, so waiting
always ends.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from subscriptions.models import LoginTries
from subscriptions.protocol.limits import RateLimit

PER_USER = RateLimit(burst=5, refill_seconds=60)
PER_ADDRESS = RateLimit(burst=50, refill_seconds=6)
"""Hundreds of people in an office share one address; a successful attempt is given back."""

RETENTION = dt.timedelta(hours=1)
"""How long a row that limits nothing any more is kept, for attempts that are in progress."""


@dataclass(frozen=True, slots=True)
class TooManyAttempts:
    """The refusal of an attempt."""

    wait_seconds: int

    def __str__(self) -> str:
        return f"Too many failed logins from here: try again in {self.wait_seconds} seconds"


def begin(username: str, address: str) -> TooManyAttempts | None:
    """Count an attempt as failed, before the password is checked.

    So parallel attempts are counted as well. Returns the refusal, or `None` if the password may be checked.
    """
    now = timezone.now()
    limits = {_key_of_user(username, address): PER_USER, _key_of_address(address): PER_ADDRESS}
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
    _delete_full(now)
    return TooManyAttempts(math.ceil(max(waits))) if any(waits) else None


def succeeded(username: str, address: str) -> None:
    """Uncount a successful attempt, and the user's earlier failures from this address."""
    LoginTries.objects.filter(key=_key_of_user(username, address)).delete()
    given_back = dt.timedelta(seconds=PER_ADDRESS.refill_seconds)
    LoginTries.objects.filter(key=_key_of_address(address)).update(full_at=F("full_at") - given_back)


def _key_of_user(username: str, address: str) -> str:
    return _key(f"{username.strip().casefold()}\0{_network_of(address)}")


def _key_of_address(address: str) -> str:
    return _key(_network_of(address))


def _key(text: str) -> str:
    # Users may type a password into the field of the name: nothing readable is stored.
    return salted_hmac(
        "subscriptions.login_tries", text.encode("utf-8", "surrogatepass"), algorithm="sha256"
    ).hexdigest()


def _network_of(address: str) -> str:
    """Return the address; for IPv6 the /64 network of one household (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False) if isinstance(parsed, IPv6Address) else parsed)


def _delete_full(now: dt.datetime) -> None:
    old = LoginTries.objects.filter(full_at__lt=now - RETENTION)
    if old.exists():
        with transaction.atomic():
            free = old.select_for_update(skip_locked=True).values_list("key", flat=True)[:1000]
            LoginTries.objects.filter(key__in=list(free)).delete()
