"""Collecting the evidence for a diagnosis: the receiver, and its connections' history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from events.domain.topics import known_resources
from subscriptions.audit.store import chain_ends
from subscriptions.auth.access_keys import identity_of_key, key_identity
from subscriptions.auth.credentials import KEY_KIND, MINTED_KIND, BadCredential, kind_and_id, require_active
from subscriptions.auth.tokens import identity_of_agent
from subscriptions.explain import diagnosis
from subscriptions.explain.connection_history import HistoryRecord, read_history
from subscriptions.explain.report import (
    CredentialProblem,
    Evidence,
    Explanation,
    NoEvent,
    Receiver,
    StoredEvent,
    moment,
)
from subscriptions.models import AccessKey, Agent, AuditRecord, LiveConnection
from subscriptions.presence.pending_changes import NO_STATS
from subscriptions.presence.process_status import ProcessState
from subscriptions.presence.registry import live, stats_of
from subscriptions.protocol.permissions import Identity

RECORDS_EACH_WAY = 1000
"""Records of the receiver that are read from before the event, and from after it."""

_HISTORY_FIELDS = (*HistoryRecord._fields[:-1], "count")

RECORDS_AT_MOST = 20_000
"""Records of all the connections that these belong to."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A receiver, and the queries for its audit records and its live connections."""

    receiver: Receiver
    records: Q
    live: Q


def subject_of_key(key: AccessKey) -> Subject:
    """Build the subject for all clients that use this access key."""
    problem = None
    try:
        key_identity(key)
    except BadCredential as error:
        problem = CredentialProblem(error.rule, str(error), key.revoked_at)
    if problem is None and key.is_expired(timezone.now()):
        problem = CredentialProblem("expired-key", "This access key has expired", key.expires_at)
    own_agent = key.agent if key.agent is not None and key.agent.customer_id == key.customer_id else None
    facts = (
        ("label", key.label),
        ("of", f"{key.customer}" + (f", for {key.agent.name}" if key.agent else "")),
        ("expires", moment(key.expires_at) if key.expires_at else "never"),
        *((("revoked", moment(key.revoked_at)),) if key.revoked_at else ()),
    )
    receiver = Receiver(f"key {key.prefix}… ({key.label})", identity_of_key(key, own_agent), problem, facts)
    return Subject(
        receiver,
        Q(customer_id=key.customer_id, credential=f"key {key.prefix}"),
        Q(customer_id=key.customer_id, key_id=key.pk),
    )


def subject_of_agent(agent: Agent) -> Subject:
    """Build the subject for an agent, with any of its tokens and keys."""
    problem = None
    try:
        require_active(agent.customer, agent)
    except BadCredential as error:
        problem = CredentialProblem(error.rule, str(error), None)
    signed_out = agent.tokens_valid_from
    facts = (
        ("role", agent.get_role_display()),
        ("of", str(agent.customer)),
        ("granted", ", ".join(sorted(agent.granted_resources)) or "nothing besides its own topics"),
        *((("tokens refused from before", moment(signed_out)),) if signed_out else ()),
    )
    mine = Q(customer_id=agent.customer_id, agent_id=agent.pk)
    return Subject(Receiver(agent.name, identity_of_agent(agent), problem, facts), mine, mine)


def subject_of_identity(identity: Identity) -> Subject:
    """Build the subject for a client: its access key, or else any token of its agent."""
    kind, pk = kind_and_id(identity.credential_id)
    records = live = Q(agent_id=identity.agent_id)
    if kind == KEY_KIND:
        records, live = Q(credential=identity.credential), Q(key_id=pk, credential=identity.credential)
    elif kind == MINTED_KIND:
        records = live = Q(credential=identity.credential)
    own = Q(customer_id=identity.customer_id)
    return Subject(Receiver(identity.credential, identity, None), own & records, own & live)


def explain(subject: Subject, event: StoredEvent | NoEvent, *, name_processes: bool = True) -> Explanation:
    """Explain why the subject did or did not get the event.

    Names of processes are for operators only.
    """
    now = timezone.now()
    at = event.stored_at if isinstance(event, StoredEvent) else None
    evidence = _evidence(subject, at, now, name_processes=name_processes)
    resources = known_resources(settings.EVENTS_EXTRA_RESOURCES)
    return diagnosis.explain(subject.receiver, event, evidence, resources)


def _evidence(
    subject: Subject, at: dt.datetime | None, now: dt.datetime, *, name_processes: bool
) -> Evidence:
    # Live connections first: one that closes meanwhile has its record by then.
    open_now, unconfirmed_since = _open_now(subject)
    records = AuditRecord.objects.filter(subject.records)
    before, after = records.order_by("-pk"), records.none()
    if at is not None and (middle := _first_after(at)) is not None:
        before, after = before.filter(pk__lt=middle), records.filter(pk__gte=middle).order_by("pk")
    columns = ("pk", "at", "connection_id")
    looked_at = list(before.values_list(*columns)[:RECORDS_EACH_WAY])
    looked_from = looked_at[-1][1] if len(looked_at) == RECORDS_EACH_WAY else _records_kept_from()
    looked_at += after.values_list(*columns)[:RECORDS_EACH_WAY]
    ids = {connection_id for *_, connection_id in looked_at} | set(open_now)
    rows = AuditRecord.objects.filter(connection_id__in=ids).order_by("-pk").values_list(*_HISTORY_FIELDS)
    newest = list(rows[:RECORDS_AT_MOST])
    if len(newest) == RECORDS_AT_MOST:
        looked_from = newest[-1][0]
    history = read_history(
        record._replace(detail="") if record.action == "connect" and not name_processes else record
        for record in map(HistoryRecord._make, reversed(newest))
    )
    waiting = {str(each): queued_bytes for each, queued_bytes in open_now.items()}
    return Evidence(history, waiting, looked_from, now, unconfirmed_since)


def _records_kept_from() -> dt.datetime | None:
    """Return the time of the oldest record if older ones were pruned."""
    floor, _ = chain_ends()
    if not floor.position:
        return None
    return AuditRecord.objects.order_by("pk").values_list("at", flat=True).first()


def _first_after(at: dt.datetime) -> int | None:
    return AuditRecord.objects.filter(at__gt=at).order_by("at", "pk").values_list("pk", flat=True).first()


def _open_now(subject: Subject) -> tuple[Mapping[UUID, int], Mapping[str, dt.datetime]]:
    """Return the queued bytes of the subject's live connections, and `unconfirmed_since`."""
    rows = live(LiveConnection.objects.filter(subject.live)).select_related("process")
    connections = list(rows.order_by("-opened_at")[:RECORDS_EACH_WAY])
    stats = stats_of(connections)
    # An event whose announcement is lost is unknown to its process until the next comparison.
    late = dt.timedelta(seconds=settings.CHECK_INTERVAL_SECONDS)
    unconfirmed_since: dict[str, dt.datetime] = {}
    for each in connections:
        lease = dt.timedelta(seconds=ProcessState.from_json(each.process.state).lease_seconds)
        has_lag = stats.get(each.pk, NO_STATS).lag_events > 0
        reported_at = each.process.lease_ends_at - lease
        unconfirmed_since[str(each.pk)] = each.opened_at if has_lag else reported_at - late
    queued = {each.pk: stats.get(each.pk, NO_STATS).queued_bytes for each in connections}
    return queued, unconfirmed_since
