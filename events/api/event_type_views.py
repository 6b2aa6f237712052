"""The REST views of event types, which need no credential."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.serializers import CharField, ListField, Serializer
from rest_framework.views import APIView

from events.api.errors import ApiError
from events.api.operation import field, operation, parameter
from events.api.responses import answer
from events.domain.strict_json import encode
from events.domain.topics import did_you_mean, quoted
from events.event_types.catalogue import EVENT_TYPES, VERSION
from events.event_types.schema import PATH, schema_of

_EVENT_TYPE = parameter("event_type", {"type": "string"}, "Such as `call.created`.", "path")


class EventTypeItem(Serializer[Any]):
    event_type = CharField()
    description = CharField()
    schema_url = CharField(help_text="Where the JSON Schema of its data is.")
    example = field({"type": "object"}, "Complete data.")


class EventTypes(Serializer[Any]):
    version = CharField(help_text="Grows in its second part with each addition.")
    event_types = ListField(child=EventTypeItem())


class EventTypesView(APIView):
    """List the event types with agreed data.

    A publisher may send any other action of a known resource, and further fields.
    """

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    @operation(
        "listEventTypes", "Reading", {200: ("The catalogue.", EventTypes)}, errors=[], credential=False
    )
    def get(self, request: Request) -> HttpResponse:
        items = [
            {
                "event_type": name,
                "description": each.when,
                "schema_url": PATH + name,
                "example": each.example,
            }
            for name, each in EVENT_TYPES.items()
        ]
        return answer(encode({"version": VERSION, "event_types": items}))


class EventTypeView(APIView):
    """Read the JSON Schema of an event type's data (draft 2020-12)."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    @operation(
        "getEventType",
        "Reading",
        {200: ("The schema.", {"type": "object"})},
        [_EVENT_TYPE],
        errors=["NOT_FOUND"],
        credential=False,
    )
    def get(self, request: Request, event_type: str) -> HttpResponse:
        found = EVENT_TYPES.get(event_type)
        if found is None:
            raise ApiError(
                status.HTTP_404_NOT_FOUND,
                f"{quoted(event_type)} has no agreed data: GET /v1.0/event-types lists those that have"
                f"{did_you_mean(event_type, EVENT_TYPES)}",
            )
        return answer(encode(schema_of(found)))
