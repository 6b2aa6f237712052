"""An operator's word that open sockets are to be closed, whichever process has them, and its audit records.

The order is stored with the next number of the access changes and announced like those: each process finds what was
ordered since it last looked, whatever clocks say.
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
"""Stands for the connection in the audit record of an order to close all of a key."""


def close_connections(connections: Iterable[LiveConnection], *, by: str, reason: str) -> None:
    """Have these closed within moments. `reason` is for the clients too, the operator's name `by` for the audit log."""
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
    """Have all of the key's connections closed within moments, also those that no page shows yet. It stays good."""
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
