"""The REST views of events: publishing, the history, one event, and current states.

Servers pass publish requests to `voipbin_ws.http.publish_endpoint`, before Django; the views here answer those that
only Django can, such as requests below a path prefix.
"""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.http import HttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.publish_parser import Parser, Publisher, parse_events, parse_webhook
from events.api.publish_request import PublishRequest, publish_all
from events.api.responses import answer, page_answer, reading_errors, visible_to
from events.domain.topics import is_canonical_uuid, known_resources
from events.domain.visibility import NotVisible
from events.reading.history import NotKept, frame_of, read_history, read_one
from events.reading.parameters import unknown_resource
from events.reading.queries import read_history_query, read_state_query, refuse_parameters
from events.reading.states import read_states


class EventsView(APIView):
    """`/v1.0/events`: GET reads; POST publishes one event, or a list that is stored whole or not at all."""

    def get(self, request: Request) -> HttpResponse:
        with reading_errors():
            query = read_history_query(
                dict(request.query_params.lists()),
                resources=known_resources(settings.EVENTS_EXTRA_RESOURCES),
            )
            visible = visible_to(request, query.customer_id)
            try:
                page = read_history(visible, query)
            except NotKept as error:
                raise ApiError(status.HTTP_410_GONE, str(error)) from None
        return page_answer({}, page.start, page.frames, page.next)

    def post(self, request: Request) -> HttpResponse:
        return _published(request, parse_events)


class VoipbinWebhookView(APIView):
    """`/v1.0/webhooks/voipbin`: VoIPBIN's webhooks as they are sent."""

    def post(self, request: Request) -> HttpResponse:
        return _published(request, parse_webhook)


class EventView(APIView):
    """`GET /v1.0/events/<id>`: the event as a subscriber hears it."""

    def get(self, request: Request, event_id: str) -> HttpResponse:
        with reading_errors():
            refuse_parameters(dict(request.query_params.lists()))
            visible_to(request, None)
        # One answer for what there is not and for what is somebody else's.
        absent = ApiError(
            status.HTTP_404_NOT_FOUND,
            "There is no event with this id for you: it is the UUID that an event or a receipt gave as its id",
        )
        event = read_one(event_id) if is_canonical_uuid(event_id) else None
        if event is None:
            raise absent
        try:
            visible = visible_to(request, str(event.customer_id))
        except NotVisible:
            raise absent from None
        frame = frame_of(visible, event)
        if frame is None:
            raise absent
        return answer(frame)


class ResourceStatesView(APIView):
    """The present state of each resource of a kind that the credential may see, and the cursor to follow it from."""

    def get(self, request: Request, resource: str) -> HttpResponse:
        resources = known_resources(settings.EVENTS_EXTRA_RESOURCES)
        if resource not in resources:
            raise ApiError(status.HTTP_404_NOT_FOUND, unknown_resource(resource, resources))
        with reading_errors():
            query = read_state_query(dict(request.query_params.lists()))
            page = read_states(visible_to(request, query.customer_id), resource, query)
        return page_answer({"resource": resource}, page.start, page.items, page.next)


def _published(request: Request, parse: Parser) -> HttpResponse:
    body = request._request.read(settings.EVENTS_MAX_REQUEST_BYTES + 1)
    own_id = getattr(request._request, "request_id", "")
    wanted = PublishRequest(parse, request.headers, body, query="", address="", request_id=own_id)
    # REST framework has found out who publishes.
    (response,) = publish_all([wanted], lambda _: cast(Publisher, request.user))
    return HttpResponse(
        response.body, status=response.status, headers=response.headers, content_type="application/json"
    )
