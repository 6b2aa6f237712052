"""`GET /v1.0/explain`: why the credential of the request did or did not get an event."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.api.operation import operation
from events.api.responses import reading_errors
from events.reading.parameters import Parameters
from subscriptions.api import schemas
from subscriptions.api.me import reader_of
from subscriptions.explain.evidence import explain, subject_of_identity
from subscriptions.explain.lookup import ClientViewer, InvalidLookup, find
from subscriptions.explain.report import NoEvent, StoredEvent, as_json
from subscriptions.protocol.permissions import Identity

PARAMETERS = ("event", "topic")


class ExplainView(APIView):
    """Explain why an event was delivered or not.

    Name an event by its id or cursor, or a topic for its newest event: one of the two. The answer is about the
    credential of the request.
    """

    @operation(
        "explainDelivery",
        "Reading",
        {200: ("The result, and the steps to it.", schemas.Explanation)},
        schemas.EXPLAIN_PARAMETERS,
        errors=schemas.REQUEST_ERRORS,
    )
    def get(self, request: Request) -> Response:
        identity = reader_of(request)
        with reading_errors():
            event = _requested_event(request, identity)
        answer = as_json(explain(subject_of_identity(identity), event, name_processes=False))
        return Response(answer, headers={"Cache-Control": "no-store"})


def _requested_event(request: Request, identity: Identity) -> StoredEvent | NoEvent:
    read = Parameters(dict(request.query_params.lists()), PARAMETERS)
    given = [name for name in PARAMETERS if name in request.query_params]
    if len(given) != 1:
        read.wrong("event", "name one event by its id or cursor, or else a topic with topic=")
    read.finish()
    [name] = given
    text = request.query_params[name]
    try:
        if (":" in text) != (name == "topic"):
            raise InvalidLookup(
                "write a topic, such as customer_id:12345678-1234-1234-1234-123456789012:call:*"
                if name == "topic"
                else "write an event's id or cursor, just as the event bore it"
            )
        return find(text, ClientViewer(identity))
    except InvalidLookup as error:
        read.wrong(name, str(error))
    read.finish()
    raise AssertionError("finish() raises for invalid parameters")
