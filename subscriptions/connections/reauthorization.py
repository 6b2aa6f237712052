"""Looking again at who is connected: what was revoked, switched off, changed or ordered acts on sockets that are open.

A change is announced through the channel layer, so that it acts at once, and noted in the database, so that it is found
at the next check where the layer is silent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from django.db import Error as DatabaseTrouble

from events.database.threads import in_database_thread
from subscriptions.auth.access_keys import key_identity
from subscriptions.auth.access_version import current_version
from subscriptions.auth.credentials import AGENT_KIND, KEY_KIND, BadCredential, require_active
from subscriptions.auth.tokens import agent_identity, require_not_signed_out
from subscriptions.models import AccessKey, Agent, CloseOrder, Customer
from subscriptions.protocol.messages import CloseCode
from subscriptions.protocol.permissions import Identity

logger = logging.getLogger(__name__)

CLOSED_BY_OPERATOR = "closed-by-operator"


class Connection(Protocol):
    """An open socket, as far as its credential goes."""

    @property
    def connection_id(self) -> UUID: ...

    @property
    def identity(self) -> Identity: ...

    async def identity_changed(self, identity: Identity) -> None: ...

    def close(self, code: CloseCode, message: str, *, rule: str = "") -> None: ...


class Reauthorizer:
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
            # At once for the first time: what is ordered from now on is found by the number that is seen now.
            self._told.clear()
            try:
                await self._look_once()
            except DatabaseTrouble as error:
                logger.warning("Open connections cannot be checked now: %s", error)
            except Exception:
                logger.exception("The check of open connections failed and goes on")
            try:
                async with asyncio.timeout(self._check_seconds):
                    await self._told.wait()
            except TimeoutError:
                pass

    async def _look_once(self) -> None:
        changes = await in_database_thread(current_version)
        looked_at = set(self._connections if changes != self._seen else self._new)
        if not looked_at:
            self._seen = changes
            return
        if self._seen is not None and changes != self._seen:
            self._carry_out(await in_database_thread(orders_after, self._seen))
        outcomes = await in_database_thread(renew, {each.identity for each in looked_at})
        narrowed = []
        for connection in looked_at & self._connections:
            outcome = outcomes.get(connection.identity)
            if isinstance(outcome, BadCredential):
                connection.close(CloseCode.REVOKED, str(outcome))
            elif outcome is not None and outcome != connection.identity:
                narrowed.append(connection.identity_changed(outcome))
        # Together: each drops its topics first and then waits for its audit records, which are stored in one commit.
        await asyncio.gather(*narrowed)
        # Only now: what failed half-way is done again.
        self._new -= looked_at
        self._seen = changes

    def _carry_out(self, orders: Iterable[CloseOrder]) -> None:
        for order in orders:
            message = f"Closed by an operator: {order.word}" if order.word else "Closed by an operator"
            key = f"{KEY_KIND}:{order.key_id}"
            for connection in list(self._connections):
                if order.connection_id == connection.connection_id or (
                    order.key_id is not None and connection.identity.credential_id == key
                ):
                    connection.close(CloseCode.REVOKED, message, rule=CLOSED_BY_OPERATOR)


def orders_after(change: int) -> list[CloseOrder]:
    """The orders to close connections that were given after this number of changes."""
    return list(CloseOrder.objects.filter(change__gt=change).order_by("pk"))


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
