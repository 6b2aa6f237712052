"""Reading the present state over REST: `GET /v1.0/resources/<resource>` and `GET /v1.0/calls`."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.responses import page_answer, reading_errors, visible_to
from events.domain.topics import known_resources
from events.reading.parameters import unknown_resource
from events.reading.queries import read_state_query
from events.reading.states import read_states


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
