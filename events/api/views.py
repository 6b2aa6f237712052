"""The REST views of events: publishing, the history, one event, and current states.

`voipbin_ws.http.publish_endpoint` answers most publish requests before Django; the views answer the others, such as
requests below a path prefix.
"""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.http import HttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.views import APIView

from events.api import schemas
from events.api.errors import ApiError
from events.api.operation import operation
from events.api.publish_parser import Parser, Publisher, parse_events, parse_webhook
from events.api.publish_request import PublishRequest, publish_all
from events.api.responses import answer, page_answer, reading_errors, visible_to
from events.cloudevents.attributes import PAGE_OF_CLOUD_EVENTS, STRUCTURED
from events.cloudevents.outgoing import write_text
from events.domain.topics import is_canonical_uuid, known_resources
from events.domain.visibility import NotVisible
from events.hooks import directory
from events.reading.call_search import CallSearch
from events.reading.history import NotKept, frame_of, read_history, read_one
from events.reading.parameters import unknown_resource
from events.reading.queries import read_call_query, read_format, read_history_query, read_state_query
from events.reading.states import read_states


class EventsView(APIView):
    """`/v1.0/events`: GET reads the history, POST publishes."""

    @operation(
        "listEvents",
        "Reading",
        {200: ("A page.", schemas.EVENT_PAGE)},
        schemas.HISTORY_PARAMETERS,
        errors=schemas.PAGE_ERRORS,
    )
    def get(self, request: Request) -> HttpResponse:
        """Read past events.

        Events as subscribers receive them, in the order of the log. A page may hold fewer items than `limit`, or none,
        although another page follows: only `next` shows whether there is one.
        """
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
        if not query.wants_cloud_events:
            return page_answer({}, page.start, page.frames, page.next)
        items = [write_text(frame, visible.customer_id, settings.PUBLIC_URL) for frame in page.frames]
        return page_answer({}, page.start, items, page.next, content_type=PAGE_OF_CLOUD_EVENTS)

    @operation(
        "publishEvents",
        "Publishing",
        {201: ("Stored: a receipt, or a list of receipts for a list.", schemas.RECEIPTS)},
        [schemas.KEY],
        body=schemas.NEW_EVENTS,
        examples=schemas.NEW_EVENT_EXAMPLES,
        errors=schemas.PUBLISHING_ERRORS,
    )
    def post(self, request: Request) -> HttpResponse:
        """Publish events.

        One event, or a list that is stored completely or not at all. 201 means stored. After 429, 503 or 507, or
        without an answer, send the request again with the same `idempotency_key`: no event is published twice. Answers
        have the headers `RateLimit` and `RateLimit-Policy` if the publisher's rates are limited. The body is JSON in
        UTF-8, whatever its `Content-Type` says; or CloudEvents: `application/cloudevents+json`,
        `application/cloudevents-batch+json`, or headers that begin with `ce-` (see `/docs/protocol`).
        """
        return _published(request, parse_events)


class VoipbinWebhookView(APIView):
    """Receive a webhook of VoIPBIN.

    Each webhook becomes one event; `data` keeps every original field. docs/protocol.md has a table of them.
    """

    @operation(
        "receiveWebhook",
        "Publishing",
        {201: ("Stored.", schemas.Receipt)},
        schemas.WEBHOOK_HEADERS,
        body=schemas.VoipbinWebhook,
        examples=schemas.WEBHOOK_EXAMPLES,
        errors=schemas.PUBLISHING_ERRORS,
    )
    def post(self, request: Request) -> HttpResponse:
        return _published(request, parse_webhook)


class EventView(APIView):
    """Read one event."""

    @operation(
        "getEvent",
        "Reading",
        {200: ("The event.", schemas.Event)},
        [schemas.EVENT_ID, schemas.AS_CLOUD_EVENT],
    )
    def get(self, request: Request, event_id: str) -> HttpResponse:
        with reading_errors():
            wants_cloud_event = read_format(dict(request.query_params.lists()))
            visible_to(request, None)
        # The same response if the event does not exist and if it is not visible.
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
        if wants_cloud_event:
            return answer(write_text(frame, visible.customer_id, settings.PUBLIC_URL), STRUCTURED)
        return answer(frame)


class ResourceStatesView(APIView):
    """The present state of a resource: `/v1.0/resources/<resource>`, and the plural addresses."""

    @operation(
        "listStates",
        "Reading",
        {200: ("A page.", schemas.STATE_PAGE)},
        schemas.STATE_PARAMETERS,
        errors=schemas.PAGE_ERRORS,
    )
    def get(self, request: Request, resource: str) -> HttpResponse:
        """Read the present state.

        The calls, queues … as they are, and the cursor at which this is true: read the state first, then subscribe with
        the cursor as `since`, and no event is missed in between.
        """
        resources = known_resources(settings.EVENTS_EXTRA_RESOURCES)
        if resource not in resources:
            raise ApiError(status.HTTP_404_NOT_FOUND, unknown_resource(resource, resources))
        with reading_errors():
            query = read_state_query(dict(request.query_params.lists()))
            page = read_states(visible_to(request, query.customer_id), resource, query)
        return page_answer({"resource": resource}, page.start, page.items, page.next)


class CallsView(APIView):
    """The present state of calls, and the search for those of the past."""

    @operation(
        "listCalls",
        "Reading",
        {200: ("A page.", schemas.CALL_PAGE)},
        schemas.CALL_PARAMETERS,
        errors=schemas.PAGE_ERRORS,
    )
    def get(self, request: Request) -> HttpResponse:
        """Read the present state of calls, or search them.

        The same as `/v1.0/resources/call`, with further conditions: when a call began, its numbers and names, and how
        it went. A page may hold fewer items than `limit`, or none, although another page follows: only `next` shows
        whether there is one.
        """
        with reading_errors():
            query = read_call_query(dict(request.query_params.lists()))
            visible = visible_to(request, query.states.customer_id)
            search = None
            if query.is_search:
                region = "" if query.number is None else directory().region_of(visible.customer_id)
                search = CallSearch(visible, query, region)
            page = read_states(visible, "call", query.states, search)
        return page_answer({"resource": "call"}, page.start, page.items, page.next)


def _published(request: Request, parse: Parser) -> HttpResponse:
    body = request._request.read(settings.EVENTS_MAX_REQUEST_BYTES + 1)
    own_id = getattr(request._request, "request_id", "")
    wanted = PublishRequest(parse, request.headers, body, query="", address="", request_id=own_id)
    # REST framework has authenticated the publisher.
    (response,) = publish_all([wanted], lambda _: cast(Publisher, request.user))
    return HttpResponse(
        response.body, status=response.status, headers=response.headers, content_type="application/json"
    )
