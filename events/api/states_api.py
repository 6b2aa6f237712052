"""Reading the present state over REST: `GET /v1.0/resources/<resource>` and `GET /v1.0/calls`."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.views import APIView

from events.api import schemas
from events.api.errors import ApiError
from events.api.operation import operation
from events.api.responses import page_answer, reading_errors, visible_to
from events.domain.topics import known_resources
from events.reading.parameters import unknown_resource
from events.reading.queries import read_state_query
from events.reading.states import read_states


class ResourceStatesView(APIView):
    """Read the present state.

    The calls, queues … as they are, and the cursor at which this is true: read the state first, then subscribe with the
    cursor as `since`, and no event is missed in between.
    """

    @operation(
        "readStates",
        "Reading",
        {200: ("A page.", schemas.STATE_PAGE)},
        schemas.STATE_PARAMETERS,
        errors=schemas.PAGE_ERRORS,
    )
    def get(self, request: Request, resource: str) -> HttpResponse:
        resources = known_resources(settings.EVENTS_EXTRA_RESOURCES)
        if resource not in resources:
            raise ApiError(status.HTTP_404_NOT_FOUND, unknown_resource(resource, resources))
        with reading_errors():
            query = read_state_query(dict(request.query_params.lists()))
            page = read_states(visible_to(request, query.customer_id), resource, query)
        return page_answer({"resource": resource}, page.start, page.items, page.next)
