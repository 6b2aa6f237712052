"""Looking again at who is connected: what was revoked, switched off or changed acts on sockets that are open.

A change is announced through the channel layer, so that it acts at once, and noted in the database, so that it is found
at the next check where the layer is silent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import Error as DatabaseTrouble
from django.db import transaction
from django.db.models import F
from django.db.models.signals import post_delete, post_save

from events.bell import bell
from events.threads import in_database_thread
from subscriptions.access import Identity
from subscriptions.models import AccessChanges, AccessKey, Agent, Customer
from subscriptions.protocol import CloseCode
from subscriptions.tokens import (
    AGENT_KIND,
    KEY_KIND,
    BadCredential,
    agent_identity,
    key_identity,
    require_active,
    require_not_signed_out,
)

logger = logging.getLogger(__name__)

ACCESS_CHANGED = "access.changed"
"""The message's type, and the group of all processes to which it is sent."""

_HARMLESS_FIELDS = frozenset({"status", "status_changed_at", "last_used_at", "last_login"})
"""Saving nothing but these changes nobody's permissions."""


class Connection(Protocol):
    """An open socket, as far as its credential goes."""

    @property
    def identity(self) -> Identity: ...

    async def identity_changed(self, identity: Identity) -> None: ...

    def close(self, code: CloseCode, message: str) -> None: ...


class Renewer:
    """Looks again at one process's connections: at once when told, and every `check_seconds` if something changed."""

    def __init__(self, *, check_seconds: float) -> None:
        self._check_seconds = check_seconds
        self._connections: set[Connection] = set()
        self._new: set[Connection] = set()
        self._told = asyncio.Event()
        self._seen: int | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin. Called in the event loop."""
        self._task = asyncio.get_running_loop().create_task(self._look())

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def watch(self, connection: Connection) -> None:
        """Look at this connection from now on."""
        self._connections.add(connection)
        # Its credential was read before it came here, and may have changed between.
        self._new.add(connection)

    def forget(self, connection: Connection) -> None:
        """Look at it no more."""
        self._connections.discard(connection)
        self._new.discard(connection)

    def tell(self) -> None:
        """Something has changed: look at once."""
        self._told.set()

    async def _look(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._check_seconds):
                    await self._told.wait()
            except TimeoutError:
                pass
            self._told.clear()
            try:
                await self._look_once()
            except DatabaseTrouble as error:
                logger.warning("Open connections cannot be checked now: %s", error)
            except Exception:
                logger.exception("The check of open connections failed and goes on")

    async def _look_once(self) -> None:
        changes = await in_database_thread(changes_so_far)
        looked_at = set(self._connections if changes != self._seen else self._new)
        if not looked_at:
            self._seen = changes
            return
        outcomes = await in_database_thread(renew, {each.identity for each in looked_at})
        for connection in looked_at & self._connections:
            outcome = outcomes.get(connection.identity)
            if isinstance(outcome, BadCredential):
                connection.close(CloseCode.REVOKED, str(outcome))
            elif outcome is not None and outcome != connection.identity:
                await connection.identity_changed(outcome)
        # Only now: what failed half-way is done again.
        self._new -= looked_at
        self._seen = changes


def renew(identities: Iterable[Identity]) -> dict[Identity, Identity | BadCredential]:
    """What each of these is now, asked with as few queries as kinds of credentials. An expiry is not judged here."""
    asked = list(identities)
    keys = AccessKey.objects.select_related("customer", "agent__user", "agent__customer").in_bulk(
        [_id_of(each) for each in asked if _kind_of(each) == KEY_KIND]
    )
    agents = Agent.objects.select_related("customer", "user").in_bulk(
        [UUID(each.agent_id) for each in asked if each.agent_id and _kind_of(each) != KEY_KIND]
    )
    customers = Customer.objects.in_bulk({UUID(each.customer_id) for each in asked})
    outcomes: dict[Identity, Identity | BadCredential] = {}
    for each in asked:
        try:
            outcomes[each] = _renewed(each, keys, agents, customers)
        except BadCredential as error:
            outcomes[each] = error
    return outcomes


def _renewed(
    identity: Identity,
    keys: dict[UUID, AccessKey],
    agents: dict[UUID, Agent],
    customers: dict[UUID, Customer],
) -> Identity:
    kind = _kind_of(identity)
    if kind == KEY_KIND:
        if (key := keys.get(_id_of(identity))) is None:
            raise BadCredential("This access key was deleted", "unknown-key")
        renewed = key_identity(key)
        if not renewed.may_subscribe:
            raise BadCredential("This access key may not open a WebSocket any more", "key-may-not-subscribe")
        return _same_holder(identity, renewed)
    agent = agents.get(_id_of(identity))
    if kind == AGENT_KIND:
        if agent is None:
            raise BadCredential("The agent of this token was deleted", "unknown-agent")
        renewed = agent_identity(agent, expires_at=identity.expires_at, issued_at=identity.issued_at or 0.0)
        return _same_holder(identity, renewed)
    # VoIPBIN's own: its claims say what the agent may, our records only who is switched off and what was granted.
    require_active(customers.get(UUID(identity.customer_id)), agent)
    if agent is None:
        return identity
    require_not_signed_out(agent, identity.issued_at or 0.0)
    return _same_holder(identity, replace(identity, granted_resources=frozenset(agent.granted_resources)))


def _same_holder(before: Identity, now: Identity) -> Identity:
    """A connection stays its customer's and agent's: whoever moved has to come anew."""
    if (before.customer_id, before.agent_id) != (now.customer_id, now.agent_id):
        raise BadCredential("This credential is another customer's or agent's now", "foreign-credential")
    return now


def _kind_of(identity: Identity) -> str:
    return identity.credential_id.partition(":")[0]


def _id_of(identity: Identity) -> UUID:
    return UUID(identity.credential_id.partition(":")[2])


def changes_so_far() -> int:
    """How many changes of credentials, agents and customers there have been."""
    return AccessChanges.objects.values_list("count", flat=True).first() or 0


def access_changed() -> None:
    """Something that decides who may hear what has changed: let every process look at its connections.

    Called for each saved or deleted key, agent, customer and login; whoever changes them by an update of many calls it.
    """
    if not AccessChanges.objects.filter(pk=1).update(count=F("count") + 1):
        AccessChanges.objects.bulk_create([AccessChanges(pk=1, count=1)], ignore_conflicts=True)
    transaction.on_commit(lambda: bell.tell(ACCESS_CHANGED, {"type": ACCESS_CHANGED}))


def _saved(*, update_fields: Sequence[str] | None = None, created: bool = False, **_: Any) -> None:
    # Nobody is connected by what has just been made.
    if not created and not (update_fields is not None and _HARMLESS_FIELDS.issuperset(update_fields)):
        access_changed()


def _deleted(**_: Any) -> None:
    access_changed()


def connect() -> None:
    """Have every saved and deleted key, agent, customer and login looked at."""
    for model in (AccessKey, Agent, Customer, get_user_model()):
        name = f"subscriptions.renewal.{model.__name__}"
        post_save.connect(_saved, sender=model, dispatch_uid=f"{name}.saved")
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"{name}.deleted")
