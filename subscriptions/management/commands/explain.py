"""`manage.py explain`: why an agent or a key did or did not get an event."""

from __future__ import annotations

import json
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from events.domain.topics import is_canonical_uuid
from events.management.arguments import needs_database
from subscriptions.explain.evidence import Subject, explain, subject_of_agent, subject_of_key
from subscriptions.explain.lookup import InvalidLookup, OperatorViewer, find
from subscriptions.explain.report import Explanation, Outcome, as_json
from subscriptions.models import KEY_PREFIX_CHARACTERS, AccessKey, Agent

EPILOG = """examples:
  manage.py explain 0c4f3c9e-2f5f-4f0f-9a51-4b0c6b6a7a10 --agent ann
  manage.py explain 7d0c7b1e52aa.1 --key vb_4Tk2pQ9a
  manage.py explain customer_id:12345678-1234-1234-1234-123456789012:call:c1 --key vb_4Tk2pQ9a --json
"""

_MARKS = {Outcome.YES: "yes", Outcome.NO: "NO", Outcome.UNKNOWN: "?", Outcome.SKIPPED: "-"}


class Command(BaseCommand):
    help = (
        "Explain why an agent or an access key did or did not get an event, step by step: whether it was stored, the "
        "credential is valid and permitted to receive it, a subscription covers it, a connection was open, and it was "
        "sent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog, parser.formatter_class = EPILOG, RawDescriptionHelpFormatter
        parser.add_argument(
            "event",
            metavar="EVENT",
            help="id or cursor of an event, or a topic, whose newest event is explained",
        )
        receiver = parser.add_mutually_exclusive_group(required=True)
        receiver.add_argument("--agent", metavar="AGENT", help="the agent's id or user name")
        receiver.add_argument(
            "--key", metavar="KEY", help="the access key's beginning, vb_ and eight more, or its id"
        )
        parser.add_argument("--json", action="store_true", help="answer as GET /v1.0/explain does")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with needs_database():
                subject = _agent(options["agent"]) if options["agent"] is not None else _key(options["key"])
                explanation = explain(subject, find(options["event"], OperatorViewer(None)))
        except InvalidLookup as error:
            raise CommandError(f"{error}.") from None
        if options["json"]:
            self.stdout.write(json.dumps(as_json(explanation), indent=2, ensure_ascii=False))
        else:
            self.stdout.write(_text(explanation))


def _agent(text: str) -> Subject:
    named = Q(user__username=text) | (Q(pk=text) if is_canonical_uuid(text) else Q())
    agent = Agent.objects.select_related("customer", "user").filter(named).first()
    if agent is None:
        raise CommandError(f"There is no agent {text!r}: give an agent's id or user name.")
    return subject_of_agent(agent)


def _key(text: str) -> Subject:
    named = Q(prefix=text[:KEY_PREFIX_CHARACTERS]) | (Q(pk=text) if is_canonical_uuid(text) else Q())
    keys = list(AccessKey.objects.select_related("customer", "agent__user").filter(named)[:2])
    if len(keys) != 1:
        # A whole key may have been pasted, which must not be printed.
        begin = repr(text[:KEY_PREFIX_CHARACTERS])
        raise CommandError(
            f"There is no single access key {begin}: give its beginning, vb_ and eight more, or its id."
        )
    return subject_of_key(keys[0])


def _text(explanation: Explanation) -> str:
    lines = [explanation.conclusion, ""]
    for step in explanation.steps:
        rule = f"  [{step.rule}]" if step.rule else ""
        lines.append(f"{_MARKS[step.outcome]:>3}  {step.question}{rule}")
        lines.append(f"     {step.message}")
        lines.extend(f"       {name}: {value}" for name, value in step.facts)
    return "\n".join(lines)
