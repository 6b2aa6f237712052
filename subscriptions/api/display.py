"""`GET /v1.0/display`: what a wallboard shows, for its own key."""

from __future__ import annotations

from typing import Any, cast

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, ListField, Serializer, UUIDField
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import field, operation
from events.api.responses import reading_errors, with_now
from events.api.schemas import NOW, TIME
from events.domain.event import format_timestamp
from events.reading.parameters import Parameters
from subscriptions.api.schemas import REQUEST_ERRORS, Named
from subscriptions.auth.credentials import kind_and_id
from subscriptions.models import AccessKey
from subscriptions.protocol.permissions import Identity


class Display(Serializer[Any]):
    """A wallboard."""

    name = CharField()
    customer = Named()
    queue_ids = ListField(child=UUIDField(), help_text="The queues that it shows; empty for all.")
    topics = ListField(child=CharField(), help_text="The topics of their summaries.")
    expires_at = field({**TIME, "type": ["string", "null"]}, "When its key expires; `null` for never.")
    now = NOW


class DisplayView(APIView):
    """Read what a wallboard shows.

    For the key of a wallboard, which reads this, `GET /v1.0/summary` and the topics named here, and nothing else.
    """

    is_for_displays = True

    @operation("getDisplay", "Credentials", {200: ("The wallboard.", Display)}, errors=REQUEST_ERRORS)
    def get(self, request: Request) -> Response:
        identity = cast(Identity, request.user)
        if not identity.is_display:
            raise ApiError(
                status.HTTP_403_FORBIDDEN,
                "This address is for the key of a wallboard: use one, or GET /v1.0/me",
            )
        with reading_errors():
            Parameters(dict(request.query_params.lists()), ()).finish()
        key = AccessKey.objects.select_related("customer").get(pk=kind_and_id(identity.credential_id)[1])
        expires_at = None if key.expires_at is None else format_timestamp(key.expires_at)
        content = {
            "name": key.label,
            "customer": {"id": str(key.customer_id), "name": key.customer.name},
            "queue_ids": key.queue_ids,
            "topics": key.allowed_topics,
            "expires_at": expires_at,
        }
        return Response(with_now(content), headers={"Cache-Control": "no-store"})
