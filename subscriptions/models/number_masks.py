"""The roles of a customer for which numbers are masked, and which of them may reveal."""

from __future__ import annotations

from typing import TypedDict

from django.core.exceptions import ValidationError
from django.db import models

from subscriptions.protocol.permissions import Role

MASKABLE_ROLES = (Role.AGENT.value, Role.MANAGER.value, Role.ADMIN.value)
"""Platform staff see all numbers."""


def validate_maskable_roles(roles: object) -> None:
    """Raise ValidationError unless `roles` is a list of roles of a customer, each once."""
    if (
        not isinstance(roles, list)
        or any(role not in MASKABLE_ROLES for role in roles)
        or len(set(roles)) < len(roles)
    ):
        raise ValidationError(f"Write a list of roles, each once: {', '.join(MASKABLE_ROLES)}.")


def role_list(name: str, meaning: str) -> models.JSONField:
    """Return a field with roles of a customer."""
    return models.JSONField(
        name,
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        validators=[validate_maskable_roles],
        help_text=meaning,
    )


class NumberMaskSettings(models.Model):
    """A customer's masks of telephone numbers, by role."""

    masked_roles = role_list(
        "roles with masked numbers",
        "People with these roles see of every telephone number the country code and the last two digits alone, on all "
        "pages and in all interfaces.",
    )
    revealing_roles = role_list(
        "roles that may reveal numbers",
        "Those of them who may show the numbers of a single call or message. Each time is recorded in the audit log.",
    )

    class Meta:
        abstract = True


class Masking(TypedDict):
    """The two fields of an identity."""

    masks_numbers: bool
    may_reveal: bool


def masking_of(
    customer: NumberMaskSettings | None, role: str | None, *, is_masked_key: bool = False
) -> Masking:
    """Return how a credential of the customer sees numbers.

    `role` is that of its agent, `None` if it belongs to no agent. `is_masked_key`: it is a key that sees masked ones.
    """
    if is_masked_key:
        return Masking(masks_numbers=True, may_reveal=False)
    if customer is None or role is None or role == Role.STAFF or role not in customer.masked_roles:
        return Masking(masks_numbers=False, may_reveal=False)
    return Masking(masks_numbers=True, may_reveal=role in customer.revealing_roles)
