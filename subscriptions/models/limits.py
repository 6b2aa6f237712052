"""Managers who are limited to queues and teams: what is stored, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from events.domain.topics import is_canonical_uuid
from events.filters.expression import MAX_TERMS, MAX_VALUES, Group, Membership, canonical
from subscriptions.models.teams import is_in_team, validate_teams
from subscriptions.protocol.manager_limit import Limit

if TYPE_CHECKING:
    from subscriptions.models.tenants import Agent

KINDS = ("queues", "teams")
MAX_LIMITING_QUEUES = 100


def validate_limits(value: object) -> None:
    """Check to what an agent is limited.

    Raises:
        ValidationError: It is no object with lists of `queues` and `teams`.
    """
    if not isinstance(value, dict) or set(value) - set(KINDS):
        raise ValidationError(_('Write an object such as {"queues": ["<id>"], "teams": ["Support"]}.'))
    queues = value.get("queues", [])
    if not isinstance(queues, list) or len(queues) > MAX_LIMITING_QUEUES:
        raise ValidationError(
            _("Write a list of at most %(most)d queues."), params={"most": MAX_LIMITING_QUEUES}
        )
    if not all(isinstance(each, str) and is_canonical_uuid(each) for each in queues):
        raise ValidationError(_("Name queues by their ids: UUIDs in lower case with dashes."))
    validate_teams(value.get("teams", []))


def limits_field() -> Any:
    """Return the field of what an agent is limited to."""
    return models.JSONField(
        _("limited to"),
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        validators=[validate_limits],
        help_text=_(
            "Queues and teams of a manager: it sees only these queues with their calls and agents, and the agents of "
            "these teams with their calls. Empty for the whole customer."
        ),
    )


def limit_problem(role: str, limited_to: Mapping[str, Any]) -> str | None:
    """Return why an agent with this role cannot have these limits, or `None`."""
    if any(limited_to.values()) and role != "manager":
        return "only managers are limited: agents see what is theirs, admins manage the whole customer"
    return None


def limit_of(agent: Agent) -> Limit | None:
    """Return what the agent may see of its customer; `None` for everything that its role may."""
    queues, teams = (agent.limited_to.get(kind, []) for kind in KINDS)
    if not queues and not teams:
        return None
    of_customer = type(agent).objects.filter(customer_id=agent.customer_id)
    agents = {agent.pk, *of_customer.filter(queues__in=queues).values_list("pk", flat=True)}
    if teams:
        agents |= {
            pk
            for pk, names in of_customer.exclude(teams=[]).values_list("pk", "teams")
            if any(is_in_team(names, team) for team in teams)
        }
    ids = sorted(map(str, agents))
    terms = [*_memberships("queue_id", sorted(queues)), *_memberships("agent_id", ids)][: MAX_TERMS - 2]
    return Limit(frozenset(queues), frozenset(ids), canonical(Group("or", tuple(terms))))


def _memberships(field: str, values: Iterable[str]) -> Iterator[Membership]:
    left = iter(values)
    while part := tuple(islice(left, MAX_VALUES)):
        yield Membership(field, "in", part)
