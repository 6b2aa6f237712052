"""Reading what happened over REST: `GET /v1.0/events`, and one event by its id."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.views import APIView

from events.api import schemas
from events.api.errors import ApiError
from events.api.operation import operation
from events.api.responses import answer, page_answer, reading_errors, visible_to
from events.domain.topics import is_canonical_uuid, known_resources
from events.domain.visibility import NotVisible
from events.reading.history import NotKept, frame_of, read_history, read_one
from events.reading.queries import read_history_query, refuse_parameters


class ReadsHistory:
    """GET of `/v1.0/events`."""

    @operation(
        "readEvents",
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
        return page_answer({}, page.start, page.frames, page.next)


class EventView(APIView):
    """Read one event."""

    @operation("readEvent", "Reading", {200: ("The event.", schemas.Event)}, [schemas.EVENT_ID])
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
