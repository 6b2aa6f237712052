"""What a credential may grant to an access key: at most what it has itself."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError

from events.domain.topics import InvalidTopic, covering_patterns, known_resources, parse_pattern
from events.filters.expression import Group, InvalidFilter, canonical, parse_text
from subscriptions.control.controller import Controller, FieldProblem, Refused
from subscriptions.models import AccessKey, AgentRole
from subscriptions.protocol.permissions import Identity

MAX_ALLOWED_TOPICS = 100
RIGHTS = {"may_subscribe": "subscribe", "may_publish": "publish", "may_control": "control"}


def allowed_topics(lines: list[str]) -> list[str]:
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
        errors.append(f"There can be at most {MAX_ALLOWED_TOPICS} topics: use wildcards.")
    if errors:
        raise ValidationError(errors)
    return list(dict.fromkeys(patterns))


def canonical_filter(text: str) -> str:
    """Return a filter's canonical form.

    Raises:
        ValidationError: The text is no filter.
    """
    try:
        return canonical(parse_text(text))
    except InvalidFilter as error:
        raise ValidationError(f"This is no filter: {error}.") from None


def beyond_topics(minter: Identity | None, topics: list[str]) -> list[FieldProblem]:
    """Return a problem if these topics are more than those of the credential that grants them."""
    if minter is None or minter.allowed_topics is None:
        return []
    yours = ", ".join(sorted(minter.allowed_topics)[:5]) or "none"
    if not topics:
        return [FieldProblem("topics", f"name topics within yours: {yours}")]
    return [
        FieldProblem("topics", f"{topic} is not within yours: {yours}")
        for topic in topics
        if minter.allowed_topics.isdisjoint(covering_patterns(topic))
    ]


def beyond_filter(minter: Identity | None, text: str) -> list[FieldProblem]:
    """Return a problem if a filter matches more than that of the credential that grants it."""
    if minter is None or minter.filter is None or text == minter.filter:
        return []
    expression = parse_text(text) if text else None
    joined = expression.filters if isinstance(expression, Group) and expression.op == "and" else ()
    if minter.filter in map(canonical, joined):
        return []
    return [FieldProblem("filter", f'send your own filter, or one that joins it by "and": {minter.filter}')]


def require_within(controller: Controller, key: AccessKey) -> None:
    """Refuse a key with more rights than its maker has.

    Raises:
        Refused: It has more.
    """
    minter = controller.identity
    if minter is None:
        return
    problems = [
        FieldProblem(name, f"your credential may not {right} itself, so that it cannot grant it")
        for name, right in RIGHTS.items()
        if getattr(key, name) and not getattr(minter, name)
    ]
    problems += [each._replace(field="allowed_topics") for each in beyond_topics(minter, key.allowed_topics)]
    problems += beyond_filter(minter, key.filter)
    if key.agent is not None and key.agent.role == AgentRole.STAFF and not controller.is_platform:
        problems.append(FieldProblem("agent_id", "the customer has no such agent"))
    if problems:
        raise Refused(*problems)
