"""Looking again at who is connected: what was revoked, switched off, changed or ordered acts on sockets that are open.

A change is announced through the channel layer, so that it acts at once, and noted in the database, so that it is found
at the next check where the layer is silent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from django import db

from events.database.threads import in_database_thread
from subscriptions.auth.access_version import current_version
from subscriptions.auth.tokens import (
    AGENT_KIND,
    KEY_KIND,
    BadCredential,
    agent_identity,
    key_identity,
    require_active,
    require_not_signed_out,
)
from subscriptions.models import AccessKey, Agent, CloseOrder, Customer
from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.permissions import Identity

if TYPE_CHECKING:
    from subscriptions.connections.connection import Connection

logger = logging.getLogger(__name__)

CLOSED_BY_OPERATOR = "closed-by-operator"


class Reauthorizer:
    """Looks again at one process's connections: at once when told, and every `check_seconds` if something changed."""

    def __init__(self, *, check_seconds: float) -> None:
        self._check_seconds = check_seconds
        self._connections: set[Connection] = set()
        self._new: set[Connection] = set()
        self._notified = asyncio.Event()
        self._seen_version: int | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin. Called in the event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

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

    def notify(self) -> None:
        """Something has changed: look at once."""
        self._notified.set()

    async def _run(self) -> None:
        while True:
            # At once for the first time: what is ordered from now on is found by the number that is seen now.
            self._notified.clear()
            try:
                await self._check()
            except db.Error as error:
                logger.warning("Open connections cannot be checked now: %s", error)
            except Exception:
                logger.exception("The check of open connections failed and goes on")
            try:
                async with asyncio.timeout(self._check_seconds):
                    await self._notified.wait()
            except TimeoutError:
                pass

    async def _check(self) -> None:
        version = await in_database_thread(current_version)
        checked = set(self._connections if version != self._seen_version else self._new)
        if not checked:
            self._seen_version = version
            return
        if self._seen_version is not None and version != self._seen_version:
            self._carry_out(await in_database_thread(orders_after, self._seen_version))
        outcomes = await in_database_thread(current_identities, {each.identity for each in checked})
        narrowed = []
        for connection in checked & self._connections:
            outcome = outcomes.get(connection.identity)
            if isinstance(outcome, BadCredential):
                connection.close(CloseCode.REVOKED, str(outcome))
            elif outcome is not None and outcome != connection.identity:
                narrowed.append(connection.identity_changed(outcome))
        # Together: each drops its topics first and then waits for its audit records, which are stored in one commit.
        await asyncio.gather(*narrowed)
        # Only now: what failed half-way is done again.
        self._new -= checked
        self._seen_version = version

    def _carry_out(self, orders: Iterable[CloseOrder]) -> None:
        for order in orders:
            message = f"Closed by an operator: {order.reason}" if order.reason else "Closed by an operator"
            key = f"{KEY_KIND}:{order.key_id}"
            for connection in list(self._connections):
                if order.connection_id == connection.connection_id or (
                    order.key_id is not None and connection.identity.credential_id == key
                ):
                    connection.close(CloseCode.REVOKED, message, rule=CLOSED_BY_OPERATOR)


def orders_after(version: int) -> list[CloseOrder]:
    """The orders to close connections that were given after this number of changes."""
    return list(CloseOrder.objects.filter(change__gt=version).order_by("pk"))


def current_identities(identities: Iterable[Identity]) -> dict[Identity, Identity | BadCredential]:
    """What each of these is now, asked with as few queries as kinds of credentials. An expiry is not judged here."""
    credentials = [(each, *_kind_and_id(each)) for each in identities]
    keys = AccessKey.objects.select_related("customer", "agent__user", "agent__customer").in_bulk(
        [pk for _, kind, pk in credentials if kind == KEY_KIND]
    )
    agents = Agent.objects.select_related("customer", "user").in_bulk(
        [pk for _, kind, pk in credentials if kind != KEY_KIND]
    )
    customers = Customer.objects.in_bulk({UUID(each.customer_id) for each, *_ in credentials})
    outcomes: dict[Identity, Identity | BadCredential] = {}
    for each, kind, pk in credentials:
        try:
            if kind == KEY_KIND:
                now = _of_key(keys.get(pk))
            elif kind == AGENT_KIND:
                now = _of_token(each, agents.get(pk))
            else:
                now = _of_voipbin(each, customers.get(UUID(each.customer_id)), agents.get(pk))
            # A connection stays its customer's and agent's: whoever moved has to come anew.
            if (each.customer_id, each.agent_id) != (now.customer_id, now.agent_id):
                raise BadCredential(
                    "This credential is another customer's or agent's now", "foreign-credential"
                )
            outcomes[each] = now
        except BadCredential as error:
            outcomes[each] = error
    return outcomes


def _kind_and_id(identity: Identity) -> tuple[str, UUID]:
    kind, _, pk = identity.credential_id.partition(":")
    return kind, UUID(pk)


def _of_key(key: AccessKey | None) -> Identity:
    if key is None:
        raise BadCredential("This access key was deleted", "unknown-key")
    identity = key_identity(key)
    if not identity.may_subscribe:
        raise BadCredential("This access key may not open a WebSocket any more", "key-may-not-subscribe")
    return identity


def _of_token(before: Identity, agent: Agent | None) -> Identity:
    if agent is None:
        raise BadCredential("The agent of this token was deleted", "unknown-agent")
    return agent_identity(agent, expires_at=before.expires_at, issued_at=before.issued_at or 0.0)


def _of_voipbin(before: Identity, customer: Customer | None, agent: Agent | None) -> Identity:
    # Its claims say what the agent may, our records only who is switched off and what was granted.
    require_active(customer, agent)
    if agent is None:
        return before
    require_not_signed_out(agent, before.issued_at or 0.0)
    return replace(before, granted_resources=frozenset(agent.granted_resources))
