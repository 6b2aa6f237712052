"""Checking the data of published events, as each customer wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rest_framework import status

from events.api.errors import ApiError
from events.domain.event import Draft
from events.event_types.validation import Mismatch
from events.log.data_check import compare
from events.quotas.limits import DataCheck, Quotas


def check_data(drafts: Sequence[Draft], quotas: Mapping[str, Quotas]) -> Mapping[int, tuple[str, ...]]:
    """Compare events with their event types; return the warnings by index.

    `quotas` has how the data of each customer is checked.

    Raises:
        ApiError: A customer refuses data that is not that of its event type; `errors` has each field.
    """
    if all(each.data_check is DataCheck.OFF for each in quotas.values()):
        return {}
    warnings: dict[int, tuple[str, ...]] = {}
    refused: list[tuple[int, Mismatch]] = []
    for index, draft in enumerate(drafts):
        check = quotas[draft.customer_id].data_check
        found = compare(draft, check)
        if check is DataCheck.REFUSE:
            refused += [(index, each) for each in found]
        elif found:
            warnings[index] = tuple(f"{each.path}: {each.message}" for each in found)
    if refused:
        first = refused[0][1]
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            f"{first.path}: {first.message}; nothing was stored",
            code="INVALID_EVENT",
            errors=[{"index": index, "field": each.path, "message": each.message} for index, each in refused],
        )
    return warnings
