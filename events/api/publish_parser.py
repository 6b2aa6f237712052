"""Parsing the bodies of publish requests: events, and VoIPBIN's webhooks."""

# Long because the parsers of all forms share the checks of their items.

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from rest_framework import status

from events.api.errors import ApiError
from events.cloudevents.attributes import BATCH, STRUCTURED
from events.cloudevents.incoming import binary_event, is_binary, read_cloud_event
from events.domain.event import Draft
from events.domain.event_parser import InvalidEvent, read_event
from events.domain.strict_json import InvalidJson, decode
from events.domain.topics import covering_patterns, customer_topic, known_resources
from events.domain.voipbin_webhooks import read_webhook
from events.quotas.limits import Quotas, Rates

SIGNATURE_HEADER = "X-VoIPBIN-Signature"
KEY_HEADER = "Idempotency-Key"
MAX_NAMED_TOPICS = 5
"""Allowed topics of a key that a refusal names."""


class Publisher(Protocol):
    """The identity of a publisher, as far as publishing needs it.

    `quotas` are its customer's, `rates` those of the credential alone.
    """

    @property
    def customer_id(self) -> str: ...

    @property
    def may_publish(self) -> bool: ...

    @property
    def is_platform_staff(self) -> bool: ...

    @property
    def allowed_topics(self) -> frozenset[str] | None: ...

    @property
    def credential_id(self) -> str: ...

    @property
    def quotas(self) -> Quotas: ...

    @property
    def rates(self) -> Rates: ...


class ParsedRequest(NamedTuple):
    """The drafts of one request; `is_list`: the body was a list, so the response is one."""

    drafts: list[Draft]
    is_list: bool


Parser = Callable[[Publisher, Mapping[str, str], bytes], ParsedRequest]
"""Parses a request of this publisher, with these headers and this body.

Raises:
    ApiError: The request is refused, with every reason.
"""


def require_may_publish(publisher: Publisher) -> None:
    """Refuse an identity that may not publish.

    Raises:
        ApiError: The identity may not publish.
    """
    if not publisher.may_publish:
        raise ApiError(
            status.HTTP_403_FORBIDDEN,
            "This credential may not publish: use an access key that may, or the token of an admin",
        )


def parse_events(publisher: Publisher, headers: Mapping[str, str], body: bytes) -> ParsedRequest:
    """Parse a request to `/v1.0/events`: events, or by its headers CloudEvents."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type.startswith("application/cloudevents") or is_binary(headers):
        return _parse_cloud_events(publisher, headers, body, media_type)
    content = _decoded(body)
    is_list = isinstance(content, list)
    items = content if is_list else [content]
    _check_number(items)
    if (key := headers.get(KEY_HEADER.lower())) is not None:
        items = _with_keys(items, [f"{key}:{index}" for index in range(len(items))] if is_list else [key])
    return ParsedRequest(_drafts(items, publisher, read_event), is_list)


def _parse_cloud_events(
    publisher: Publisher, headers: Mapping[str, str], body: bytes, media_type: str
) -> ParsedRequest:
    if KEY_HEADER.lower() in headers:
        raise _invalid(
            None, KEY_HEADER, "the id and source of a CloudEvent identify it: leave this header out"
        )
    if media_type == BATCH:
        items = _decoded(body)
        if not isinstance(items, list):
            raise _invalid(None, "", f"the body of {BATCH} is a list of CloudEvents")
        _check_number(items)
        return ParsedRequest(_drafts(items, publisher, read_cloud_event), is_list=True)
    if media_type == STRUCTURED:
        item = _decoded(body)
    elif media_type.startswith("application/cloudevents"):
        raise ApiError(
            status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
            f"CloudEvents are accepted in the JSON format only: send {STRUCTURED} or {BATCH}",
        )
    else:
        try:
            item = binary_event(headers, body)
        except InvalidEvent as error:
            raise _invalid(0, error.problems[0].field, error.problems[0].message) from None
    return ParsedRequest(_drafts([item], publisher, read_cloud_event), is_list=False)


def _invalid(index: int | None, field: str, message: str) -> ApiError:
    return ApiError(
        status.HTTP_400_BAD_REQUEST,
        f"{field or 'body'}: {message}; nothing was stored",
        code="INVALID_EVENT",
        errors=[{"index": index, "field": field, "message": message}],
    )


def _check_number(items: Sequence[object]) -> None:
    """Refuse a list that is empty or too long.

    Raises:
        ApiError: With the reason.
    """
    most = settings.EVENTS_MAX_IN_REQUEST
    if not items:
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            "The list is empty: send at least one event",
            code="INVALID_EVENT",
            errors=[],
        )
    if len(items) > most:
        raise ApiError(
            status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
            f"{len(items)} events in one request, {most} are the most",
        )


def parse_webhook(publisher: Publisher, headers: Mapping[str, str], body: bytes) -> ParsedRequest:
    """Parse a request to `/v1.0/webhooks/voipbin`: one webhook of VoIPBIN."""
    _check_signature(headers, body)
    # The body of a webhook has no idempotency key. Without the header, one that is sent again is known by its bytes.
    key, seconds = headers.get(KEY_HEADER.lower()), settings.EVENTS_WEBHOOK_REPEAT_SECONDS
    if by_bytes := key is None and seconds > 0:
        key = f"webhook:sha256:{hashlib.sha256(body).hexdigest()}"
    read = partial(read_webhook, beside={} if key is None else {"idempotency_key": key})
    drafts = _drafts([_decoded(body)], publisher, read)
    if by_bytes:
        drafts = [replace(draft, repeat_seconds=seconds) for draft in drafts]
    return ParsedRequest(drafts, is_list=False)


def _with_keys(items: Sequence[object], keys: Sequence[str]) -> list[object]:
    """Add the keys of the header to the items.

    Raises:
        ApiError: An item has another key of its own.
    """
    taken = [
        index
        for index, (item, key) in enumerate(zip(items, keys, strict=True))
        if isinstance(item, dict) and item.get("idempotency_key") not in (None, key)
    ]
    if taken:
        message = f"the request has the header {KEY_HEADER} too: send one of the two"
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            f"idempotency_key: {message}; nothing was stored",
            code="INVALID_EVENT",
            errors=[{"index": index, "field": "idempotency_key", "message": message} for index in taken],
        )
    return [
        {**item, "idempotency_key": key} if isinstance(item, dict) else item
        for item, key in zip(items, keys, strict=True)
    ]


def _decoded(body: bytes) -> Any:
    try:
        return decode(body)
    except InvalidJson as error:
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            f"The body is no JSON that can be published: {error}",
            code="INVALID_EVENT",
            errors=[{"index": None, "field": "", "message": str(error)}],
        ) from None


def _drafts(items: list[object], publisher: Publisher, read: Callable[..., Draft]) -> list[Draft]:
    """Parse all items and collect the errors of each.

    Raises:
        ApiError: Some item is no event, or of another customer than the publisher's.
    """
    resources = known_resources(settings.EVENTS_EXTRA_RESOURCES)
    drafts: list[Draft] = []
    errors: list[dict[str, Any]] = []
    foreign: list[dict[str, Any]] = []
    outside: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            draft = read(
                item,
                customer_id=publisher.customer_id,
                resources=resources,
                max_bytes=settings.EVENTS_MAX_DATA_BYTES,
            )
        except InvalidEvent as error:
            errors.extend(
                {"index": index, "field": problem.field, "message": problem.message}
                for problem in error.problems
            )
            continue
        if draft.customer_id != publisher.customer_id and not publisher.is_platform_staff:
            message = (
                f"your credential publishes for its own customer alone, {publisher.customer_id}: leave it out"
            )
            foreign.append({"index": index, "field": "customer_id", "message": message})
        if not _is_allowed(draft, publisher.allowed_topics):
            message = f"this access key is narrowed to topics that do not cover {_topic_of(draft)}"
            outside.append({"index": index, "field": "event_type", "message": message})
        drafts.append(draft)
    if errors:
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            f"{errors[0]['field'] or 'item'}: {errors[0]['message']}; nothing was stored",
            code="INVALID_EVENT",
            errors=errors,
        )
    if foreign:
        raise ApiError(
            status.HTTP_403_FORBIDDEN, "Only platform staff publish for another customer", errors=foreign
        )
    if outside:
        allowed = ", ".join(sorted(publisher.allowed_topics or ())[:MAX_NAMED_TOPICS])
        raise ApiError(
            status.HTTP_403_FORBIDDEN,
            f"This access key publishes only what its allowed topics cover: {allowed}; nothing was stored",
            errors=outside,
        )
    return drafts


def _topic_of(draft: Draft) -> str:
    return customer_topic(draft.customer_id, draft.resource, draft.resource_id)


def _is_allowed(draft: Draft, allowed: frozenset[str] | None) -> bool:
    """Return whether the allowed topics cover the event's customer topic."""
    return allowed is None or not allowed.isdisjoint(covering_patterns(_topic_of(draft)))


def _check_signature(headers: Mapping[str, str], body: bytes) -> None:
    """Refuse a webhook without a valid signature, if a secret is set.

    The credential proves the customer; the signature proves that VoIPBIN sent the body, unchanged.

    Raises:
        ApiError: The signature is missing or does not match.
    """
    secret = settings.EVENTS_VOIPBIN_WEBHOOK_SECRET
    if not secret:
        return
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = headers.get(SIGNATURE_HEADER.lower(), "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise ApiError(
            status.HTTP_401_UNAUTHORIZED,
            f"{SIGNATURE_HEADER} is missing or does not fit: send sha256=<hex HMAC of the body> with the shared secret",
        )
