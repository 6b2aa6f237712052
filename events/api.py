"""Publishing over REST: `POST /v1.0/events` and VoIPBIN's own webhooks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Protocol, cast

from django.conf import settings
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events import voipbin
from events.envelope import Draft
from events.errors import ApiError
from events.history_api import ReadsHistory
from events.intake import InvalidEvent, read_event
from events.publishing import IdempotencyConflict, Receipt, publish
from events.strict_json import InvalidJson, decode
from events.topics import known_resources

SIGNATURE_HEADER = "X-VoIPBIN-Signature"
KEY_HEADER = "Idempotency-Key"


class Publisher(Protocol):
    """What publishing needs to know of whoever a request's credential belongs to."""

    @property
    def customer_id(self) -> str: ...

    @property
    def may_publish(self) -> bool: ...

    @property
    def is_platform_staff(self) -> bool: ...


def _publisher(request: Request) -> Publisher:
    publisher = cast(Publisher, request.user)
    if not publisher.may_publish:
        raise ApiError(
            status.HTTP_403_FORBIDDEN,
            "This credential may not publish: use an access key that may, or the token of an admin",
        )
    return publisher


def _body(request: Request) -> bytes:
    """The request's body as it was sent.

    Raises:
        ApiError: it is empty, compressed, or larger than the setting PUBLISH_MAX_BYTES.
    """
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise ApiError(
            status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, "Send the body as it is, without a Content-Encoding"
        )
    most = settings.EVENTS_MAX_REQUEST_BYTES
    # Before it is read, where it says so: no digit of a huge number is looked at twice.
    announced = request.META.get("CONTENT_LENGTH") or "0"
    too_large = len(announced) > 18 or not announced.isdecimal() or int(announced) > most
    if too_large or len(body := request._request.body) > most:
        raise ApiError(
            status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
            f"The body is larger than {most} bytes: publish in several requests",
        )
    if not body.strip():
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            "The body is empty: send an event, or a list of them, as JSON",
            code="INVALID_EVENT",
            errors=[{"index": None, "field": "", "message": "the body is empty"}],
        )
    return body


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


def _drafts(items: list[object], publisher: Publisher, prepare: Callable[[object], object]) -> list[Draft]:
    """Read all items; each reason of each item is told.

    Raises:
        ApiError: some item is no event, or is of a customer that is not the publisher's.
    """
    resources = known_resources(settings.EVENTS_EXTRA_RESOURCES)
    drafts: list[Draft] = []
    errors: list[dict[str, Any]] = []
    foreign: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            draft = read_event(
                prepare(item),
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
    return drafts


def _published(drafts: list[Draft]) -> list[Receipt]:
    try:
        return publish(drafts)
    except IdempotencyConflict as error:
        raise ApiError(
            status.HTTP_409_CONFLICT,
            str(error),
            errors=[{"index": error.index, "field": "idempotency_key", "message": str(error)}],
        ) from None


def _shown(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": receipt.id,
        "cursor": receipt.cursor,
        "topics": receipt.topics,
        "replayed": receipt.replayed,
    }


class EventsView(ReadsHistory, APIView):
    """`/v1.0/events`: GET reads; POST publishes one event, or a list that is stored whole or not at all."""

    def post(self, request: Request) -> Response:
        publisher = _publisher(request)
        content = _decoded(_body(request))
        items = content if isinstance(content, list) else [content]
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
        receipts = _published(_drafts(items, publisher, lambda item: item))
        shown = [_shown(receipt) for receipt in receipts]
        return Response(shown if isinstance(content, list) else shown[0], status=status.HTTP_201_CREATED)


class VoipbinWebhookView(APIView):
    """`/v1.0/webhooks/voipbin`: VoIPBIN's webhooks as they are sent."""

    def post(self, request: Request) -> Response:
        publisher = _publisher(request)
        body = _body(request)
        _check_signature(request, body)
        resources = known_resources(settings.EVENTS_EXTRA_RESOURCES)
        # A webhook's body is VoIPBIN's own: whoever sends it again after a lost answer says so beside it.
        key = request.headers.get(KEY_HEADER)
        beside = {} if key is None else {"idempotency_key": key}
        drafts = _drafts(
            [_decoded(body)], publisher, lambda item: voipbin.translate(item, resources=resources) | beside
        )
        return Response(_shown(_published(drafts)[0]), status=status.HTTP_201_CREATED)


def _check_signature(request: Request, body: bytes) -> None:
    """Where a secret is set, only what was signed with it is taken.

    The credential says for whom is published; the signature that the body is VoIPBIN's own and unchanged.
    """
    secret = settings.EVENTS_VOIPBIN_WEBHOOK_SECRET
    if not secret:
        return
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = request.headers.get(SIGNATURE_HEADER, "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise ApiError(
            status.HTTP_401_UNAUTHORIZED,
            f"{SIGNATURE_HEADER} is missing or does not fit: send sha256=<hex HMAC of the body> with the shared secret",
        )
