"""What a controller grants to access keys and tokens: topics, filters, agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from events.domain.topics import InvalidTopic, known_resources, parse_pattern
from events.filters.expression import InvalidFilter, canonical, parse, parse_text
from subscriptions.control.controller import Controller, FieldProblem, Refused
from subscriptions.models import Agent, Customer
from subscriptions.protocol.granting import Granted, beyond

MAX_ALLOWED_TOPICS = 100


def allowed_topics(lines: Sequence[str]) -> list[str]:
    """Return patterns in canonical form, each once; empty lines are left out.

    Raises:
        ValidationError: One is not valid, or there are too many.
    """
    known = known_resources(settings.EVENTS_EXTRA_RESOURCES)
    patterns, errors = [], []
    for line in filter(None, lines):
        try:
            patterns.append(str(parse_pattern(line, known)))
        except InvalidTopic as error:
            errors.append(f"{line[:80]}: {error}")
    if len(patterns) > MAX_ALLOWED_TOPICS:
        errors.append(
            gettext("There can be at most {count} topics: use wildcards.").format(count=MAX_ALLOWED_TOPICS)
        )
    if errors:
        raise ValidationError(errors)
    return list(dict.fromkeys(patterns))


def canonical_filter(value: object) -> str:
    """Return the canonical form of a filter, decoded from JSON or as text; "" for none.

    Raises:
        ValidationError: It is no filter.
    """
    if value in (None, ""):
        return ""
    try:
        return canonical(parse_text(value) if isinstance(value, str) else parse(value))
    except InvalidFilter as error:
        raise ValidationError(gettext("This is no filter: {reason}.").format(reason=error)) from None


def set_canonical_limits(values: dict[str, Any]) -> None:
    """Replace `allowed_topics` and `filter`, where they are sent, by their canonical forms.

    Raises:
        Refused: One is invalid.
    """
    problems = []
    for name, read in (("allowed_topics", allowed_topics), ("filter", canonical_filter)):
        if name in values:
            try:
                values[name] = read(values[name])
            except ValidationError as error:
                problems.append(FieldProblem(name, " ".join(error.messages)))
    if problems:
        raise Refused(*problems)


def require_within(controller: Controller, granted: Granted) -> None:
    """Refuse to grant more rights than the controller has.

    Raises:
        Refused: They are more.
    """
    if controller.identity is not None and (
        problems := [FieldProblem(*each) for each in beyond(controller.identity, granted)]
    ):
        raise Refused(*problems)


def agent_of(controller: Controller, customer: Customer, pk: Any) -> Agent:
    """Return the agent of the customer for whom a key or token is made.

    Raises:
        Refused: The customer has no such agent, or it is beyond the controller's reach.
    """
    agent = Agent.objects.select_related("customer", "user").filter(pk=pk, customer=customer).first()
    if agent is None or (agent.is_of_the_platform and not controller.is_platform):
        raise Refused(FieldProblem("agent_id", "the customer has no such agent"))
    return agent
