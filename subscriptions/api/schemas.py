"""The addresses of the subscriptions app in OpenAPI, and the credentials that all addresses take."""

# Long because every parameter and every field is told once, here.

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from events.api.operation import (
    TEXT,
    TIME_SCHEMA,
    UUID_SCHEMA,
    describe,
    good,
    in_path,
    list_of,
    named,
    operation,
    query,
    record,
)
from events.api.schemas import CALL, CUSTOMER, OF_CUSTOMER, READING
from subscriptions.api.actions import CALL_ACTIONS, MAX_TEXT, TARGETS
from subscriptions.api.agent_status import CHOOSABLE
from subscriptions.explain.report import Outcome
from subscriptions.models import AgentStatus
from subscriptions.protocol.permissions import Role

SECURITY: dict[str, dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token (JWT) of an agent, or an access key (`vb_…`).",
    },
    "token": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "A token or an access key. Prefer the header: addresses tend to end up in logs.",
    },
    "accesskey": {"type": "apiKey", "in": "query", "name": "accesskey", "description": "An access key."},
}

_AGENT = "3f1a9c52-6c1e-4d7b-9a53-0d4c7f2b8e10"
_STATUS = {"enum": list(AgentStatus.values)}
_TEL = {"type": "string", "pattern": r"^\+?[0-9]{2,20}$", "examples": ["+15551234567"]}
_PLATFORM = {"type": "object", "additionalProperties": True, "description": "What the platform answered."}
_NAME = {"type": ["string", "null"], "description": "`null` for one that only the platform knows."}

SCHEMAS: dict[str, Any] = {
    "Login": record({"username": {**TEXT, "minLength": 1}, "password": {**TEXT, "minLength": 1}}),
    "Token": record(
        {
            "username": TEXT,
            "token": {**TEXT, "description": "A JWT, good for seven days (`JWT_LIFETIME_SECONDS`)."},
        }
    ),
    "Me": record(
        {
            "customer": record({"id": UUID_SCHEMA, "name": _NAME}),
            "agent": {
                "oneOf": [record({"id": UUID_SCHEMA, "name": _NAME}), {"type": "null"}],
                "description": "Whose credential it is; `null` for a key of the customer itself.",
            },
            "role": {"enum": [*(role.value for role in Role), None], "description": "`null` for such a key."},
            "topics": list_of(TEXT, description="The widest topics that it may subscribe to."),
            "agents": list_of(
                record(
                    {
                        "id": UUID_SCHEMA,
                        "name": TEXT,
                        "role": {"enum": [role.value for role in Role]},
                        "status": _STATUS,
                        "status_changed_at": TIME_SCHEMA,
                    }
                ),
                description="The customer's agents of whom it may hear.",
            ),
            "queues": list_of(
                record({"id": UUID_SCHEMA, "name": TEXT, "agent_ids": list_of(UUID_SCHEMA)}),
                description="The customer's queues of which it may hear; those of their agents of whom it may.",
            ),
        }
    ),
    "Customers": record({"items": list_of(record({"id": UUID_SCHEMA, "name": _NAME}))}),
    "Actions": record(
        {
            "available": {"type": "boolean"},
            "reason": {"type": ["string", "null"], "description": "Why nothing can be asked for."},
            "call": list_of({"enum": list(CALL_ACTIONS)}, description="What can be asked of a call."),
            "message": {"type": "boolean", "description": "Whether messages can be sent."},
        }
    ),
    "CallOrder": record(
        {
            "to": record(
                {
                    "type": {"enum": list(TARGETS)},
                    "id": {**TEXT, "description": "The agent's or queue's id, or a telephone number."},
                },
                additionalProperties=False,
                description="For `transfer` alone: where to.",
            )
        },
        optional=["to"],
        additionalProperties=False,
    ),
    "CallAnswer": record({"call_id": TEXT, "action": {"enum": list(CALL_ACTIONS)}, "platform": _PLATFORM}),
    "NewMessage": record(
        {
            "to": _TEL,
            "text": {**TEXT, "minLength": 1, "maxLength": MAX_TEXT},
            "automatic": {
                "type": "boolean",
                "default": False,
                "description": "Whether a program wrote it.",
            },
        },
        optional=["automatic"],
        additionalProperties=False,
    ),
    "MessageAnswer": record({"to": _TEL, "platform": _PLATFORM}),
    "StatusChoice": record(
        {"status": {"enum": [str(each) for each in CHOOSABLE]}}, additionalProperties=False
    ),
    "AgentStatus": record(
        {
            "agent_id": UUID_SCHEMA,
            "status": _STATUS,
            "status_changed_at": TIME_SCHEMA,
            "next_status": {**_STATUS, "description": "With 202: what it becomes once the call is over."},
        },
        optional=["next_status"],
    ),
    "Explanation": record(
        {
            "delivered": {
                "type": ["boolean", "null"],
                "description": "Whether the event was delivered; `null` where that cannot be told.",
            },
            "rule": {**TEXT, "description": "Why, for programs."},
            "reason": {**TEXT, "description": "Why, for people."},
            "steps": list_of(
                record(
                    {
                        "name": TEXT,
                        "question": TEXT,
                        "outcome": {
                            "enum": [outcome.value for outcome in Outcome],
                            "description": "The event went on here, ended here, it cannot be told, or was not asked.",
                        },
                        "rule": TEXT,
                        "message": TEXT,
                        "facts": list_of(record({"name": TEXT, "value": TEXT})),
                    }
                ),
                description="The event's way to the receiver, step by step.",
            ),
        }
    ),
}

_PLATFORM_REFUSALS = ("PLATFORM_REFUSED", "NO_PLATFORM", "PLATFORM_UNAVAILABLE", "PLATFORM_TIMEOUT")
_STATUS_SHOWN = {"agent_id": _AGENT, "status": "away", "status_changed_at": "2024-01-15T10:30:00.000000Z"}
_OF_AGENT = in_path("agent_id", UUID_SCHEMA, "The agent.")


class CredentialScheme(OpenApiAuthenticationExtension):
    """One credential, in one of three ways."""

    target_class = "subscriptions.auth.authentication.CredentialAuthentication"
    name = list(SECURITY)

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return list(SECURITY.values())

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        return [{name: []} for name in SECURITY]


describe(
    "subscriptions.api.login.LoginView",
    post=operation(
        "Log in",
        "A user name and password for a token.",
        tag="Credentials",
        name="login",
        body=named("Login"),
        bodies={"mary": {"username": "mary", "password": "correct horse battery staple"}},
        good={
            200: good(
                "A token.", named("Token"), token={"username": "mary", "token": "eyJhbGciOiJIUzI1NiIs…"}
            )
        },
        refusals=("INVALID_REQUEST", "UNAUTHORIZED", "RATE_LIMITED"),
        credential=False,
    ),
)
describe(
    "subscriptions.api.login.WebSocketAddressView",
    get=operation(
        "Ask why a WebSocket was refused",
        "The address of the WebSocket (docs/asyncapi.yaml). A browser shows no page why its socket was refused: a "
        "plain GET with the same credential answers what the handshake would have said.",
        tag="WebSocket",
        name="askAboutWebSocket",
        good={},
        refusals=("UPGRADE_REQUIRED",),
        auth=[{name: []} for name in SECURITY],
    ),
)
describe(
    "subscriptions.api.me.MeView",
    get=operation(
        "Ask who one is",
        "Whose credential this is, the widest topics that it may subscribe to, and the names of the agents and queues.",
        tag="Credentials",
        name="readMe",
        parameters=[OF_CUSTOMER],
        good={
            200: good(
                "Whose it is.",
                named("Me"),
                key={
                    "customer": {"id": CUSTOMER, "name": "Acme"},
                    "agent": None,
                    "role": None,
                    "topics": [f"customer_id:{CUSTOMER}:*:*"],
                    "agents": [],
                    "queues": [],
                },
            )
        },
        refusals=READING,
    ),
)
describe(
    "subscriptions.api.me.CustomersView",
    get=operation(
        "List the customers",
        "Those whose events the credential may hear: for platform staff all, else its own.",
        tag="Credentials",
        name="listCustomers",
        good={
            200: good("All of them.", named("Customers"), own={"items": [{"id": CUSTOMER, "name": "Acme"}]})
        },
        refusals=("INVALID_REQUEST", "PERMISSION_DENIED"),
    ),
)
describe(
    "subscriptions.api.explain.ExplainView",
    get=operation(
        "Ask why an event came or did not come",
        "Of an event, by its id or cursor, or of the newest event of a topic: name one of the two. The answer is about "
        "the credential that asks.",
        tag="Reading",
        name="explain",
        parameters=(
            query("event", TEXT, "The event's `id` or `cursor`."),
            query("topic", TEXT, f"A topic or pattern, such as `customer_id:{CUSTOMER}:call:*`."),
        ),
        good={
            200: good(
                "The answer, and the steps to it.",
                named("Explanation"),
                unheard={
                    "delivered": False,
                    "rule": "never-connected",
                    "reason": "No connection with this credential is known.",
                    "steps": [],
                },
            )
        },
        refusals=("INVALID_REQUEST", "PERMISSION_DENIED"),
    ),
)
describe(
    "subscriptions.api.actions.ActionsView",
    get=operation(
        "Ask what can be done",
        "Whether anything can be asked of the platform, and if not, why.",
        tag="Acting",
        name="readActions",
        parameters=[OF_CUSTOMER],
        good={
            200: good(
                "What can be done.",
                named("Actions"),
                all={"available": True, "reason": None, "call": list(CALL_ACTIONS), "message": True},
            )
        },
        refusals=READING,
    ),
)
describe(
    "subscriptions.api.actions.CallActionView",
    post=operation(
        "Act on a call",
        "`accept`: the credential's agent takes the call that rings. `transfer`: it goes to somebody else. "
        "`voicemail`, `hangup`: it goes there, or ends. What becomes of it comes back as events.",
        tag="Acting",
        name="actOnCall",
        parameters=(
            in_path("call_id", TEXT, "The call."),
            in_path("action", {"enum": list(CALL_ACTIONS)}, "What is to be done."),
            OF_CUSTOMER,
        ),
        body=named("CallOrder"),
        bodies={
            "to a queue": {"to": {"type": "queue", "id": "9d2b7c40-51aa-4c07-8e0e-6b1f2f3a4d55"}},
            "else": {},
        },
        good={
            200: good(
                "The platform does it.",
                named("CallAnswer"),
                done={"call_id": CALL, "action": "hangup", "platform": {}},
            )
        },
        refusals=(*READING, "CALL_OVER", "NOT_YOUR_CALL", "TOO_LARGE", *_PLATFORM_REFUSALS),
    ),
)
describe(
    "subscriptions.api.actions.MessagesView",
    post=operation(
        "Send a text message",
        tag="Acting",
        name="sendMessage",
        parameters=[OF_CUSTOMER],
        body=named("NewMessage"),
        bodies={"a message": {"to": "+15551234567", "text": "We call you back at ten."}},
        good={
            201: good(
                "The platform sends it.", named("MessageAnswer"), sent={"to": "+15551234567", "platform": {}}
            )
        },
        refusals=(*READING, "OPTED_OUT", "TOO_LARGE", *_PLATFORM_REFUSALS),
    ),
)
describe(
    "subscriptions.api.agent_status.AgentStatusView",
    get=operation(
        "Read an agent's status",
        tag="Acting",
        name="readAgentStatus",
        parameters=[_OF_AGENT],
        good={200: good("The status.", named("AgentStatus"), away=_STATUS_SHOWN)},
        refusals=("PERMISSION_DENIED", "NOT_FOUND"),
    ),
    put=operation(
        "Choose an agent's status",
        "It is stored, and published as `agent.status` with its `previous_status`, both or neither.",
        tag="Acting",
        name="chooseAgentStatus",
        parameters=[_OF_AGENT],
        body=named("StatusChoice"),
        bodies={"away": {"status": "away"}},
        good={
            200: good("It is so.", named("AgentStatus"), away=_STATUS_SHOWN),
            202: good(
                "It will be so once the agent's call is over.",
                named("AgentStatus"),
                later={**_STATUS_SHOWN, "status": "busy", "next_status": "away"},
            ),
        },
        refusals=(*READING, "STATUS_CHANGES", "TOO_LARGE", *_PLATFORM_REFUSALS),
    ),
)
