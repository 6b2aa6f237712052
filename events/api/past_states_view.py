"""The REST view of past states: `/v1.0/states`."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from events.api import schemas
from events.api.operation import operation
from events.api.responses import page_answer, past_errors, reading_errors, visible_to
from events.domain.event import format_timestamp
from events.domain.topics import known_resources
from events.reading.past_states import read_past_states
from events.reading.queries import read_past_state_query


class PastStatesView(APIView):
    """The states of a past moment: `/v1.0/states`."""

    @operation(
        "listPastStates",
        "Reading",
        {200: ("A page.", schemas.PAST_STATE_PAGE)},
        schemas.PAST_STATE_PARAMETERS,
        errors=schemas.PAGE_ERRORS,
    )
    def get(self, request: Request) -> HttpResponse:
        """Read the states of a past moment.

        All resources that had not ended then, as they were, and the cursor of that moment: read the events after it
        from `/v1.0/events` with `after`, and apply them, to see how it went on. Computed from the log: the answer is
        what `/v1.0/resources/…` with `active=true` gave at that moment.
        """
        with reading_errors():
            query = read_past_state_query(
                dict(request.query_params.lists()),
                resources=known_resources(settings.EVENTS_EXTRA_RESOURCES),
                now=timezone.now(),
            )
            visible = visible_to(request, query.customer_id)
            with past_errors():
                page = read_past_states(visible, query)
        return page_answer({"at": format_timestamp(query.at)}, page.start, page.items, page.next)
