"""Reauthorization: changed permissions and close orders take effect on open connections.

A change is announced through the channel layer, so that it takes effect at once, and counted in the database, so that
the next check finds it if the layer is silent.
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
from subscriptions.auth.access_keys import key_identity
from subscriptions.auth.access_version import current_version
from subscriptions.auth.credentials import (
    AGENT_KIND,
    KEY_KIND,
    VOIPBIN_KIND,
    BadCredential,
    key_behind,
    kind_and_id,
    limited,
    require_active,
)
from subscriptions.auth.customer_quotas import quotas_of_customer
from subscriptions.auth.ended_tokens import ended_among
from subscriptions.auth.minted_tokens import minted_identity
from subscriptions.auth.tokens import agent_identity, ended_token, require_not_signed_out
from subscriptions.models import AccessKey, Agent, CloseOrder, Customer
from subscriptions.models.number_masks import masking_of
from subscriptions.protocol.codes import CloseCode
from subscriptions.protocol.permissions import Identity

if TYPE_CHECKING:
    from subscriptions.connections.connection import Connection

logger = logging.getLogger(__name__)

CLOSED_BY_OPERATOR = "closed-by-operator"


class Reauthorizer:
    """Checks the connections of one process: when notified, and every `check_seconds`."""

    def __init__(self, *, check_seconds: float) -> None:
        self._check_seconds = check_seconds
        self._connections: set[Connection] = set()
        self._new: set[Connection] = set()
        self._notified = asyncio.Event()
        self._seen_version: int | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to check. Called in the event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop checking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def watch(self, connection: Connection) -> None:
        """Check this connection from now on."""
        self._connections.add(connection)
        self.recheck(connection)

    def recheck(self, connection: Connection) -> None:
        """Check this connection's new identity at the next check.

        Its credential was read before, and may have changed since.
        """
        if connection in self._connections:
            self._new.add(connection)

    def forget(self, connection: Connection) -> None:
        """Stop checking this connection."""
        self._connections.discard(connection)
        self._new.discard(connection)

    def notify(self) -> None:
        """Check at once, since permissions have changed."""
        self._notified.set()

    async def _run(self) -> None:
        while True:
            # The first check runs at once: orders from now on are found by the version that it reads.
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
        # Connections whose identity is new while this check runs are left for the next one.
        new, self._new = self._new, set()
        try:
            await self._check_against(version, self._connections if version != self._seen_version else new)
        except BaseException:
            self._new |= new & self._connections
            raise
        self._seen_version = version

    async def _check_against(self, version: int, connections: Iterable[Connection]) -> None:
        checked = {each: each.identity for each in connections}
        if not checked:
            return
        if self._seen_version is not None and version != self._seen_version:
            self._carry_out(await in_database_thread(orders_after, self._seen_version))
        outcomes = await in_database_thread(current_identities, set(checked.values()))
        narrowed = []
        for connection, identity in checked.items():
            outcome = outcomes[identity]
            if connection not in self._connections or connection.identity != identity:
                continue  # The connection has ended, or is checked again with its new identity.
            if isinstance(outcome, BadCredential):
                connection.close(CloseCode.REVOKED, str(outcome))
            elif outcome != identity:
                narrowed.append(connection.identity_changed(outcome))
        # Together: each ends its topics first and then waits for its audit records, which share one commit.
        await asyncio.gather(*narrowed)

    def _carry_out(self, orders: Iterable[CloseOrder]) -> None:
        for order in orders:
            message = f"Closed by an operator: {order.reason}" if order.reason else "Closed by an operator"
            for connection in list(self._connections):
                if order.connection_id == connection.connection_id or (
                    order.key_id is not None and order.key_id == key_behind(connection.identity)
                ):
                    connection.close(CloseCode.REVOKED, message, rule=CLOSED_BY_OPERATOR)


def orders_after(version: int) -> list[CloseOrder]:
    """The orders to close connections that were given after this access version."""
    return list(CloseOrder.objects.filter(change__gt=version).order_by("pk"))


def current_identities(identities: Iterable[Identity]) -> dict[Identity, Identity | BadCredential]:
    """The current identity of each credential, or why it is invalid; ignores expiry."""
    credentials = [(each, *kind_and_id(each.credential_id)) for each in identities]
    minters = [kind_and_id(each.grant.minter) for each in identities if each.grant]
    rows = {*minters, *((kind, pk) for _, kind, pk in credentials)}
    keys = AccessKey.objects.select_related("customer", "agent__user", "agent__customer").in_bulk(
        [pk for kind, pk in rows if kind == KEY_KIND]
    )
    agents = Agent.objects.select_related("customer", "user").in_bulk(
        {pk for kind, pk in rows if kind in (AGENT_KIND, VOIPBIN_KIND)}
        | {UUID(each.agent_id) for each in identities if each.grant and each.agent_id}
    )
    ended = ended_among(each.token_id for each in identities if each.token_id is not None)
    customers = Customer.objects.in_bulk({UUID(each.customer_id) for each, *_ in credentials})
    outcomes: dict[Identity, Identity | BadCredential] = {}
    for each, kind, pk in credentials:
        try:
            if each.token_id in ended:
                raise ended_token()
            if kind == KEY_KIND:
                now = _of_key(keys.get(pk))
            elif kind == AGENT_KIND:
                now = _of_token(each, agents.get(pk))
            elif each.grant:
                minter = kind_and_id(each.grant.minter)
                now = minted_identity(
                    each,
                    each.grant,
                    (keys if minter[0] == KEY_KIND else agents).get(minter[1]),
                    agents.get(UUID(each.agent_id)) if each.agent_id else None,
                    customers.get(UUID(each.customer_id)),
                )
            else:
                now = _of_voipbin(each, customers.get(UUID(each.customer_id)), agents.get(pk))
            # A connection keeps its customer and agent: a moved credential has to reconnect.
            if (each.customer_id, each.agent_id) != (now.customer_id, now.agent_id):
                raise BadCredential(
                    "This credential is another customer's or agent's now", "foreign-credential"
                )
            outcomes[each] = now
        except BadCredential as error:
            outcomes[each] = error
    return outcomes


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
    return agent_identity(
        agent, expires_at=before.expires_at, issued_at=before.issued_at or 0.0, token_id=before.token_id
    )


def _of_voipbin(before: Identity, customer: Customer | None, agent: Agent | None) -> Identity:
    # The token's claims have the role; only the active flags and granted resources are stored here.
    require_active(customer, agent)
    masking = masking_of(customer, before.role)
    before = replace(before, quotas=quotas_of_customer(customer), **masking)
    if agent is None:
        return before
    require_not_signed_out(agent, before.issued_at or 0.0)
    return replace(before, granted_resources=frozenset(agent.granted_resources), **limited(agent))
