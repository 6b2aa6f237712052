"""Requests to publish and their responses: one table for the function, the endpoint, the view and the servers."""

# Long because one table holds every case.

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EVENTS, WEBHOOK = "/v1.0/events", "/v1.0/webhooks/voipbin"
CALL: dict[str, Any] = {"event_type": "call.status", "data": {"id": "c", "status": "answered"}}
KEYED = CALL | {"idempotency_key": "k"}
HOOK: dict[str, Any] = {"type": "call_ringing", "data": {"id": "4fbd4d6c-6a2c-4a4a-8c1c-0e9ab6cf2c3e"}}
STRANGER = "11111111-2222-4333-8444-555555555555"
KEY = "<the key>"
"""Stands for the access key of the publisher."""

RECEIPT = {"id": "…", "cursor": "…", "topics": ["customer_id:…:call:c"], "replayed": False}

Headers = Sequence[tuple[str, str]]


def encoded(value: Any) -> bytes:
    """The value as JSON."""
    return json.dumps(value).encode()


def refused(
    code: str, message: str, *, errors: Sequence[tuple[int | None, str, str]] | None = None
) -> dict[str, Any]:
    """The content of a refusal. `errors` have an index, a field and a message."""
    content: dict[str, Any] = {"code": code, "message": message}
    if errors is not None:
        content["errors"] = [dict(zip(("index", "field", "message"), each, strict=True)) for each in errors]
    return content


@dataclass(frozen=True)
class Case:
    """A request, and the status and content of its response; ids and cursors are `…`."""

    name: str
    status: int
    content: Any
    body: bytes = encoded(CALL)
    path: str = EVENTS
    query: str = ""
    authorization: str | None = f"Bearer {KEY}"
    headers: Headers = ()
    length: str | None = "right"
    may_publish: bool = True
    earlier: bytes | None = None
    """The body of a request that was published before."""
    indent: int | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        """The body of the response."""
        separators = (",", ":") if self.indent is None else (",", ": ")
        return json.dumps(self.content, indent=self.indent, separators=separators, ensure_ascii=False)

    @property
    def before(self) -> Case | None:
        """The request that was published before, with the same headers."""
        return self.earlier and Case("", 201, {}, self.earlier, path=self.path, headers=self.headers)  # type: ignore[return-value]

    @property
    def events(self) -> int:
        """How many events the request stores."""
        receipts = self.content if isinstance(self.content, list) else [self.content]
        return sum(not receipt.get("replayed", True) for receipt in receipts)

    @property
    def own_headers(self) -> dict[str, str]:
        """The headers of the response that are not those of every response."""
        return {"www-authenticate": 'Bearer realm="voipbin"'} if self.status == 401 else {}

    def sent_headers(self, key: str) -> list[tuple[str, str]]:
        """The headers of the request, with the publisher's access key."""
        length = str(len(self.body)) if self.length == "right" else self.length
        named = {"content-length": length, "authorization": self.authorization}
        given = [(name, value.replace(KEY, key)) for name, value in named.items() if value is not None]
        return [*given, *self.headers]


def without_rates(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without what is left of the publisher's rates, which changes; names in lower case."""
    lower = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in lower.items() if not name.startswith("ratelimit")}


def masked(text: str) -> str:
    """The body of a response without the ids and cursors of this very request."""
    text = re.sub(r'("(?:id|cursor)": ?)"[^"]+"', r'\1"…"', text)
    return re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "…", text)


UNKNOWN_KEY = refused("UNAUTHORIZED", "This access key is not known")
NOT_ACCEPTED = refused("INVALID_REQUEST", "Could not satisfy the request Accept header.")
NO_CREDENTIAL = refused(
    "UNAUTHORIZED", "Send a credential: Authorization: Bearer <JWT or access key>, or ?token="
)
NO_JWT_NOR_KEY = refused("UNAUTHORIZED", "This is neither a JWT nor an access key")
MAY_NOT_PUBLISH = refused(
    "PERMISSION_DENIED",
    "This credential may not publish: use an access key that may, or the token of an admin",
)
COMPRESSED = refused("UNSUPPORTED_MEDIA_TYPE", "Send the body as it is, without a Content-Encoding")
TOO_LARGE = refused("TOO_LARGE", "The body is larger than 10485760 bytes: publish in several requests")
EMPTY = refused(
    "INVALID_EVENT",
    "The body is empty: send an event, or a list of them, as JSON",
    errors=[(None, "", "the body is empty")],
)
NOT_JSON = "not JSON: Expecting property name enclosed in double quotes at line 1 column 2"
UNKNOWN_FIELD = (
    "unknown field: an event has event_type, customer_id, agent_ids, data, timestamp, idempotency_key, tags"
)
UNKNOWN_TYPE = (
    '"nonsense" is no event of a known resource: write <resource>_<action> in lower case, '
    "such as call_progressing"
)
TWO_KEYS = "the request has the header Idempotency-Key too: send one of the two"
USED_KEY = "this idempotency_key was used for another event: use a new key for each event"

CASES = [
    Case("one event", 201, RECEIPT),
    Case("a list of two", 201, [RECEIPT, RECEIPT], body=encoded([CALL, CALL])),
    Case(
        "a list of one, called text",
        201,
        [RECEIPT],
        body=encoded([CALL]),
        headers=[("content-type", "text/plain")],
    ),
    Case("a content type that is none", 201, RECEIPT, headers=[("content-type", "; charset=\xff")]),
    Case("a webhook", 201, RECEIPT | {"topics": ["customer_id:…:call:…"]}, path=WEBHOOK, body=encoded(HOOK)),
    Case("a token in the query", 201, RECEIPT, authorization=None, query=f"token={KEY}"),
    Case("an access key in the query", 201, RECEIPT, authorization=None, query=f"accesskey={KEY}"),
    Case(
        "a credential in the query and one in the header",
        401,
        refused("UNAUTHORIZED", "Send one credential: ?token=, ?accesskey= or Authorization, once"),
        authorization="Bearer nonsense",
        query=f"accesskey={KEY}",
    ),
    Case("unknown query parameters", 201, RECEIPT, query="colour=red&format=html"),
    Case(
        "JSON accepted indented", 201, RECEIPT, headers=[("accept", "application/json; indent=4")], indent=4
    ),
    Case(
        "a refusal accepted indented",
        401,
        UNKNOWN_KEY,
        authorization="Bearer vb_x",
        headers=[("accept", "application/json; indent=4")],
        indent=4,
    ),
    Case("JSON accepted in a version", 201, RECEIPT, headers=[("accept", "application/json; version=1")]),
    Case("JSON accepted after HTML", 201, RECEIPT, headers=[("accept", "text/html, */*;q=0.1")]),
    Case("any application accepted", 201, RECEIPT, headers=[("accept", "application/*")]),
    Case("accepted twice", 201, RECEIPT, headers=[("accept", "text/html"), ("accept", "application/json")]),
    Case("nothing accepted", 406, NOT_ACCEPTED, headers=[("accept", "")]),
    Case("HTML accepted", 406, NOT_ACCEPTED, headers=[("accept", "text/html")]),
    Case("an Accept header that is none", 406, NOT_ACCEPTED, headers=[("accept", ";;,/\xff")]),
    Case(
        "HTML accepted and no credential",
        406,
        NOT_ACCEPTED,
        authorization=None,
        headers=[("accept", "text/html")],
    ),
    Case("no credential", 401, NO_CREDENTIAL, authorization=None),
    Case("no credential and no body", 401, NO_CREDENTIAL, authorization=None, body=b""),
    Case("an empty bearer", 401, NO_CREDENTIAL, authorization="Bearer "),
    Case("an empty authorization", 401, NO_CREDENTIAL, authorization=""),
    Case("an unknown key", 401, UNKNOWN_KEY, authorization="Bearer vb_" + "x" * 32),
    Case("a malformed credential", 401, NO_JWT_NOR_KEY, authorization="Bearer x"),
    Case("a credential beyond ASCII", 401, NO_JWT_NOR_KEY, authorization="Bearer \xff"),
    Case("a bad token", 401, refused("UNAUTHORIZED", "This is not a JWT"), authorization="Bearer a.b.c"),
    Case(
        "another scheme",
        401,
        refused("UNAUTHORIZED", "Send the credential as Authorization: Bearer <JWT or access key>"),
        authorization="Basic eA==",
    ),
    Case(
        "two credentials in the query",
        401,
        refused("UNAUTHORIZED", "Send one credential: ?token=, ?accesskey= or Authorization, once"),
        query=f"token={KEY}&accesskey={KEY}",
    ),
    Case("two credentials in the headers", 401, UNKNOWN_KEY, headers=[("authorization", "Bearer x")]),
    Case("a key that may not publish", 403, MAY_NOT_PUBLISH, may_publish=False),
    Case("a key that may not publish and no body", 403, MAY_NOT_PUBLISH, may_publish=False, body=b""),
    Case(
        "another customer's event",
        403,
        refused(
            "PERMISSION_DENIED",
            "Only platform staff publish for another customer",
            errors=[
                (0, "customer_id", "your credential publishes for its own customer alone, …: leave it out")
            ],
        ),
        body=encoded(CALL | {"customer_id": STRANGER}),
    ),
    Case("a compressed body", 415, COMPRESSED, headers=[("content-encoding", "gzip")]),
    Case(
        "a compressed body and no credential",
        401,
        NO_CREDENTIAL,
        authorization=None,
        headers=[("content-encoding", "gzip")],
    ),
    Case("a body that is not encoded", 201, RECEIPT, headers=[("content-encoding", " Identity ")]),
    Case(
        "a body that is twice not encoded",
        415,
        COMPRESSED,
        headers=[("content-encoding", "identity"), ("content-encoding", "identity")],
    ),
    Case("a length beyond all limits", 413, TOO_LARGE, length="9" * 30),
    Case("a length that is no number", 413, TOO_LARGE, length="1e3"),
    Case("a length above the limit", 413, TOO_LARGE, length=str(10 * 2**20 + 1)),
    Case("no length", 201, RECEIPT, length=None),
    Case("an understated length", 201, RECEIPT, length="0"),
    Case("an empty length", 201, RECEIPT, length=""),
    Case("a body above the limit", 413, TOO_LARGE, body=b"x" * (10 * 2**20 + 1)),
    Case(
        "a body above the limit, without a length", 413, TOO_LARGE, body=b"x" * (10 * 2**20 + 1), length=None
    ),
    Case(
        "a body above the limit and no credential",
        401,
        NO_CREDENTIAL,
        authorization=None,
        body=b"x" * (10 * 2**20 + 1),
    ),
    Case("no body", 400, EMPTY, body=b""),
    Case("a blank body", 400, EMPTY, body=b" \n"),
    Case(
        "no JSON",
        400,
        refused(
            "INVALID_EVENT",
            f"The body is no JSON that can be published: {NOT_JSON}",
            errors=[(None, "", NOT_JSON)],
        ),
        body=b"{",
    ),
    Case(
        "no UTF-8",
        400,
        refused(
            "INVALID_EVENT",
            "The body is no JSON that can be published: not UTF-8 at byte 0",
            errors=[(None, "", "not UTF-8 at byte 0")],
        ),
        body=b"\xff",
    ),
    Case(
        "not a number",
        400,
        refused(
            "INVALID_EVENT",
            "The body is no JSON that can be published: NaN is no JSON value: send null or a string",
            errors=[(None, "", "NaN is no JSON value: send null or a string")],
        ),
        body=b'{"event_type": "call.status", "data": {"id": "x", "n": NaN}}',
    ),
    Case(
        "no object",
        400,
        refused(
            "INVALID_EVENT",
            "item: an event is a JSON object with event_type and data; nothing was stored",
            errors=[(0, "", "an event is a JSON object with event_type and data")],
        ),
        body=b"null",
    ),
    Case(
        "no data",
        400,
        refused(
            "INVALID_EVENT",
            "data: required: a JSON object with at least the resource's id; nothing was stored",
            errors=[(0, "data", "required: a JSON object with at least the resource's id")],
        ),
        body=b'{"event_type": "call.status"}',
    ),
    Case(
        "a second event that is none",
        400,
        refused(
            "INVALID_EVENT",
            f"x: {UNKNOWN_FIELD}; nothing was stored",
            errors=[
                (
                    1,
                    "x",
                    UNKNOWN_FIELD,
                ),
                (1, "event_type", '"c\ufffdé" is no known resource such as call, message or queue'),
            ],
        ),
        body=encoded([CALL, {"event_type": "c\u2028é.x", "data": {"id": "a"}, "x": 1}]),
    ),
    Case(
        "an empty list",
        400,
        refused("INVALID_EVENT", "The list is empty: send at least one event", errors=[]),
        body=b"[]",
    ),
    Case(
        "too many events",
        413,
        refused("TOO_LARGE", "1001 events in one request, 1000 are the most"),
        body=encoded([CALL] * 1001),
    ),
    Case(
        "a key used for another event",
        409,
        refused(
            "IDEMPOTENCY_CONFLICT",
            USED_KEY,
            errors=[
                (
                    1,
                    "idempotency_key",
                    USED_KEY,
                )
            ],
        ),
        body=encoded([CALL, KEYED | {"event_type": "call.ended"}]),
        earlier=encoded(KEYED),
    ),
    Case(
        "a key used for the same event",
        201,
        RECEIPT | {"replayed": True},
        body=encoded(KEYED),
        earlier=encoded(KEYED),
    ),
    Case(
        "a webhook sent again",
        201,
        RECEIPT | {"topics": ["customer_id:…:call:…"], "replayed": True},
        path=WEBHOOK,
        body=encoded(HOOK),
        earlier=encoded(HOOK),
    ),
    Case(
        "a webhook with other bytes",
        201,
        RECEIPT | {"topics": ["customer_id:…:call:…"]},
        path=WEBHOOK,
        body=encoded(HOOK) + b" ",
        earlier=encoded(HOOK),
    ),
    Case(
        "a byte-order mark",
        201,
        RECEIPT,
        body=b"\xef\xbb\xbf" + encoded(CALL),
    ),
    Case(
        "an event with a key in the header, sent again",
        201,
        RECEIPT | {"replayed": True},
        headers=[("idempotency-key", "h")],
        earlier=encoded(CALL),
    ),
    Case(
        "another event with the key of a header",
        409,
        refused("IDEMPOTENCY_CONFLICT", USED_KEY, errors=[(0, "idempotency_key", USED_KEY)]),
        headers=[("idempotency-key", "h")],
        body=encoded(CALL | {"event_type": "call.ended"}),
        earlier=encoded(CALL),
    ),
    Case(
        "a list with a key in the header, sent again",
        201,
        [RECEIPT | {"replayed": True}] * 2,
        headers=[("idempotency-key", "h")],
        body=encoded([CALL, CALL]),
        earlier=encoded([CALL, CALL]),
    ),
    Case(
        "one key in header and body",
        201,
        RECEIPT | {"replayed": True},
        headers=[("idempotency-key", "k")],
        body=encoded(KEYED),
        earlier=encoded(KEYED),
    ),
    Case(
        "a key in the header and another in the body",
        400,
        refused(
            "INVALID_EVENT",
            f"idempotency_key: {TWO_KEYS}; nothing was stored",
            errors=[(0, "idempotency_key", TWO_KEYS)],
        ),
        headers=[("idempotency-key", "h")],
        body=encoded(KEYED),
    ),
    Case(
        "a key in the header of a list, of which an event has one",
        400,
        refused(
            "INVALID_EVENT",
            f"idempotency_key: {TWO_KEYS}; nothing was stored",
            errors=[(1, "idempotency_key", TWO_KEYS)],
        ),
        headers=[("idempotency-key", "k")],
        body=encoded([CALL, KEYED]),
    ),
    Case(
        "a webhook with two keys",
        201,
        RECEIPT | {"topics": ["customer_id:…:call:…"]},
        path=WEBHOOK,
        body=encoded(HOOK),
        headers=[("idempotency-key", "a"), ("idempotency-key", "b")],
    ),
    Case(
        "a webhook with an empty key",
        400,
        refused(
            "INVALID_EVENT",
            "idempotency_key: write a string of 1 to 255 characters; nothing was stored",
            errors=[(0, "idempotency_key", "write a string of 1 to 255 characters")],
        ),
        path=WEBHOOK,
        body=encoded(HOOK),
        headers=[("idempotency-key", "")],
    ),
    Case(
        "no webhook",
        400,
        refused(
            "INVALID_EVENT",
            f"type: {UNKNOWN_TYPE}; nothing was stored",
            errors=[
                (
                    0,
                    "type",
                    UNKNOWN_TYPE,
                ),
                (0, "data", "required: the resource, a JSON object with at least its id"),
            ],
        ),
        path=WEBHOOK,
        body=b'{"type": "nonsense"}',
    ),
    Case(
        "headers with underscores",
        201,
        RECEIPT,
        headers=[("content_length", "9999999999"), ("content_encoding", "gzip")],
    ),
    Case("a cookie", 201, RECEIPT, headers=[("cookie", "sessionid=abc; csrftoken=x")]),
]
