"""Topics and patterns (topics with wildcards): their grammar, and what covers what.

A topic is `<scope>:<scope_id>:<resource>:<resource_id>`, as in VoIPBIN's WebSocket API. A pattern has `*` for the
resource, the resource id, or both; VoIPBIN's own clients write the prefixes `<scope>:<scope_id>` and
`<scope>:<scope_id>:<resource>` with the same meaning.
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
    "sla",
)
"""The resources with agreed event types: those of the published WebSocket API, and `sla` of the gateway itself."""

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
"""The other resources of VoIPBIN."""

SUMMARY_RESOURCE = "summary"
"""The resource under which the gateway sends summaries of queues; VoIPBIN publishes summaries of calls under it."""

SUMMARY_OF_ALL = "all"
"""The resource id of the summary of all queues."""

MAX_RESOURCE_ID_LENGTH = 128
"""In characters: far above a UUID's 36; the limit of an index key and a database column."""

RESOURCE_ID_CHARACTERS = "letters, digits and . _ ~ @ + = / -"
"""The characters of a resource id, for messages."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_RESOURCE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_RESOURCE_ID = re.compile(r"[A-Za-z0-9._~@+=/-]{1,128}", re.ASCII)
_NIL_UUID = "00000000-0000-0000-0000-000000000000"


class InvalidTopic(ValueError):
    """The text is no topic or pattern; the message says what is wrong and what is right."""


def is_canonical_uuid(text: str) -> bool:
    """Return whether `text` is a UUID as RFC 9562 prints it: lower case, with dashes.

    Python's `UUID()` also accepts braces, `urn:` and no dashes: two spellings of one id would be two topics.
    """
    return _UUID.fullmatch(text) is not None


def is_nil_uuid(text: str) -> bool:
    """Return whether `text` is the nil UUID, which means "none" in VoIPBIN's data."""
    return text == _NIL_UUID


def is_resource_name(text: str) -> bool:
    """Return whether `text` has the form of a resource name, known or not."""
    return _RESOURCE_NAME.fullmatch(text) is not None


def is_resource_id(text: str) -> bool:
    """Return whether `text` can be the resource id of a topic."""
    return _RESOURCE_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A topic whose resource and resource id may be `*`, to which a client subscribes."""

    scope: str
    scope_id: str
    resource: str
    resource_id: str

    @classmethod
    def from_canonical(cls, text: str) -> Pattern:
        """Return the pattern or topic with this canonical form."""
        return cls(*text.split(":", 3))

    def __str__(self) -> str:
        return f"{self.scope}:{self.scope_id}:{self.resource}:{self.resource_id}"

    @property
    def is_whole_topic(self) -> bool:
        """Whether the pattern has no wildcard and covers one topic only."""
        return self.resource != ANY and self.resource_id != ANY

    def covers(self, topic: str) -> bool:
        """Return whether the pattern covers this topic."""
        return str(self) in covering_patterns(topic)


def covering_patterns(topic: str) -> tuple[str, str, str, str]:
    """Return the four patterns that cover a topic, in canonical form, itself first.

    Subscribers are found by these four look-ups, whose cost does not grow with the number of patterns.
    """
    scope, scope_id, resource, resource_id = topic.split(":", 3)
    owner = f"{scope}:{scope_id}"
    return (topic, f"{owner}:{resource}:*", f"{owner}:*:*", f"{owner}:*:{resource_id}")


def customer_topic(customer_id: str, resource: str, resource_id: str) -> str:
    """Return the topic that every event of a customer has."""
    return f"{CUSTOMER_SCOPE}:{customer_id}:{resource}:{resource_id}"


def agent_topic(agent_id: str, resource: str, resource_id: str) -> str:
    """Return the topic that an event has for each agent whom it concerns."""
    return f"{AGENT_SCOPE}:{agent_id}:{resource}:{resource_id}"


def known_resources(extra: Collection[str] = ()) -> frozenset[str]:
    """Return every resource name that a topic may have; `extra` are those of the setting."""
    return frozenset((*PUBLISHED_RESOURCES, *PLATFORM_RESOURCES, *extra))


def parse_pattern(text: str, resources: Collection[str]) -> Pattern:
    """Parse a topic or pattern of a client; `resources` are the known resource names.

    Raises:
        InvalidTopic: With a message for the client.
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
    """Return a hint at the choice most similar to `text`, as the end of a message, or ""."""
    found = difflib.get_close_matches(text[:64].lower(), choices, n=1, cutoff=0.6)
    return f" (did you mean {found[0]}?)" if found else ""


def quoted(text: str) -> str:
    """Quote a client's text, short and printable, for a message about it."""
    shown = text if len(text) <= 64 else text[:61] + "..."
    return '"' + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown) + '"'
