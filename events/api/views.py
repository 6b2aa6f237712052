"""Publishing over REST: `POST /v1.0/events` and VoIPBIN's own webhooks.

Most requests come in by `voipbin_ws.http.publish_endpoint`, which reads and stores them by the same functions.
"""

from __future__ import annotations

from typing import cast

from django.conf import settings
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api import schemas
from events.api.errors import ApiError
from events.api.history_api import ReadsHistory
from events.api.operation import operation
from events.api.publish_request import Publisher, Read, read_events, read_webhook, require_may_publish
from events.log.publish import IdempotencyConflict, publish


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


def _stored(request: Request, read: Read) -> Response:
    publisher = cast(Publisher, request.user)
    require_may_publish(publisher)
    posted = read(publisher, request.headers, _body(request))
    try:
        receipts = publish(posted.drafts)
    except IdempotencyConflict as error:
        raise ApiError(
            status.HTTP_409_CONFLICT,
            str(error),
            errors=[{"index": error.index, "field": "idempotency_key", "message": str(error)}],
        ) from None
    return Response(posted.answer(receipts), status=status.HTTP_201_CREATED)


class EventsView(ReadsHistory, APIView):
    """`/v1.0/events`: GET reads; POST publishes one event, or a list that is stored whole or not at all."""

    @operation(
        "publishEvents",
        "Publishing",
        {201: ("Stored: a receipt, or a list of receipts for a list.", schemas.RECEIPTS)},
        body=schemas.NEW_EVENTS,
        examples=schemas.NEW_EVENT_EXAMPLES,
        errors=schemas.PUBLISHING_ERRORS,
    )
    def post(self, request: Request) -> Response:
        """Publish events.

        One event, or a list that is stored completely or not at all. 201 means stored. After 503, or without an answer,
        send the request again with the same `idempotency_key`: no event is published twice. The body is JSON in UTF-8,
        whatever its `Content-Type` says.
        """
        return _stored(request, read_events)


class VoipbinWebhookView(APIView):
    """Receive a webhook of VoIPBIN.

    Each webhook becomes one event; `data` keeps every original field. docs/protocol.md has a table of them.
    """

    @operation(
        "takeVoipbinWebhook",
        "Publishing",
        {201: ("Stored.", schemas.Receipt)},
        schemas.WEBHOOK_HEADERS,
        body=schemas.VoipbinWebhook,
        examples=schemas.WEBHOOK_EXAMPLES,
        errors=schemas.PUBLISHING_ERRORS,
    )
    def post(self, request: Request) -> Response:
        return _stored(request, read_webhook)
