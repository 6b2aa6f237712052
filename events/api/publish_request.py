"""Publishing over HTTP: a batch of requests, one commit, and a response to each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from rest_framework import status
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from structlog.contextvars import bound_contextvars

from events.api.errors import ApiError, exception_handler, failure_message
from events.api.publish_parser import ParsedRequest, Parser, Publisher, require_may_publish
from events.api.publish_quotas import Usage
from events.api.publish_validation import check_data
from events.api.request_body import require_size
from events.log.idempotency import IdempotencyConflict
from events.log.log_locks import LogLocked
from events.log.publish import Publication, Receipt, StorageFull, publish_each
from events.log.publish_rates import RateExceeded

logger = logging.getLogger(__name__)

P = TypeVar("P", bound=Publisher)

STORAGE_FULL_RETRY_SECONDS = 60

LOG_WAIT_SECONDS = 5.0
"""How long a request waits for a log that another transaction holds, before its response is 503."""

_RENDERER = JSONRenderer()


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """One HTTP request to publish.

    The names of `headers` are in lower case, or the mapping ignores case. The authentication uses `query`, the query
    string, and `address`, the client's network address.
    """

    parse: Parser
    headers: Mapping[str, str]
    body: bytes
    query: str
    address: str
    request_id: str


@dataclass(frozen=True, slots=True)
class PublishResponse(Generic[P]):
    """The JSON response to one request. `identity` is `None` if authentication failed."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    identity: P | None


class _Accepted(NamedTuple, Generic[P]):
    """A request that can be stored; `place` is its index among all."""

    place: int
    identity: P
    parsed: ParsedRequest
    usage: Usage
    publication: Publication
    warnings: Mapping[int, tuple[str, ...]]


def publish_all(
    requests: Sequence[PublishRequest],
    authenticate: Callable[[PublishRequest], P],
    *,
    wait_seconds: float = LOG_WAIT_SECONDS,
) -> list[PublishResponse[P]]:
    """Publish these requests in one commit, each completely or not at all.

    Returns the response to each request, in their order; no request raises. `authenticate` returns the identity of a
    request, or raises REST framework's AuthenticationFailed. `wait_seconds`, more than 0, is how long it waits for logs
    that other transactions hold.
    """
    responses = _publish(requests, authenticate, wait_seconds)
    return [response for response in responses if response is not None]


def publish_unlocked(
    requests: Sequence[PublishRequest], authenticate: Callable[[PublishRequest], P]
) -> list[PublishResponse[P] | None]:
    """Publish, as `publish_all` does, the requests whose logs no other transaction holds.

    The others have the response `None`: nothing of them was stored.
    """
    return _publish(requests, authenticate, 0.0)


def _publish(
    requests: Sequence[PublishRequest], authenticate: Callable[[PublishRequest], P], wait_seconds: float
) -> list[PublishResponse[P] | None]:
    responses: list[PublishResponse[P] | None] = [None] * len(requests)
    accepted: list[_Accepted[P]] = []
    try:
        for index, request in enumerate(requests):
            identity = None
            try:
                _require_acceptable(request)
                identity = authenticate(request)
                require_may_publish(identity)
                _check_body(request)
                usage, size = Usage(identity), len(request.body)
                usage.take_size(size)
                parsed = request.parse(identity, request.headers, request.body)
                max_stored = usage.take_events(parsed.drafts, size)
                warnings = check_data(parsed.drafts, usage.quotas)
                publication = Publication(parsed.drafts, max_stored_bytes=max_stored)
                accepted.append(_Accepted(index, identity, parsed, usage, publication, warnings))
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:
                responses[index] = refusal(request, error, identity)
    except (OperationalError, InterfaceError) as error:
        # The database does not answer: each of the other requests would wait as long.
        for each in accepted:
            each.usage.give_back()
        return [
            response or refusal(request, error) for request, response in zip(requests, responses, strict=True)
        ]
    results = publish_each([each.publication for each in accepted], wait_seconds=wait_seconds)
    for each, result in zip(accepted, results, strict=True):
        if isinstance(result, LogLocked | OperationalError | InterfaceError):
            each.usage.give_back()
        if isinstance(result, LogLocked):
            continue
        if isinstance(result, Exception):
            responses[each.place] = refusal(requests[each.place], result, each.identity)
        else:
            responses[each.place] = _created(requests[each.place], each, result)
    return responses


def admit(request: PublishRequest, authenticate: Callable[[PublishRequest], P]) -> P | PublishResponse[P]:
    """Check a request before its body is read: return its identity, or its refusal."""
    identity = None
    try:
        _require_acceptable(request)
        identity = authenticate(request)
        require_may_publish(identity)
        _check_announced_body(request)
    except Exception as error:
        return refusal(request, error, identity)
    return identity


def refusal(request: PublishRequest, error: Exception, identity: P | None = None) -> PublishResponse[P]:
    """Return the error response to a request; log the error if it is a defect."""
    if isinstance(error, IdempotencyConflict):
        problem = {"index": error.index, "field": "idempotency_key", "message": str(error)}
        error = ApiError(status.HTTP_409_CONFLICT, str(error), errors=[problem])
    elif isinstance(error, RateExceeded):
        error = ApiError(status.HTTP_429_TOO_MANY_REQUESTS, str(error), retry_after=error.wait_seconds)
    elif isinstance(error, StorageFull):
        error = ApiError(
            status.HTTP_507_INSUFFICIENT_STORAGE, str(error), retry_after=STORAGE_FULL_RETRY_SECONDS
        )
    with bound_contextvars(request_id=request.request_id):
        response = exception_handler(error, {})
        if response is None:
            logger.error("A request failed", exc_info=error)
            content = {"code": "INTERNAL_ERROR", "message": failure_message(request.request_id)}
            response = Response(content, status.HTTP_500_INTERNAL_SERVER_ERROR)
    del response["Content-Type"]
    body = _encoded(response.data, request)
    headers = response.headers if identity is None else {**response.headers, **Usage(identity).headers()}
    return PublishResponse(response.status_code, body, headers, identity)


def _created(request: PublishRequest, accepted: _Accepted[P], receipts: list[Receipt]) -> PublishResponse[P]:
    content = [_content(receipt) for receipt in receipts]
    for index, warnings in accepted.warnings.items():
        content[index]["warnings"] = (*receipts[index].warnings, *warnings)
    body = _encoded(content if accepted.parsed.is_list else content[0], request)
    return PublishResponse(status.HTTP_201_CREATED, body, accepted.usage.headers(), accepted.identity)


def _content(receipt: Receipt) -> dict[str, Any]:
    fields = receipt._asdict()
    if not receipt.warnings:
        del fields["warnings"]
    return fields


def _check_body(request: PublishRequest) -> None:
    """Refuse a body that is compressed, too large or empty.

    Raises:
        ApiError: With the reason.
    """
    _check_announced_body(request)
    if not request.body.strip():
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            "The body is empty: send an event, or a list of them, as JSON",
            code="INVALID_EVENT",
            errors=[{"index": None, "field": "", "message": "the body is empty"}],
        )


def _check_announced_body(request: PublishRequest) -> None:
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise ApiError(
            status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, "Send the body as it is, without a Content-Encoding"
        )
    most = settings.EVENTS_MAX_REQUEST_BYTES
    require_size(request.headers, request.body, most, ": publish in several requests")


def _require_acceptable(request: PublishRequest) -> None:
    """Raise NotAcceptable if the Accept header of a request excludes JSON."""
    if _accepted_type(request.headers.get("accept", "*/*")) is None:
        raise NotAcceptable


def _encoded(content: Any, request: PublishRequest) -> bytes:
    return _RENDERER.render(content, _accepted_type(request.headers.get("accept", "*/*")))


@lru_cache(maxsize=64)
def _accepted_type(accept: str) -> str | None:
    """Return the JSON type that an Accept header prefers, or `None`; "" has no parameters."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT"] = accept
    try:
        _, media_type = DefaultContentNegotiation().select_renderer(Request(request), [_RENDERER])
    except NotAcceptable:
        return None
    # The renderer reads the parameters only, such as the indent.
    return media_type if ";" in media_type else ""
