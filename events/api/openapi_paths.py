"""The addresses of the events app in OpenAPI: publishing, webhooks, what happened, and the present state."""

# Long because every parameter and every field is told once, here.

from __future__ import annotations

from typing import Any

from events.api.openapi_components import (
    ERROR,
    TEXT,
    TIME_SCHEMA,
    UUID_SCHEMA,
    describe,
    good,
    header,
    in_path,
    list_of,
    named,
    operation,
    query,
    record,
)
from events.domain.event_parser import MAX_AGENTS, MAX_KEY_LENGTH
from events.domain.topics import MAX_RESOURCE_ID_LENGTH
from events.reading.parameters import DEFAULT_LIMIT, MAX_LIMIT, MAX_WORD_LENGTH

CUSTOMER = "12345678-1234-1234-1234-123456789012"
CALL = "5371e9db-d035-4db6-a8d6-0994d33e744e"
EVENT_ID = "0c4f3c9e-2f5f-4f0f-9a51-4b0c6b6a7a10"
CURSOR = "7d0c7b1e52aa.1"
TOPIC = f"customer_id:{CUSTOMER}:call:{CALL}"

_CURSOR = {
    "type": "string",
    "pattern": r"^[0-9a-f]{12}\.(0|[1-9][0-9]{0,17})$",
    "description": "A place in the customer's log. Opaque.",
}
_CURSORS = {
    "type": "string",
    "pattern": r"^[0-9a-f]{12}\.(0|[1-9][0-9]{0,17})(,[0-9a-f]{12}\.(0|[1-9][0-9]{0,17}))*$",
}
_EVENT_TYPE = {
    "type": "string",
    "pattern": r"^[a-z][a-z0-9_]{0,39}\.[a-z][a-z0-9_]{0,39}$",
    "description": "`<resource>.<action>`, such as `call.status`.",
}
_TOPIC = {
    "type": "string",
    "pattern": r"^(customer_id|agent_id):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r":[a-z][a-z0-9_]{0,39}:[A-Za-z0-9._~@+=/-]{1,128}$",
}
_RESOURCE_ID = {"type": "string", "pattern": "^[A-Za-z0-9._~@+=/-]{1,%d}$" % MAX_RESOURCE_ID_LENGTH}  # noqa: UP031
_DATA = {"type": "object", "additionalProperties": True}
_NEXT = {
    "type": ["string", "null"],
    "description": "Ask again with `next=` and the same other parameters; `null` on the last page.",
}

SCHEMAS: dict[str, Any] = {
    "Error": ERROR,
    "Event": record(
        {
            "event_type": _EVENT_TYPE,
            "timestamp": {**TIME_SCHEMA, "description": "When it happened, in UTC with six digits."},
            "topic": {**_TOPIC, "description": "The event's own topic, by which the reader hears it."},
            "data": {
                **_DATA,
                "minProperties": 1,
                "description": "What the publisher said of it, whole. docs/asyncapi.yaml has the agreed fields.",
            },
            "id": {**UUID_SCHEMA, "description": "The same on every delivery of this event."},
            "cursor": _CURSOR,
        },
        description="An event, as a subscriber hears it.",
    ),
    "NewEvent": record(
        {
            "event_type": {
                **_EVENT_TYPE,
                "description": "`<resource>.<action>`: a known resource; an action of 1 to 40 lower-case letters, "
                "digits and `_` that begins with a letter.",
            },
            "data": {
                **_DATA,
                "minProperties": 1,
                "description": "At least the resource's id: `<resource>_id` (such as `queue_id`), else `id`; "
                "at most 256 KiB.",
            },
            "customer_id": {
                "type": ["string", "null"],
                "format": "uuid",
                "description": "Whose event it is; your credential's own customer where left out. Only platform staff "
                "may name another.",
            },
            "agent_ids": {
                "type": ["array", "null"],
                "items": UUID_SCHEMA,
                "maxItems": MAX_AGENTS,
                "description": "Agents whom it concerns, besides those that its data names.",
            },
            "timestamp": {
                "type": ["string", "null"],
                "description": "When it happened, as RFC 3339 with a zone; now, where left out.",
                "examples": ["2024-01-15T10:30:00.000000Z"],
            },
            "idempotency_key": {
                "type": ["string", "null"],
                "minLength": 1,
                "maxLength": MAX_KEY_LENGTH,
                "description": "The same key stores the event once.",
            },
        },
        optional=["customer_id", "agent_ids", "timestamp", "idempotency_key"],
        additionalProperties=False,
        description="An event as its publisher hands it in.",
    ),
    "Receipt": record(
        {
            "id": UUID_SCHEMA,
            "cursor": _CURSOR,
            "topics": list_of(_TOPIC, minItems=1, description="The customer's, and each concerned agent's."),
            "replayed": {
                "type": "boolean",
                "description": "Whether an earlier request with this `idempotency_key` had stored it.",
            },
        },
        description="The event is stored, and will reach every subscriber who may hear it.",
    ),
    "EventPage": record({"cursor": _CURSOR, "items": list_of(named("Event")), "next": _NEXT}),
    "State": record(
        {
            "resource_id": _RESOURCE_ID,
            "member_id": {
                **TEXT,
                "description": "For a call's place in a queue or conference: the call.",
            },
            "active": {"type": "boolean", "description": "Whether it has not ended."},
            "event_type": {**_EVENT_TYPE, "description": "Of its last event."},
            "since": {
                **TIME_SCHEMA,
                "description": "Of its first event; for a member, of when it last came in.",
            },
            "updated_at": {**TIME_SCHEMA, "description": "Of its last event."},
            "agent_ids": list_of(UUID_SCHEMA, description="The agents whom it concerned."),
            "topic": {**_TOPIC, "description": "The topic to follow it by."},
            "data": {**_DATA, "description": "Each event's data laid over that of the ones before."},
        },
        optional=["member_id"],
        description="The present state of one call, message, queue …",
    ),
    "StatePage": record(
        {
            "resource": TEXT,
            "cursor": {**_CURSOR, "description": "Where this state is true: subscribe with it as `since`."},
            "items": list_of(named("State")),
            "next": _NEXT,
        }
    ),
    "VoipbinWebhook": record(
        {
            "type": {**TEXT, "description": "`<resource>_<action>`, such as `call_progressing`."},
            "data": {**_DATA, "description": "VoIPBIN's resource, with at least its id."},
        },
        description="VoIPBIN's own webhook, as it is sent.",
        additionalProperties=True,
    ),
}

EVENT = {
    "event_type": "call.status",
    "timestamp": "2024-01-15T10:30:00.000000Z",
    "topic": TOPIC,
    "data": {"id": CALL, "status": "answered"},
    "id": EVENT_ID,
    "cursor": CURSOR,
}
NEW_EVENT = {"event_type": "call.status", "data": {"id": CALL, "status": "answered"}}
RECEIPT = {"id": EVENT_ID, "cursor": CURSOR, "topics": [TOPIC], "replayed": False}
_STATE = {
    "resource_id": CALL,
    "active": True,
    "event_type": "call.status",
    "since": "2024-01-15T10:29:50.000000Z",
    "updated_at": "2024-01-15T10:30:00.000000Z",
    "agent_ids": [],
    "topic": TOPIC,
    "data": {"id": CALL, "status": "answered"},
}

OF_CUSTOMER = query(
    "customer_id", UUID_SCHEMA, "Whose; your own where left out. Only platform staff may name another."
)
_PAGING = (
    query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        "Items of a page, at most.",
    ),
    query("order", {"enum": ["asc", "desc"], "default": "asc"}, "The oldest or the newest first."),
    query("next", TEXT, "The `next` of the page before, with the same other parameters."),
)
_TIME_NOTE = "RFC 3339 with a zone; write it with `Z`, for a `+` in an address stands for a space."
_WORD = {"type": "string", "minLength": 1, "maxLength": MAX_WORD_LENGTH}
_STATE_PARAMETERS = (
    query("active", {"enum": ["true", "false"]}, "Only those that have not ended, or only those that have."),
    query("resource_id", _RESOURCE_ID, "Only this one."),
    query("agent_id", UUID_SCHEMA, "Only those that concerned this agent."),
    query("status", _WORD, "Only those whose data has this status."),
    query("direction", _WORD, "Only those whose data has this direction."),
    query("updated_after", TIME_SCHEMA, f"Only those whose last event is later. {_TIME_NOTE}"),
    OF_CUSTOMER,
    *_PAGING,
)
READING = ("INVALID_REQUEST", "PERMISSION_DENIED", "NOT_FOUND")
_PUBLISHING = (
    *("INVALID_EVENT", "PERMISSION_DENIED", "IDEMPOTENCY_CONFLICT", "TOO_LARGE"),
    "UNSUPPORTED_MEDIA_TYPE",
)

describe(
    "events.api.views.EventsView",
    post=operation(
        "Publish events",
        "One event, or a list that is stored whole or not at all. 201 means stored. When you get no answer, or 503, "
        "send it again with the same `idempotency_key`: nothing is published twice. The body is JSON in UTF-8, "
        "whatever its `Content-Type` says.",
        tag="Publishing",
        name="publishEvents",
        body={"oneOf": [named("NewEvent"), list_of(named("NewEvent"), minItems=1, maxItems=1000)]},
        bodies={
            "one event": NEW_EVENT,
            "a list": [
                {**NEW_EVENT, "idempotency_key": "call-4711-answered"},
                {"event_type": "queue.left", "data": {"queue_id": "support", "call_id": CALL}},
            ],
        },
        good={
            201: good(
                "Stored: a receipt, or a list of them for a list.",
                {"oneOf": [named("Receipt"), list_of(named("Receipt"), minItems=1)]},
                one=RECEIPT,
                list=[RECEIPT],
            )
        },
        refusals=_PUBLISHING,
    ),
    get=operation(
        "Read what happened",
        "Events as subscribers hear them, in the order of the log. A page may hold fewer items than `limit`, or none, "
        "although another follows: go by `next` alone.",
        tag="Reading",
        name="readEvents",
        parameters=(
            query("type", _EVENT_TYPE, "Only events of this type."),
            query("resource", TEXT, "Only events of this resource, such as `call`."),
            query("resource_id", _RESOURCE_ID, "Only of this one; say of which resource, too."),
            query(
                "call_id",
                _RESOURCE_ID,
                "The whole story of a call: its own events, and those that name it in a field that ends in `_id`.",
            ),
            query("agent_id", UUID_SCHEMA, "Only events that concern this agent."),
            query("from", TIME_SCHEMA, f"Only events that happened then or later. {_TIME_NOTE}"),
            query("to", TIME_SCHEMA, "Only events that happened before."),
            query("after", _CURSORS, "Only events after this cursor."),
            OF_CUSTOMER,
            *_PAGING,
        ),
        good={
            200: good("A page.", named("EventPage"), page={"cursor": CURSOR, "items": [EVENT], "next": None})
        },
        refusals=(*READING, "NOT_KEPT"),
    ),
)
describe(
    "events.api.views.EventView",
    get=operation(
        "Read one event",
        tag="Reading",
        name="readEvent",
        parameters=[in_path("event_id", UUID_SCHEMA, "The event's `id`.")],
        good={200: good("The event, as a subscriber hears it.", named("Event"), event=EVENT)},
        refusals=READING,
    ),
)
describe(
    "events.api.views.ResourceStatesView",
    get=operation(
        "Read the present state",
        "The calls, queues … as they are, and the cursor at which that is true: read the state first, then subscribe "
        "with the cursor as `since`, and nothing falls between the two.",
        tag="Reading",
        # One view has two addresses: whoever composes the whole gives the other one a name of its own.
        name="readStates",
        parameters=_STATE_PARAMETERS,
        good={
            200: good(
                "A page.",
                named("StatePage"),
                page={"resource": "call", "cursor": CURSOR, "items": [_STATE], "next": None},
            )
        },
        refusals=(*READING, "NOT_KEPT"),
    ),
)
describe(
    "events.api.views.VoipbinWebhookView",
    post=operation(
        "Take a webhook of VoIPBIN's",
        "Each becomes one event; `data` keeps every original field. docs/protocol.md has a table of them.",
        tag="Publishing",
        name="takeVoipbinWebhook",
        parameters=(
            header(
                "X-VoIPBIN-Signature",
                "`sha256=<hex HMAC-SHA256 of the body>`. Needed where the operator has set `VOIPBIN_WEBHOOK_SECRET`.",
            ),
            header("Idempotency-Key", "The same key stores the event once."),
        ),
        body=named("VoipbinWebhook"),
        bodies={
            "an answered call": {"type": "call_progressing", "data": {"id": CALL, "status": "progressing"}}
        },
        good={201: good("Stored.", named("Receipt"), receipt=RECEIPT)},
        refusals=_PUBLISHING,
    ),
)
