"""The event types and their data, by resource.

Sans-I/O. The sources are VoIPBIN's WebSocket documentation, its webhooks, and the fields that the gateway's pages show.
"""

# Long because it is a table, and one place for each field.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from events.event_types.fields import EventType, Field, boolean, group, number, text, time, uuid

VERSION = "1.1"
"""Grows in its second part with each addition; nothing is removed or changes its meaning within the first."""

CUSTOMER = "12345678-1234-1234-1234-123456789012"
CALL = "5371e9db-d035-4db6-a8d6-0994d33e7480"
AGENT = "3f1a9c52-6c1e-4d7b-9a53-0d4c7f2b8e10"
QUEUE = "9d2b7c40-51aa-4c07-8e0e-6b1f2f3a4d55"
FLOW = "1cd754ba-510b-4672-94ac-ff6112318200"

CUSTOMER_ID = uuid("customer_id", "The customer.", CUSTOMER)
CALL_ID = text("call_id", "The call.", CALL, nullable=True)
AGENT_ID = uuid("agent_id", "The agent.", AGENT, nullable=True)
AGENT_NAME = text("agent_name", "The agent's name.", "Anna Lindqvist", nullable=True)
QUEUE_ID = text("queue_id", "The queue.", QUEUE, nullable=True)
QUEUE_NAME = text("queue_name", "The queue's name.", "Support", nullable=True)
ACTIVEFLOW_ID = text("activeflow_id", "The flow that controls the call.", FLOW)
DIRECTION = text("direction", "From the platform's point of view.", "inbound", ("inbound", "outbound"))
CREATED = time("tm_create", "When the resource began to exist.", "2024-01-15T10:30:00.000000Z")
UPDATED = time("tm_update", "When it last changed.", "2024-01-15T10:30:07.500000Z")
OWNER_TYPE = text("owner_type", "What `owner_id` names.", "agent", ("agent",))
OWNER_ID = uuid("owner_id", "The owner, to whom the event is delivered too.", AGENT)
REFERENCE_TYPE = text("reference_type", "What `reference_id` names.", "call", ("call",))
REFERENCE_ID = text("reference_id", "The resource that it belongs to.", CALL)


def _address(name: str, meaning: str, target: str, target_name: str) -> Field:
    return group(
        "Address",
        name,
        meaning,
        text("type", "The kind of address.", "tel", ("tel", "sip", "agent", "conference", "line")),
        text("target", "The address: a phone number in E.164, or a SIP address.", target),
        text("target_name", "The name of its owner.", target_name),
        nullable=True,
    )


SOURCE = _address("source", "Who calls or writes.", "+15551234567", "Elena Ferreira")
DESTINATION = _address("destination", "Who is called or written to.", "+15550100100", "Acme")

# --- Calls ---

CALL_STATUSES = ("dialing", "ringing", "answered", "hangup", "busy", "no-answer", "failed", "canceled")
CALL_FIELDS = (
    text("id", "The call.", CALL).required,
    CUSTOMER_ID,
    ACTIVEFLOW_ID,
    DIRECTION,
    SOURCE,
    DESTINATION,
    text("status", "The status of the call.", "ringing", CALL_STATUSES),
    text("previous_status", "The status before.", None, CALL_STATUSES, nullable=True),
    QUEUE_ID,
    QUEUE_NAME,
    AGENT_ID,
    AGENT_NAME,
    CREATED,
    time("tm_answer", "When it was answered.", None, nullable=True),
    UPDATED,
)
TRANSFERRED_FROM = uuid("transferred_from", "The agent who transferred the call.", AGENT, nullable=True)
MISSED_BY = uuid("missed_by", "The agent who did not answer.", AGENT, nullable=True)
STATUS_REASON = text("reason", "Why the status changed.", "no_answer", ("no_answer",), nullable=True)
HANGUP_FIELDS = (
    text(
        "hangup_reason", "Why the call ended.", "normal", ("normal", "busy", "cancel", "noanswer", "failed")
    ),
    text("hangup_by", "The side that ended it.", "remote", ("local", "remote")),
    number("duration", "How long it lasted since it was answered.", 73, "seconds"),
    time("tm_hangup", "When it ended.", "2024-01-15T10:31:20.000000Z", nullable=True),
)
WAIT_TIME = number("wait_time", "How long the caller waited.", 14, "seconds")
CALLER = group(
    "Caller",
    "customer",
    "What the platform knows of the caller.",
    text("name", "The name.", "Elena Ferreira"),
    text("queue", "The queue's name.", "Support"),
    number("wait", "How long the caller waited.", 14, "seconds"),
    number("previous_calls", "Earlier calls.", 3),
    text("last_purchase", "A remark.", "Desk lamp, $59, 6 days ago", nullable=True),
)


def _examples(fields: tuple[Field, ...], **examples: object) -> tuple[Field, ...]:
    return tuple(
        field.with_example(examples[field.name]) if field.name in examples else field for field in fields
    )


def _since(version: str, *fields: Field) -> tuple[Field, ...]:
    return tuple(replace(field, since=version) for field in fields)


NOTE_FIELDS = _since(
    "1.1",
    text(
        "disposition",
        "How the call went: the code of one of the customer's dispositions.",
        "sold",
        nullable=True,
    ),
    text("note", "What the agent wrote about the call.", "Wants it delivered on Friday."),
)

# --- Messages ---

MESSAGE_FIELDS = (
    text("id", "The message.", "886313e1-3b8a-4372-9b90-0c9aee199e5d").required,
    CUSTOMER_ID,
    text("type", "The kind of message.", "sms", ("sms",)),
    DIRECTION,
    SOURCE,
    DESTINATION,
    text("text", "The text.", "Do you have the chair in blue?"),
    text(
        "status",
        "The status of its delivery.",
        "received",
        ("received", "queued", "sent", "delivered", "undelivered", "failed"),
    ),
    CREATED,
    UPDATED,
)
OUTGOING = _examples(
    (*MESSAGE_FIELDS, Field("automatic", "boolean", "Whether a program wrote it.", False)),
    direction="outbound",
    source=DESTINATION.example,
    destination=SOURCE.example,
    text="Yes, we have it.",
    status="sent",
)

# --- Flows ---

ACTIVEFLOW_FIELDS = (
    text("id", "The running flow.", FLOW).required,
    CUSTOMER_ID,
    text("flow_id", "The flow that it runs.", "d157ce07-0360-4cad-9007-c8ab89fccf9c"),
    text("flow_name", "The flow's name.", "Support line"),
    REFERENCE_TYPE,
    REFERENCE_ID,
    CREATED,
    UPDATED,
    text("status", "The status of the flow.", "running", ("running", "ended")),
)
CURRENT_ACTION = group(
    "CurrentAction",
    "current_action",
    "The action that runs.",
    text("id", "The action.", "df25724f-e308-4c89-9325-cf56cd0924d2"),
    text("type", "The kind of action.", "talk", ("answer", "talk", "queue_join", "digits_receive")),
    text("name", "The action's name.", "Welcome"),
    nullable=True,
)

# --- Queues ---

QUEUE_FIELDS = (
    QUEUE_ID,
    QUEUE_NAME,
    CUSTOMER_ID,
    CALL_ID,
    AGENT_ID,
    SOURCE,
    time("tm_join", "When the call joined the queue.", "2024-01-15T10:30:06.000000Z", nullable=True),
    time("tm_connect", "When it was connected to an agent.", "2024-01-15T10:30:20.000000Z", nullable=True),
)
WAITING = _examples(QUEUE_FIELDS, agent_id=None, tm_connect=None)

# --- Conferences ---

CONFERENCE_FIELDS = (
    text("conference_id", "The conference.", "3899f161-e36c-4681-b435-ec3f974ea010"),
    text(
        "id", "The call's place in the conference, or the conference.", "2fc4b9c8-1d4f-4337-9cd1-d983f6909c10"
    ),
    CUSTOMER_ID,
    text("name", "The conference's name.", "Project call"),
    number("participant_count", "The number of participants after the event.", 3),
    UPDATED,
)
PARTICIPANT_FIELDS = (
    *CONFERENCE_FIELDS,
    ACTIVEFLOW_ID,
    CALL_ID,
    REFERENCE_TYPE,
    REFERENCE_ID,
    text("participant", "The participant's name.", "Dana Rahimi"),
    text("status", "The status of the participant.", "joined", ("joined", "leaved")),
    time("tm_join", "When the participant joined.", "2024-01-15T10:30:06.000000Z"),
    CREATED,
)
LEAVE_REASON = text("reason", "Why the participant left.", "hangup", ("hangup",))

# --- Recordings ---

RECORDING_FIELDS = (
    text("id", "The recording.", "16d2e298-fe25-4ec4-bb97-9778c600bc10").required,
    CUSTOMER_ID,
    CALL_ID,
    REFERENCE_TYPE,
    REFERENCE_ID,
    OWNER_TYPE,
    OWNER_ID,
    text("format", "The file format.", "wav", ("wav", "mp3")),
    text("status", "The status of the recording.", "recording", ("recording", "ended")),
    time("tm_start", "When it began.", "2024-01-15T10:30:20.000000Z"),
    CREATED,
    UPDATED,
)

# --- Targets of queues ---

SLA_FIELDS = (
    text("id", "The queue, as `queue_id`.", QUEUE),
    QUEUE_ID,
    QUEUE_NAME,
    CUSTOMER_ID,
    number(
        "service_level",
        "The share of the last hour's callers who were answered in time; missing without callers.",
        71.4,
        "per cent",
        integer=False,
    ),
    number("target_percent", "The share that is the target.", 80, "per cent"),
    number("target_seconds", "The time in which a caller should be answered.", 20, "seconds"),
    number("waiting", "The callers who wait in the queue.", 3),
    number("longest_wait_seconds", "How long the first of them has waited.", 47, "seconds"),
    time("since", "Since when the queue has missed its target.", "2024-01-15T10:30:00.000000Z"),
)

# --- Agents ---

AGENT_STATUSES = ("available", "away", "busy", "offline", "ringing")
STATUS_CHOICE_FIELDS = _since(
    "1.1",
    text(
        "away_reason",
        "Why the agent is away: the label of one of the customer's reasons.",
        None,
        nullable=True,
    ),
    time("returns_at", "When the agent expects to return.", None, nullable=True),
    uuid("set_by", "The person who chose the status.", None, nullable=True),
    text("set_by_name", "The name of that person.", None, nullable=True),
)

_TYPES = (
    EventType("call.created", "A call begins.", CALL_FIELDS),
    EventType(
        "call.status",
        "The status of a call changes: it rings, is answered, or is hung up.",
        (
            *_examples(
                CALL_FIELDS,
                status="answered",
                previous_status="ringing",
                tm_answer="2024-01-15T10:30:07.500000Z",
            ),
            STATUS_REASON.with_example(None),
            TRANSFERRED_FROM.with_example(None),
            MISSED_BY.with_example(None),
            *HANGUP_FIELDS,
        ),
    ),
    EventType(
        "call.ended",
        "A call is over.",
        (
            *_examples(
                CALL_FIELDS,
                status="hangup",
                previous_status="answered",
                tm_answer="2024-01-15T10:30:07.500000Z",
            ),
            TRANSFERRED_FROM.with_example(None),
            MISSED_BY.with_example(None),
            *HANGUP_FIELDS,
        ),
    ),
    EventType(
        "call.assigned",
        "A call is given to an agent.",
        (*CALL_FIELDS, WAIT_TIME, CALLER, TRANSFERRED_FROM.with_example(None)),
    ),
    EventType(
        "call.noted",
        "An agent notes how a call went.",
        (*CALL_FIELDS[:2], *NOTE_FIELDS, AGENT_ID, AGENT_NAME),
    ),
    EventType("message.received", "A text message came in.", MESSAGE_FIELDS),
    EventType("message.sent", "A text message went out.", OUTGOING),
    EventType(
        "message.delivery",
        "The status of a message's delivery changes.",
        _examples(OUTGOING, status="delivered"),
    ),
    EventType(
        "activeflow.updated", "A call flow runs its next action.", (*ACTIVEFLOW_FIELDS, CURRENT_ACTION)
    ),
    EventType(
        "activeflow.completed",
        "A call flow is done.",
        (
            *_examples(ACTIVEFLOW_FIELDS, status="ended"),
            Field("result", "any", "How it ended: `completed`, `busy`, `cancel`, `noanswer`.", "completed"),
            time("tm_end", "When it ended.", "2024-01-15T10:31:20.000000Z"),
        ),
    ),
    EventType("conference.joined", "A call enters a conference.", PARTICIPANT_FIELDS),
    EventType(
        "conference.left",
        "A call leaves a conference.",
        (
            *_examples(PARTICIPANT_FIELDS, status="leaved"),
            LEAVE_REASON,
            time("tm_leave", "When the participant left.", "2024-01-15T10:31:20.000000Z"),
        ),
    ),
    EventType(
        "conference.ended",
        "A conference is over.",
        (
            *_examples(CONFERENCE_FIELDS, participant_count=0),
            text("status", "The status of the conference.", "terminated", ("terminated",)),
            text("reason", "Why it ended.", "everyone left"),
            time("tm_end", "When it ended.", "2024-01-15T10:31:20.000000Z"),
        ),
    ),
    EventType(
        "queue.joined",
        "A call waits in a queue.",
        (
            *WAITING,
            number("position", "Its position in the queue, from 1.", 2),
            number("estimated_wait", "How long it will probably wait.", 19, "seconds", integer=False),
        ),
    ),
    EventType(
        "queue.connecting", "A waiting call rings at an agent.", _examples(QUEUE_FIELDS, tm_connect=None)
    ),
    EventType("queue.connected", "A waiting call is connected to an agent.", (*QUEUE_FIELDS, WAIT_TIME)),
    EventType(
        "queue.left",
        "A call leaves a queue.",
        (
            *QUEUE_FIELDS,
            text(
                "reason",
                "Why it left.",
                "done",
                ("done", "abandoned", "transferred", "deleted"),
                nullable=True,
            ),
            WAIT_TIME,
        ),
    ),
    EventType(
        "agent.status",
        "The status of an agent changes.",
        (
            AGENT_ID,
            uuid("id", "The agent, as `agent_id`.", AGENT),
            CUSTOMER_ID,
            text("name", "The agent's name.", "Anna Lindqvist"),
            text("status", "The status of the agent.", "busy", AGENT_STATUSES),
            text("previous_status", "The status before.", "ringing", AGENT_STATUSES, nullable=True),
            CALL_ID,
            replace(
                text(
                    "cause",
                    "Why it changed, if no person chose it and no call did.",
                    "connection_lost",
                    ("connection_lost",),
                ),
                since="1.1",
            ),
            UPDATED,
            *STATUS_CHOICE_FIELDS,
        ),
    ),
    EventType("sla.breached", "A queue misses its target; the gateway publishes it.", SLA_FIELDS),
    EventType(
        "sla.cleared", "A queue meets its target again.", _examples(SLA_FIELDS, service_level=82.3, waiting=0)
    ),
    EventType(
        "agent.presence",
        "An agent's desktop is connected, or no longer.",
        tuple(
            replace(each, since="1.1")
            for each in (
                AGENT_ID,
                uuid("id", "The agent, as `agent_id`.", AGENT).required,
                CUSTOMER_ID,
                text("name", "The agent's name.", "Anna Lindqvist"),
                boolean("connected", "Whether a connection with the agent's own token is open.", True),
                time("since", "Since when it is so.", "2024-01-15T10:30:00.000000Z"),
            )
        ),
    ),
    EventType("recording.started", "A recording begins.", RECORDING_FIELDS),
    EventType(
        "recording.completed",
        "A recording is ready.",
        (
            *_examples(RECORDING_FIELDS, status="ended"),
            number("duration", "How long it is.", 73, "seconds", integer=False),
            number("size", "The size of the file.", 1168044, "bytes"),
            text(
                "reference_url",
                "Where to get the file.",
                "https://recordings.example.com/16d2e298-fe25-4ec4-bb97-9778c600bc10.wav",
            ),
            time("tm_end", "When it ended.", "2024-01-15T10:31:20.000000Z"),
        ),
    ),
    EventType(
        "transcription.completed",
        "A transcription is ready.",
        (
            text("transcription_id", "The transcription.", "0026bc91-ebe1-44c6-87f0-80466a11b810"),
            text("id", "The transcription, as `transcription_id`.", "0026bc91-ebe1-44c6-87f0-80466a11b810"),
            CUSTOMER_ID,
            CALL_ID,
            text("recording_id", "The recording.", "16d2e298-fe25-4ec4-bb97-9778c600bc10"),
            REFERENCE_TYPE,
            REFERENCE_ID,
            OWNER_TYPE,
            OWNER_ID,
            text("status", "The status of the transcription.", "done", ("done",)),
            text("language", "The language (BCP 47).", "en-US"),
            text("text", "The text.", "Good morning. – Good morning, I have a question."),
            CREATED,
            UPDATED,
        ),
    ),
)

EVENT_TYPES: Mapping[str, EventType] = {each.name: each for each in _TYPES}
"""All event types with agreed data, by name."""

RESOURCES: frozenset[str] = frozenset(each.resource for each in _TYPES)
"""The resources whose event types have agreed data."""
