"""OpenAPI schemas of the subscriptions app (see `events.api.schemas`)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework.serializers import BooleanField, CharField, ListField, Serializer, UUIDField

from events.api.operation import READING_ERRORS, Schema, field, parameter
from events.api.schemas import CUSTOMER_ID, NOW, OF_CUSTOMER, OPEN_OBJECT, TEXT, TIME, UUID
from subscriptions import models
from subscriptions.control.tenants import AwayReason, Disposition, QuickReply
from subscriptions.explain.report import Outcome
from subscriptions.models.desk_settings import CODE_PATTERN, MAX_AWAY_MINUTES
from subscriptions.platform.agent_status import CHOOSABLE
from subscriptions.protocol.permissions import Role

CALL_ACTIONS = ("accept", "transfer", "voicemail", "hangup")
AGENT_ACTIONS = ("status", "sign-out")
TARGETS = ("agent", "queue", "tel")
TEL_PATTERN = r"\+?[0-9]{2,20}"
MAX_TEXT = 1600
"""Characters of a message: ten parts of an SMS, the most that carriers accept."""

_ROLES = [role.value for role in Role]
_STATUS: Schema = {"enum": models.AgentStatus.values}
_ACTION: Schema = {"enum": CALL_ACTIONS}
_TEL: Schema = {"type": "string", "pattern": f"^{TEL_PATTERN}$", "examples": ["+15551234567"]}
_REPLY: Schema = {**OPEN_OBJECT, "description": "The reply of the platform."}
_FILLED: Schema = {**TEXT, "minLength": 1}

AGENT_ID = parameter("agent_id", UUID, "The agent.", "path")
CALL_PARAMETERS = (
    parameter("call_id", TEXT, "The call.", "path"),
    parameter("action", _ACTION, "The action.", "path"),
    OF_CUSTOMER,
)
EXPLAIN_PARAMETERS = (
    parameter("event", TEXT, "The event's `id` or `cursor`."),
    parameter("topic", TEXT, f"A topic or pattern, such as `customer_id:{CUSTOMER_ID}:call:*`."),
)
REQUEST_ERRORS = ("INVALID_REQUEST", "PERMISSION_DENIED")
_PLATFORM_ERRORS = ("PLATFORM_REFUSED", "NO_PLATFORM", "PLATFORM_UNAVAILABLE", "PLATFORM_TIMEOUT")
_ACTING_ERRORS = (*READING_ERRORS, "TOO_LARGE", *_PLATFORM_ERRORS)
CALL_ERRORS = (*_ACTING_ERRORS, "CALL_OVER", "NOT_YOUR_CALL")
MESSAGE_ERRORS = (*_ACTING_ERRORS, "OPTED_OUT")
STATUS_ERRORS = (*_ACTING_ERRORS, "STATUS_CHANGES")

LOGIN = inline_serializer("Login", {"username": field(_FILLED), "password": field(_FILLED)})
TOKEN = inline_serializer(
    "Token",
    {
        "username": CharField(),
        "token": field(TEXT, "A JWT, valid for seven days (`JWT_LIFETIME_SECONDS`)."),
        "now": NOW,
    },
)


LOGOUT = inline_serializer(
    "Logout",
    {
        "everywhere": BooleanField(
            required=False, help_text="Whether all tokens of the agent end, and its admin sessions."
        )
    },
)
LOGGED_OUT = inline_serializer("LoggedOut", {"everywhere": BooleanField(), "now": NOW})
SIGNED_OUT = inline_serializer("SignedOut", {"agent_id": UUIDField(), "now": NOW})
PASSWORD_CHANGE = inline_serializer(
    "PasswordChange",
    {
        "password": field(_FILLED, "The present password."),
        "new_password": field(_FILLED, "The new password."),
    },
)


class Named(Serializer[Any]):
    id = UUIDField()
    name = field(TEXT, "`null` if only the platform knows the name.", allow_null=True)


class VisibleAgent(Serializer[Any]):
    id = UUIDField()
    name = CharField()
    role = field({"enum": _ROLES})
    status = field(_STATUS)
    status_changed_at = field(TIME)
    teams = ListField(child=CharField(), help_text="Names; case does not matter.")


class VisibleQueue(Serializer[Any]):
    id = UUIDField()
    name = CharField()
    agent_ids = ListField(child=UUIDField())


class DialingFacts(Serializer[Any]):
    """How numbers are dialled in the customer's region."""

    country_code = CharField()
    national_prefix = field(TEXT)
    international_prefix = CharField()
    national_digits = field({"type": "integer", "minimum": 1}, "The fewest digits of a national number.")
    national_pattern = field(TEXT, "A regular expression of all national numbers.")


class DeskSettings(Serializer[Any]):
    dispositions = Disposition(many=True, help_text="How a call can have gone.")
    away_reasons = AwayReason(
        many=True, help_text="Reasons for being away; `minutes` until the expected return."
    )
    quick_replies = QuickReply(
        many=True, help_text="Texts with the variables `{name}`, `{number}` and `{agent}`."
    )
    crm_url = field(
        TEXT, "The template of a link, with `{number}`, `{call_id}` and `{name}`; empty for none."
    )


class Me(Serializer[Any]):
    customer = Named()
    agent = Named(allow_null=True, help_text="`null` for an access key of the customer itself.")
    role = field({"enum": [*_ROLES, None]}, "`null` for an access key of the customer itself.")
    topics = ListField(child=CharField(), help_text="The widest topics that the credential may subscribe to.")
    agents = VisibleAgent(many=True, help_text="The customer's agents that the credential may see.")
    queues = VisibleQueue(
        many=True,
        help_text="The customer's queues that the credential may see, with those of their agents it may see.",
    )
    masks_numbers = BooleanField(help_text="Whether telephone numbers are masked for the credential.")
    may_reveal_numbers = BooleanField(
        help_text="Whether it may reveal the masked numbers of a call or message."
    )
    dialing = DialingFacts(
        allow_null=True,
        help_text="`null` if no region is set: numbers without a country code are not understood.",
    )
    desk = DeskSettings(help_text="What the customer has set for the desktops of its agents.")
    now = NOW


CUSTOMERS = inline_serializer("Customers", {"items": Named(many=True), "now": NOW})


class Actions(Serializer[Any]):
    available = BooleanField()
    reason = field(TEXT, "Why no action is available.", allow_null=True)
    call = ListField(child=field(_ACTION), help_text="The available actions on a call.")
    message = BooleanField(help_text="Whether messages can be sent.")
    agent = ListField(
        child=field({"enum": AGENT_ACTIONS}),
        help_text="What the credential may do with other agents; needs no platform.",
    )


class Target(Serializer[Any]):
    type = field({"enum": TARGETS})
    id = field(TEXT, "The agent's or queue's id, or a telephone number.")


CALL_ORDER = inline_serializer(
    "CallOrder", {"to": Target(required=False, help_text="Only for `transfer`: the target.")}
)
CALL_ANSWER = inline_serializer(
    "CallAnswer", {"call_id": CharField(), "action": field(_ACTION), "platform": field(_REPLY)}
)


CALL_ORDER_EXAMPLES = {
    "to a queue": {"to": {"type": "queue", "id": "9d2b7c40-51aa-4c07-8e0e-6b1f2f3a4d55"}},
    "else": {},
}
NEW_MESSAGE = inline_serializer(
    "NewMessage",
    {
        "to": field(_TEL, "The number; this or `reply_to`.", required=False),
        "reply_to": field(
            _FILLED,
            "The id of a message that the credential may read: the reply goes to its other party, also if that number "
            "is masked.",
            required=False,
        ),
        "text": field({**_FILLED, "maxLength": MAX_TEXT}),
        "automatic": BooleanField(default=False, help_text="Whether a program wrote the message."),
    },
)
_SENT_TO = field(TEXT, "The number, masked if it is for you.")
NEW_MESSAGE_EXAMPLES = {
    "a message": {"to": "+15551234567", "text": "We call you back at ten."},
    "a reply": {"reply_to": "0f0f0f0f-0000-4000-8000-00000000000f", "text": "We call you back at ten."},
}
MESSAGE_ANSWER = inline_serializer("MessageAnswer", {"to": _SENT_TO, "platform": field(_REPLY)})
STATUS_CHOICE = inline_serializer(
    "StatusChoice",
    {
        "status": field({"enum": CHOOSABLE}),
        "away_reason": field(
            {"type": ["string", "null"], "pattern": f"^{CODE_PATTERN}$"},
            "With `away`: the code of one of the customer's reasons (`desk` of `/v1.0/me`).",
            required=False,
        ),
        "minutes": field(
            {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_AWAY_MINUTES},
            "With `away`: after how many minutes the agent returns; without it, those of the reason.",
            required=False,
        ),
    },
)


class AgentStatus(Serializer[Any]):
    agent_id = UUIDField()
    status = field(_STATUS)
    status_changed_at = field(TIME)
    away_reason = field(TEXT, "Why the agent is away; `null` if not given.", allow_null=True)
    returns_at = field(TIME, "When the agent expects to return; `null` if not given.", allow_null=True)
    set_by = field(UUID, "Who chose the status; `null` for the platform and for programs.", allow_null=True)
    set_by_name = field(TEXT, "The name of that person.", allow_null=True)
    next_status = field(_STATUS, "With 202: the status after the call.", required=False)
    now = NOW


class Fact(Serializer[Any]):
    name = CharField()
    value = CharField()


class Step(Serializer[Any]):
    name = CharField()
    question = CharField()
    outcome = field(
        {"enum": list(Outcome)}, "The event passed, ended here, this is not known, or was not examined."
    )
    rule = CharField()
    message = CharField()
    facts = Fact(many=True)


class Explanation(Serializer[Any]):
    delivered = field(
        {"type": "boolean"}, "Whether the event was delivered; `null` if not known.", allow_null=True
    )
    rule = field(TEXT, "The reason, for programs.")
    reason = field(TEXT, "The reason, for people.")
    steps = Step(many=True, help_text="The event's way to the receiver, step by step.")
