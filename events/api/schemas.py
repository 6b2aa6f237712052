"""OpenAPI schemas of the events app: parameters, bodies and answers.

The serializers only describe. REST framework's fields convert values (12 to "12") and have messages of their own;
clients get a reason for each wrong field from `events.domain.event_parser` and `events.reading.parameters`.
"""

# Long because the schemas of publishing and reading refer to each other.

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, inline_serializer
from rest_framework.serializers import BooleanField, CharField, ListField, Serializer, UUIDField

from events.api.operation import READING_ERRORS, Schema, field, parameter
from events.api.publish_parser import KEY_HEADER, SIGNATURE_HEADER
from events.cloudevents.attributes import FORMAT
from events.domain.event_parser import GATEWAY_TAGS, MAX_AGENTS, MAX_KEY_LENGTH, MAX_TAG_LENGTH, MAX_TAGS
from events.domain.topics import MAX_RESOURCE_ID_LENGTH
from events.reading.call_results import Outcome
from events.reading.parameters import DEFAULT_LIMIT, MAX_LIMIT, MAX_WORD_LENGTH

CALL_ID = "5371e9db-d035-4db6-a8d6-0994d33e744e"
CUSTOMER_ID = "12345678-1234-1234-1234-123456789012"

_POSITION = r"[0-9a-f]{12}\.(0|[1-9][0-9]{0,17})"
_RESOURCE_ID_PATTERN = "[A-Za-z0-9._~@+=/-]{1,%d}" % MAX_RESOURCE_ID_LENGTH  # noqa: UP031
_SHOWN_ID_PATTERN = _RESOURCE_ID_PATTERN.replace("/-", "/ •-")
"""Of an id in an answer, which may be a masked number."""
TEXT: Schema = {"type": "string"}
UUID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time", "examples": ["2024-01-15T10:30:00.000000Z"]}
CURSOR: Schema = {
    "type": "string",
    "pattern": f"^{_POSITION}$",
    "description": "A position in the customer's log. Opaque.",
    "examples": ["7d0c7b1e52aa.1"],
}
_EVENT_TYPE: Schema = {
    "type": "string",
    "pattern": r"^[a-z][a-z0-9_]{0,39}\.[a-z][a-z0-9_]{0,39}$",
    "description": "`<resource>.<action>`, such as `call.status`.",
    "examples": ["call.status"],
}
_RESOURCE_ID: Schema = {"type": "string", "pattern": f"^{_RESOURCE_ID_PATTERN}$", "examples": [CALL_ID]}
_SHOWN_ID: Schema = {**_RESOURCE_ID, "pattern": f"^{_SHOWN_ID_PATTERN}$"}
_TOPIC: Schema = {
    "type": "string",
    "pattern": r"^(customer_id|agent_id):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    rf":[a-z][a-z0-9_]{{0,39}}:{_SHOWN_ID_PATTERN}$",
    "examples": [f"customer_id:{CUSTOMER_ID}:call:{CALL_ID}"],
}
OPEN_OBJECT: Schema = {"type": "object", "additionalProperties": True}
_DATA: Schema = {**OPEN_OBJECT, "examples": [{"id": CALL_ID, "status": "answered"}]}

_OPTIONAL = {"required": False, "allow_null": True}
_OWN_CUSTOMER = "; by default the credential's. Only platform staff may name another."
_STORED_ONCE = "Requests with the same key store the event once."


_PHASE: Schema = {
    "type": "array",
    "prefixItems": [{"enum": ["offered", "talking", "missed", "left", "abandoned", "ended"]}, TIME],
    "minItems": 2,
    "maxItems": 2,
}


_TAGS: Schema = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"], "maxLength": MAX_TAG_LENGTH},
    "examples": [{"team": "sales", "vip": True}],
}


class Event(Serializer[Any]):
    """An event, as a subscriber receives it."""

    event_type = field(_EVENT_TYPE)
    timestamp = field(TIME, "When the event happened, in UTC with six digits.")
    agent_ids = ListField(
        child=UUIDField(),
        required=False,
        help_text="The agents that the publisher named beside the data; an agent's own topics show that agent alone.",
    )
    phase = field(
        _PHASE,
        "Under an agent's own topic: the agent's new phase with the call, and since when. "
        "Missing if the event did not change it.",
        required=False,
    )
    topic = field(_TOPIC, "The topic by which the reader receives the event.")
    data = field(
        {**_DATA, "minProperties": 1},
        "The publisher's data, complete. docs/asyncapi.yaml has the agreed fields.",
    )
    active = BooleanField(
        required=False,
        help_text="`false` if the resource ended with this event or before, `true` if the event corrects an "
        "end that the gateway had inferred; else missing.",
    )
    left = field(
        # Not a constant, of which generators of clients make invalid code.
        {"type": "boolean"},
        "Always `true`: the event does not match the filter, and its resource did before: remove it. If the access "
        "key's filter does not match, `data` has the ids alone. Missing otherwise.",
        required=False,
    )
    id = UUIDField(help_text="The same on every delivery of this event.")
    cursor = field(CURSOR)


class NewEvent(Serializer[Any]):
    """An event, as a publisher sends it."""

    event_type = field(
        _EVENT_TYPE,
        "`<resource>.<action>`: a known resource; an action of 1 to 40 lower-case letters, digits and `_` that begins "
        "with a letter.",
    )
    data = field(
        {**_DATA, "minProperties": 1},
        "At least the resource's id: `<resource>_id` (such as `queue_id`), else `id`; at most 256 KiB.",
    )
    customer_id = field(UUID, f"The customer of the event{_OWN_CUSTOMER}", **_OPTIONAL)
    agent_ids = field(
        {"type": "array", "items": UUID, "maxItems": MAX_AGENTS},
        "Agents whom the event concerns, besides those that its data names.",
        **_OPTIONAL,
    )
    timestamp = field(
        {"type": "string", "examples": TIME["examples"]},
        "When the event happened, as RFC 3339 with a zone; now by default.",
        **_OPTIONAL,
    )
    idempotency_key = field(
        {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH}, _STORED_ONCE, **_OPTIONAL
    )
    tags = field(
        {**_TAGS, "maxProperties": MAX_TAGS, "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,31}$"}},
        "The publisher's own tags of the resource, for filters. They replace those of earlier events; without the "
        f"field, they stay. Not {', '.join(sorted(GATEWAY_TAGS))}, which the gateway sets itself.",
        **_OPTIONAL,
    )


class Receipt(Serializer[Any]):
    """The event is stored, and is delivered to every subscriber who is authorised."""

    id = UUIDField()
    cursor = field(CURSOR)
    topics = field(
        {"type": "array", "items": _TOPIC, "minItems": 1},
        "The customer's topic, and one for each concerned agent.",
    )
    replayed = BooleanField(
        help_text="Whether an earlier request with this `idempotency_key` stored the event."
    )
    warnings = ListField(
        child=CharField(), required=False, help_text="What was not taken as it was sent; missing if all was."
    )


def _one_or_list(serializer: type[Serializer[Any]]) -> PolymorphicProxySerializer:
    """Describe one or a list; `voipbin_ws.pages.openapi` adds the limits of the list."""
    return PolymorphicProxySerializer(
        f"{serializer.__name__}OrList", [serializer, serializer(many=True)], None, many=False
    )


NEW_EVENTS = _one_or_list(NewEvent)
RECEIPTS = _one_or_list(Receipt)


NOW = field(TIME, "The gateway's time, with six digits and `Z`: a client corrects its own clock by it.")
NEXT = field(
    TEXT, "Send as `next`, with the same other parameters; `null` on the last page.", allow_null=True
)
EVENT_PAGE = inline_serializer(
    "EventPage", {"cursor": field(CURSOR), "now": NOW, "items": Event(many=True), "next": NEXT}
)


class Progress(Serializer[Any]):
    """What follows from the events beyond their data. Fields without a value are missing."""

    status = CharField(
        required=False, help_text="A call's status; waiting, connecting or connected in a queue."
    )
    status_since = field(TIME, "Since when it has this status.", required=False)
    agents = field(
        {
            "type": "object",
            "additionalProperties": _PHASE,
        },
        "The agents who have or had it: for each the phase, and since when.",
        required=False,
    )
    named_at = field(TIME, "When an event last named the agents.", required=False)
    ended_at = field(TIME, "When it ended.", required=False)
    inferred = BooleanField(required=False, help_text="`true` if the gateway concluded the end itself.")
    corrected_at = field(TIME, "When a later event corrected an inferred end.", required=False)
    truncated = BooleanField(
        required=False,
        help_text="`true` if fields of earlier events were dropped, because the data was too large.",
    )
    tags = field(_TAGS, "The publisher's own tags.", required=False)


class State(Serializer[Any]):
    """The present state of one call, message, queue …"""

    resource_id = field(_SHOWN_ID)
    member_id = CharField(required=False, help_text="For a call's place in a queue or conference: the call.")
    active = BooleanField(help_text="Whether the resource has not ended.")
    event_type = field(_EVENT_TYPE, "The type of the last event.")
    since = field(TIME, "The time of the first event; for a member, of its last entry.")
    updated_at = field(TIME, "The time of the last event.")
    agent_ids = ListField(child=UUIDField(), help_text="The agents whom the resource concerned.")
    topic = field(_TOPIC, "The topic to subscribe to for changes.")
    cursor = field(CURSOR, "The last event that changed this state: apply only later ones.")
    state = Progress()
    data = field(_DATA, "The data of all events, later ones replacing the fields of earlier ones.")


_TRUE_AT = field(CURSOR, "Where this state is true: subscribe with this cursor as `since`.")


class CallResult(Serializer[Any]):
    """How a call went, concluded from its events and its places in queues."""

    outcome = field(
        {"enum": [*Outcome, None]}, "`null` while the call is live, and if its events do not say."
    )
    queue_ids = ListField(child=CharField(), help_text="The queues in which it waited.")
    agent_ids = ListField(child=CharField(), help_text="The agents who talked.")
    wait_seconds = field(
        {"type": "number"}, "The time in queues; `null` if it was in none, or still waits.", allow_null=True
    )
    ended_at = field(TIME, "`null` while the call is live.", allow_null=True)


class CallItem(State):
    """The present state of a call."""

    result = CallResult(required=False, help_text="With `result=true`.")


CALL_PAGE = inline_serializer(
    "CallPage",
    {"resource": CharField(), "cursor": _TRUE_AT, "now": NOW, "items": CallItem(many=True), "next": NEXT},
)
STATE_PAGE = inline_serializer(
    "StatePage",
    {"resource": CharField(), "cursor": _TRUE_AT, "now": NOW, "items": State(many=True), "next": NEXT},
)


class PastState(State):
    """The state of one call, queue, agent … at a past moment."""

    resource = CharField(help_text="Such as `call`.")


PAST_STATE_PAGE = inline_serializer(
    "PastStatePage",
    {
        "at": field(TIME, "The moment."),
        "cursor": field(CURSOR, "The last event before it: read on with this cursor as `after`."),
        "now": NOW,
        "items": PastState(many=True),
        "next": NEXT,
    },
)


class VoipbinWebhook(Serializer[Any]):
    """VoIPBIN's own webhook, as VoIPBIN sends it."""

    type = CharField(help_text="`<resource>_<action>`, such as `call_progressing`.")
    data = field(OPEN_OBJECT, "VoIPBIN's resource, with at least its id.")


OF_CUSTOMER = parameter("customer_id", UUID, f"The customer{_OWN_CUSTOMER}")
PAGING = (
    parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        "The most items of a page.",
    ),
    parameter("order", {"enum": ["asc", "desc"], "default": "asc"}, "The oldest or the newest first."),
    parameter("next", TEXT, "The `next` of the page before, with the same other parameters."),
)
_TIME_NOTE = "RFC 3339 with a zone; write it with `Z`, because a `+` in an address stands for a space."
_WORD: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_WORD_LENGTH}
_FILTER = parameter(
    "filter",
    {
        "type": "string",
        "contentMediaType": "application/json",
        "examples": ['{"field": "status", "op": "eq", "value": "answered"}'],
    },
    "A filter on tags as JSON, as a subscription has it.",
)
AS_CLOUD_EVENT = parameter(
    "format", {"type": "string", "enum": [FORMAT]}, "Return events as CloudEvents 1.0, in the JSON format."
)
HISTORY_PARAMETERS = (
    parameter("type", _EVENT_TYPE, "Only events of this type."),
    parameter("resource", TEXT, "Only events of this resource, such as `call`."),
    parameter("resource_id", _RESOURCE_ID, "Only events of the resource with this id; name its kind, too."),
    parameter(
        "call_id",
        _RESOURCE_ID,
        "All events of a call: its own, and those that name it in a field that ends in `_id`.",
    ),
    parameter("agent_id", UUID, "Only events that concern this agent."),
    parameter("since", TIME, f"Only events at or after this time. {_TIME_NOTE}"),
    parameter("from", TIME, "The same as `since`."),
    parameter("to", TIME, "Only events before this time."),
    parameter(
        "after",
        {"type": "string", "pattern": f"^{_POSITION}(,{_POSITION})*$"},
        "Only events after this cursor.",
    ),
    _FILTER,
    OF_CUSTOMER,
    *PAGING,
    AS_CLOUD_EVENT,
)
STATE_PARAMETERS = (
    parameter("active", {"type": "boolean"}, "Only resources that have not ended, or only those that have."),
    parameter("resource_id", _RESOURCE_ID, "Only the resource with this id."),
    parameter("agent_id", UUID, "Only resources that concerned this agent."),
    parameter("status", _WORD, "Only resources whose data has this status."),
    parameter("direction", _WORD, "Only resources whose data has this direction."),
    parameter("since", TIME, f"Only resources whose last event is later. {_TIME_NOTE}"),
    parameter("updated_after", TIME, "The same as `since`."),
    _FILTER,
    OF_CUSTOMER,
    *PAGING,
)
PAST_STATE_PARAMETERS = (
    parameter("at", TIME, f"The moment. Required. {_TIME_NOTE}"),
    parameter("resource", TEXT, "Only this resource, such as `call`."),
    parameter("resource_id", _RESOURCE_ID, "Only the resource with this id; name its kind, too."),
    parameter("agent_id", UUID, "Only resources that concerned this agent."),
    parameter("status", _WORD, "Only resources whose data had this status."),
    parameter("direction", _WORD, "Only resources whose data had this direction."),
    _FILTER,
    OF_CUSTOMER,
    *(each for each in PAGING if each.name != "order"),
)
CALL_PARAMETERS = (
    *STATE_PARAMETERS,
    parameter("began_from", TIME, f"Only calls that began at or after this time. {_TIME_NOTE}"),
    parameter("began_before", TIME, "Only calls that began before this time."),
    parameter(
        "number", _WORD, "Only calls from or to this telephone number, in any spelling, or with these digits."
    ),
    parameter("name", _WORD, "Only calls from or to a party whose name has these words."),
    parameter("queue_id", _RESOURCE_ID, "Only calls that were in this queue."),
    parameter("outcome", {"enum": list(Outcome)}, "Only calls with this outcome."),
    parameter(
        "min_wait", {"type": "integer", "minimum": 0}, "Only calls that waited at least so many seconds."
    ),
    parameter("result", {"type": "boolean"}, "Whether items have `result`: how the call went."),
)
EVENT_ID = parameter("event_id", UUID, "The event's `id`.", "path")
KEY = parameter(
    KEY_HEADER,
    TEXT,
    f"{_STORED_ONCE} Instead of `idempotency_key` in the body; of a list, each event gets it with its position.",
    "header",
)
WEBHOOK_HEADERS = (
    parameter(
        SIGNATURE_HEADER,
        TEXT,
        "`sha256=<hex HMAC-SHA256 of the body>`. Required if the setting `VOIPBIN_WEBHOOK_SECRET` is set.",
        "header",
    ),
    parameter(
        KEY_HEADER,
        TEXT,
        f"{_STORED_ONCE} Without it a webhook is known by its bytes, for `WEBHOOK_REPEAT_SECONDS`.",
        "header",
    ),
)
_ANSWERED = {"event_type": "call.status", "data": {"id": CALL_ID, "status": "answered"}}
NEW_EVENT_EXAMPLES = {
    "one event": _ANSWERED,
    "a list": [
        {**_ANSWERED, "idempotency_key": "call-4711-answered"},
        {"event_type": "queue.left", "data": {"queue_id": "support", "call_id": CALL_ID}},
    ],
}
WEBHOOK_EXAMPLES = {
    "an answered call": {"type": "call_progressing", "data": {"id": CALL_ID, "status": "progressing"}}
}
PAGE_ERRORS = (*READING_ERRORS, "NOT_KEPT")
PUBLISHING_ERRORS = (
    "INVALID_EVENT",
    "PERMISSION_DENIED",
    "IDEMPOTENCY_CONFLICT",
    "TOO_LARGE",
    "UNSUPPORTED_MEDIA_TYPE",
    "RATE_LIMITED",
    "STORAGE_FULL",
)
