"""How often somebody may try to log in: guessing passwords must not pay, and nobody must be locked out by another.

What is counted are failures, by user name and address together and by address alone, in the database, which all
processes share. Nothing is counted by the user name alone: whoever knows it could keep its owner out. A refused try
costs nothing, so waiting always ends.
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
"""An office of hundreds is behind one address; its successes are given back."""

RETENTION = dt.timedelta(hours=1)
"""How long a row that says nothing any more is left where it is, for the tries that are under way."""


@dataclass(frozen=True, slots=True)
class TooManyAttempts:
    """Why nobody can log in just now."""

    wait_seconds: int

    def __str__(self) -> str:
        return f"Too many failed logins from here: try again in {self.wait_seconds} seconds"


def begin(username: str, address: str) -> TooManyAttempts | None:
    """Count a try as failed before it is looked at, so that many at once are counted each; none: look at it."""
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
    """The try that was begun ended well: it counts for nothing, nor do earlier ones as this user from here."""
    LoginTries.objects.filter(key=_key_of_user(username, address)).delete()
    given_back = dt.timedelta(seconds=PER_ADDRESS.refill_seconds)
    LoginTries.objects.filter(key=_key_of_address(address)).update(full_at=F("full_at") - given_back)


def _key_of_user(username: str, address: str) -> str:
    return _key(f"{username.strip().casefold()}\0{_network_of(address)}")


def _key_of_address(address: str) -> str:
    return _key(_network_of(address))


def _key(text: str) -> str:
    # Some people type their password where their name belongs: nothing readable is kept.
    return salted_hmac(
        "subscriptions.login_tries", text.encode("utf-8", "surrogatepass"), algorithm="sha256"
    ).hexdigest()


def _network_of(address: str) -> str:
    """The address; of IPv6 the network of which one household or one machine has all addresses (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _delete_full(now: dt.datetime) -> None:
    old = LoginTries.objects.filter(full_at__lt=now - RETENTION)
    if old.exists():
        with transaction.atomic():
            free = old.select_for_update(skip_locked=True).values_list("key", flat=True)[:1000]
            LoginTries.objects.filter(key__in=list(free)).delete()
