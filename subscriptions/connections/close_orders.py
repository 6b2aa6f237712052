"""An operator's orders to close connections of any process, and their audit records.

An order is stored with the next access version and announced like a change of permissions: each process finds the
orders since the version that it has seen, independent of clocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from subscriptions.audit.store import append
from subscriptions.auth.access_version import bump
from subscriptions.auth.client_info import storable
from subscriptions.connections.reauthorization import CLOSED_BY_OPERATOR
from subscriptions.connections.recorder import MAX_DETAIL_CHARACTERS
from subscriptions.models import AccessKey, AuditAction, AuditRecord, AuditVerdict, CloseOrder, LiveConnection

ALL_CONNECTIONS = UUID(int=0)
"""The connection id in the audit record of an order to close all connections of a key."""


def close_connections(connections: Iterable[LiveConnection], *, by: str, reason: str) -> None:
    """Order these connections to be closed by their processes.

    `reason` is sent to the clients too; `by` is the operator's name for the audit log.
    """
    chosen = list(connections)
    with transaction.atomic():
        change = bump()
        CloseOrder.objects.bulk_create(
            CloseOrder(change=change, connection_id=each.pk, reason=reason) for each in chosen
        )
        append(
            [
                AuditRecord(
                    **_ordered(by, reason),
                    customer_id=each.customer_id,
                    agent_id=each.agent_id,
                    credential=each.credential,
                    address=each.address,
                    client=each.client,
                    connection_id=each.pk,
                )
                for each in chosen
            ]
        )


def close_all_of_key(key: AccessKey, *, by: str, reason: str) -> None:
    """Order all connections of the key to be closed; the key stays valid."""
    with transaction.atomic():
        CloseOrder.objects.create(change=bump(), key_id=key.pk, reason=reason)
        append(
            [
                AuditRecord(
                    **_ordered(by, reason),
                    customer_id=key.customer_id,
                    agent_id=key.agent_id,
                    credential=f"key {key.prefix}",
                    connection_id=ALL_CONNECTIONS,
                )
            ]
        )


def _ordered(by: str, reason: str) -> dict[str, str]:
    return {
        "action": AuditAction.CLOSE,
        "verdict": AuditVerdict.ENDED,
        "rule": CLOSED_BY_OPERATOR,
        "detail": storable(f"{by}: {reason or 'no word given'}", MAX_DETAIL_CHARACTERS),
    }
