"""OpenAPI schemas of the addresses for agent desktops (see `events.api.schemas`)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework.serializers import BooleanField, CharField, IntegerField, Serializer, UUIDField

from events.api.operation import READING_ERRORS, Schema, field, parameter
from events.api.schemas import CURSOR, NEXT, NOW, OF_CUSTOMER, PAGING, TEXT, TIME, State
from subscriptions import models
from subscriptions.models.desk_settings import CODE_PATTERN

MAX_NOTE = 2000
MAX_SEARCH = 100
NEWEST_FIRST = tuple(each for each in PAGING if each.name != "order")

_CODE: Schema = {"type": "string", "pattern": f"^{CODE_PATTERN}$"}
_SECONDS: Schema = {"type": "integer", "minimum": 0}

CALL_ID = parameter("call_id", TEXT, "The call.", "path")
MESSAGE_ID = parameter("message_id", TEXT, "The message.", "path")
NUMBER = parameter("number", TEXT, "A telephone number, in any spelling.", "path")
SEARCH = parameter(
    "search",
    {"type": "string", "minLength": 1, "maxLength": MAX_SEARCH},
    "Only conversations with a message that has this text, or of a number or name with it; in any case.",
)
NEW_NOTE = inline_serializer(
    "NewCallNote",
    {
        "disposition": field(
            {"type": ["string", "null"], "pattern": f"^{CODE_PATTERN}$"},
            "The code of one of the customer's dispositions (`desk` of `/v1.0/me`); `null` takes it back.",
            required=False,
        ),
        "note": field({"type": "string", "maxLength": MAX_NOTE}, "Empty to take it back.", required=False),
    },
)
NOTE_EXAMPLES = {
    "both": {"disposition": "sold", "note": "Wants it delivered on Friday."},
    "a note alone": {"note": "Wants it delivered on Friday."},
}
NOTE_ERRORS = (*READING_ERRORS, "TOO_LARGE")
REVEAL_ERRORS = (*READING_ERRORS, "TOO_LARGE", "RATE_LIMITED")
_REVEALED = {
    "number": field(TEXT, "The other party's in E.164; `null` if it is withheld.", allow_null=True),
    "source": field(TEXT, "Who called or wrote, as it was published; `null` for none.", allow_null=True),
    "destination": field(
        TEXT, "Who was called or written to, as it was published; `null` for none.", allow_null=True
    ),
}
REVEALED_OF_CALL = inline_serializer("RevealedNumbersOfCall", {"call_id": CharField(), **_REVEALED})
REVEALED_OF_MESSAGE = inline_serializer("RevealedNumbersOfMessage", {"message_id": CharField(), **_REVEALED})
NOTED = inline_serializer(
    "CallNoted",
    {
        "call_id": CharField(),
        "event_id": UUIDField(help_text="The event `call.noted`."),
        "cursor": field(CURSOR, "Its place in the log."),
    },
)


class EarlierCall(Serializer[Any]):
    call_id = CharField()
    at = field(TIME, "When it began.")
    direction = field(TEXT, "`null` if not known.", allow_null=True)
    status = field(TEXT, "Its last status.", allow_null=True)
    is_missed = BooleanField(help_text="Whether it ended without having been answered.")
    duration_seconds = field(_SECONDS, "Since it was answered; `null` if not known.", allow_null=True)
    queue_name = field(TEXT, "`null` without a queue.", allow_null=True)
    agent_name = field(TEXT, "`null` if the credential may not see it.", allow_null=True)
    disposition = field(_CODE, "`null` without one.", allow_null=True)
    note = field(TEXT, "`null` without one.", allow_null=True)


CALLER = inline_serializer(
    "CallerHistory",
    {
        "number": field(TEXT, "In E.164 where that is possible; `null` if it is withheld.", allow_null=True),
        "items": EarlierCall(many=True, help_text="The newest calls of the number that are over."),
        "now": NOW,
    },
)


class Conversation(Serializer[Any]):
    number = field(TEXT, "`null` if the sender's number is withheld.", allow_null=True)
    name = field(TEXT, "As messages give it; `null` if none does.", allow_null=True)
    opted_out_at = field(TIME, "When the number sent STOP; `null` if it takes messages.", allow_null=True)
    last = State(help_text="The state of the last message.")


CONVERSATIONS = inline_serializer(
    "ConversationPage",
    {"cursor": field(CURSOR), "now": NOW, "items": Conversation(many=True), "next": NEXT},
)
CONVERSATION_PARAMETERS = (SEARCH, OF_CUSTOMER, *NEWEST_FIRST)
MESSAGE_PARAMETERS = (NUMBER, OF_CUSTOMER, *PAGING)
OF_MESSAGE_PARAMETERS = (MESSAGE_ID, OF_CUSTOMER, *PAGING)


class Colleague(Serializer[Any]):
    id = UUIDField()
    name = CharField()
    status = field({"enum": models.AgentStatus.values})


class TransferQueue(Serializer[Any]):
    id = UUIDField()
    name = CharField()


TRANSFER_TARGETS = inline_serializer(
    "TransferTargets",
    {"agents": Colleague(many=True), "queues": TransferQueue(many=True), "now": NOW},
)
DAY = inline_serializer(
    "AgentDay",
    {
        "agent_id": UUIDField(),
        "since": field(TIME, "Midnight in the customer's time zone."),
        "handled": IntegerField(
            help_text="Calls that the agent talked on, and that ended or were given away."
        ),
        "missed": IntegerField(help_text="Calls that rang at the agent and were not answered."),
        "talk_seconds": IntegerField(help_text="From the answer of each handled call to its end."),
        "now": NOW,
    },
)
