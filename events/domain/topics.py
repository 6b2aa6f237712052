"""Topics (where an event happened) and patterns (topics with wildcards): their grammar, and what covers what.

A topic is `<scope>:<scope_id>:<resource>:<resource_id>`, as VoIPBIN's WebSocket API publishes it. A pattern
has `*` for the resource, the resource id, or both; VoIPBIN's own clients write the prefixes
`<scope>:<scope_id>` and `<scope>:<scope_id>:<resource>` and mean the same.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass

CUSTOMER_SCOPE = "customer_id"
AGENT_SCOPE = "agent_id"
SCOPES = (CUSTOMER_SCOPE, AGENT_SCOPE)
ANY = "*"

PUBLISHED_RESOURCES = (
    "call",
    "message",
    "activeflow",
    "conference",
    "queue",
    "agent",
    "recording",
    "transcription",
)
"""The resources that the published WebSocket API names."""

PLATFORM_RESOURCES = (
    *("queuecall", "conferencecall", "groupcall", "confbridge", "conversation", "email", "campaign"),
    *(
        "campaigncall",
        "outdial",
        "number",
        "flow",
        "aicall",
        "transcribe",
        "transcript",
        "chat",
        "chatmessage",
    ),
    *(
        "webchat",
        "tag",
        "contact",
        "customer",
        "account",
        "accesskey",
        "billing",
        "provider",
        "route",
        "trunk",
    ),
    *("extension", "file", "summary", "team", "speaking", "pipecatcall", "schedule"),
)
"""The other resources of VoIPBIN, known by name."""

MAX_RESOURCE_ID_LENGTH = 128
"""Characters. Far above a UUID's 36; it bounds an index key and a database column."""

RESOURCE_ID_CHARACTERS = "letters, digits and . _ ~ @ + = / -"
"""What a resource id is made of, in words."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_RESOURCE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_RESOURCE_ID = re.compile(r"[A-Za-z0-9._~@+=/-]{1,128}", re.ASCII)
_NIL_UUID = "00000000-0000-0000-0000-000000000000"


class InvalidTopic(ValueError):
    """The text is no topic and no pattern; the message says what is wrong and what is right."""


def is_canonical_uuid(text: str) -> bool:
    """Whether `text` is a UUID as RFC 9562 prints it: lower case, with dashes, nothing around it.

    Python's own `UUID()` is more lenient (braces, `urn:`, no dashes): two spellings of one id would be two
    topics.
    """
    return _UUID.fullmatch(text) is not None


def is_nil_uuid(text: str) -> bool:
    """Whether `text` is the nil UUID, by which VoIPBIN says "none"."""
    return text == _NIL_UUID


def is_resource_name(text: str) -> bool:
    """Whether `text` has the form of a resource's name (known or not)."""
    return _RESOURCE_NAME.fullmatch(text) is not None


def is_resource_id(text: str) -> bool:
    """Whether `text` can stand as the last part of a topic."""
    return _RESOURCE_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A subscription's address: a topic whose resource and resource id may be `*`."""

    scope: str
    scope_id: str
    resource: str
    resource_id: str

    @classmethod
    def from_canonical(cls, text: str) -> Pattern:
        """The pattern, or the topic, whose canonical form this is."""
        return cls(*text.split(":", 3))

    def __str__(self) -> str:
        return f"{self.scope}:{self.scope_id}:{self.resource}:{self.resource_id}"

    @property
    def is_whole_topic(self) -> bool:
        """Whether there is no wildcard in it, so that it covers one topic only."""
        return self.resource != ANY and self.resource_id != ANY

    def covers(self, topic: str) -> bool:
        """Whether an event with this concrete topic belongs to the pattern."""
        return str(self) in covering_patterns(topic)


def covering_patterns(topic: str) -> tuple[str, str, str, str]:
    """The four patterns, in canonical form, that cover a concrete topic: itself and its three wildcards.

    An event finds its subscriptions by looking these up: its cost does not grow with the number of patterns.
    """
    scope, scope_id, resource, resource_id = topic.split(":", 3)
    owner = f"{scope}:{scope_id}"
    return (topic, f"{owner}:{resource}:*", f"{owner}:*:*", f"{owner}:*:{resource_id}")


def customer_topic(customer_id: str, resource: str, resource_id: str) -> str:
    """The topic that every event of a customer has."""
    return f"{CUSTOMER_SCOPE}:{customer_id}:{resource}:{resource_id}"


def agent_topic(agent_id: str, resource: str, resource_id: str) -> str:
    """The topic that an event has for each agent whom it concerns."""
    return f"{AGENT_SCOPE}:{agent_id}:{resource}:{resource_id}"


def known_resources(extra: Collection[str] = ()) -> frozenset[str]:
    """Every resource name that a topic may have; `extra` is what the operator's setting adds."""
    return frozenset((*PUBLISHED_RESOURCES, *PLATFORM_RESOURCES, *extra))


def parse_pattern(text: str, resources: Collection[str]) -> Pattern:
    """Read a topic or pattern as a client writes it.

    `resources` are the known resource names.

    Raises:
        InvalidTopic: with a message for the client.
    """
    parts = text.split(":")
    if len(parts) < 2 or len(parts) > 4:
        raise InvalidTopic(
            "A topic is <scope>:<scope_id>:<resource>:<resource_id>, such as "
            "customer_id:12345678-1234-1234-1234-123456789012:call:*"
        )
    scope, scope_id, *rest = parts
    if scope not in SCOPES:
        raise InvalidTopic(
            f"{quoted(scope)} is no scope: write customer_id or agent_id{did_you_mean(scope, SCOPES)}"
        )
    if not is_canonical_uuid(scope_id):
        raise InvalidTopic(
            f"{quoted(scope_id)} is no {scope.removesuffix('_id')} id: "
            "write a UUID in lower case with dashes, such as 12345678-1234-1234-1234-123456789012"
        )
    resource = rest[0] if rest else ANY
    resource_id = rest[1] if len(rest) > 1 else ANY
    if resource != ANY and resource not in resources:
        raise InvalidTopic(
            f"{quoted(resource)} is no known resource: write * or a name such as call, message or queue"
            f"{did_you_mean(resource, resources)}"
        )
    if resource_id != ANY and not is_resource_id(resource_id):
        raise InvalidTopic(
            f"{quoted(resource_id)} is no resource id: write * for all, or an id of 1 to "
            f"{MAX_RESOURCE_ID_LENGTH} {RESOURCE_ID_CHARACTERS}"
        )
    return Pattern(scope, scope_id, resource, resource_id)


def did_you_mean(text: str, choices: Collection[str]) -> str:
    """The choice that is most like `text`, as the end of a message about it; empty where none is like it."""
    found = difflib.get_close_matches(text[:64].lower(), choices, n=1, cutoff=0.6)
    return f" (did you mean {found[0]}?)" if found else ""


def quoted(text: str) -> str:
    """The sender's own text, short and printable, for a message about it."""
    shown = text if len(text) <= 64 else text[:61] + "..."
    return '"' + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown) + '"'
