"""Logging in with a password: throttled, and recorded in the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

from django import db
from django.contrib.auth import get_user_model
from django.utils.crypto import salted_hmac

from events.counters import LabelledCount
from subscriptions.accounts.changes import Actor, actor_of_user, record
from subscriptions.audit.repeats import Repeats
from subscriptions.auth.client_info import ClientInfo, storable
from subscriptions.auth.login_throttle import throttled
from subscriptions.auth.password_hashing import TooManyLogins
from subscriptions.models import AuditAction, AuditVerdict

MAX_NAME_CHARACTERS = 150
SHORTEST_PASSWORD = 8
"""Characters that MinimumLengthValidator requires."""

login_failures = LabelledCount()
"""Log-ins that failed in this process, by rule."""

MAX_FAILURE_KINDS = 100
"""Different failures in a minute; further ones are counted together."""


class Failure(NamedTuple):
    """What failed log-ins with one record have in common."""

    username: str
    address: str
    client: str
    rule: str


OTHERS = Failure("", "", "", "many-failed-logins")
"""Stands for all failures beyond MAX_FAILURE_KINDS."""

_failures: Repeats[Failure, None] = Repeats(
    lambda failure: None if failure == OTHERS else OTHERS, max_kinds=MAX_FAILURE_KINDS
)
_lock = Lock()


@dataclass
class Attempt:
    """A log-in in progress; the caller sets the user whose password was right.

    `rule` is that of the audit record if the block raises.
    """

    user: Any = None
    rule: str = "wrong-password"


@contextmanager
def login_attempt(username: str, client_info: ClientInfo, place: str) -> Iterator[Attempt]:
    """Check a password in the block, which raises if the log-in fails, and record it.

    `place` names what the user logs in to.

    Raises:
        TooManyLogins: The password is not to be checked now.
    """
    attempt = Attempt()
    try:
        with throttled(username, client_info.address):
            yield attempt
    except TooManyLogins:
        record_failure(username, client_info, "too-many-logins")
        raise
    except db.Error:
        raise
    except Exception:
        record_failure(username, client_info, attempt.rule)
        raise
    actor = actor_of_user(attempt.user, client_info)
    record(actor, AuditAction.LOGIN, f"user:{attempt.user.pk}", rule="right-password", detail=place)


def record_failure(username: str, client_info: ClientInfo, rule: str) -> None:
    """Count a password that was wrong or not checked, and record it unless it is a repeat."""
    login_failures.add(rule)
    failure = Failure(storable(username, MAX_NAME_CHARACTERS), client_info.address, client_info.client, rule)
    with _lock:
        is_new = _failures.add(failure, None, monotonic())
    if is_new:
        _record(failure, 1)


def _record(failure: Failure, count: int) -> None:
    client_info = ClientInfo(failure.address, failure.client)
    user = get_user_model().objects.filter(username=failure.username).first() if failure.username else None
    if user is not None:
        actor = replace(actor_of_user(user, client_info), agent_id=None)
    else:
        actor = Actor(f"user {_shown(failure.username)}" if failure.username else "", client_info=client_info)
    record(actor, AuditAction.LOGIN, "", verdict=AuditVerdict.REFUSED, rule=failure.rule, count=count)


def _shown(unknown_name: str) -> str:
    """Return a name that is no user's, without what may be a password.

    Users type passwords into the field of the name. No password is so short as the names that are returned whole. Of
    longer ones, the digest shows which are the same.
    """
    if len(unknown_name) < SHORTEST_PASSWORD:
        return unknown_name
    digest = salted_hmac(
        "subscriptions.unknown_name", unknown_name.encode("utf-8", "surrogatepass")
    ).hexdigest()
    return f"{unknown_name[:3]}… (unknown, #{digest[:8]})"


def record_repeated_failures(*, now: bool = False) -> None:
    """Record the failures that were only counted, if the minute is over or `now` is set.

    Raises:
        django.db.Error: The database does not answer; the failures stay counted.
    """
    with _lock:
        waiting = _failures.take() if now or _failures.due(monotonic()) else []
    while waiting:
        try:
            _record(waiting[-1].kind, waiting[-1].count)
        except Exception:
            with _lock:
                _failures.put_back(waiting, monotonic())
            raise
        waiting.pop()
