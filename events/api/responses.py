"""What the reading views share: visibility, errors, and responses in JSON text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.module_loading import import_string
from rest_framework import status
from rest_framework.request import Request

from events.api.errors import ApiError
from events.domain.cursor import Position
from events.domain.event import format_timestamp
from events.domain.strict_json import encode
from events.domain.visibility import NotVisible, UnknownCustomer, Visible
from events.reading.look_back import NotKnown, TooBusy
from events.reading.paging import StalePlace
from events.reading.parameters import InvalidQuery, Place

JSON_HEADERS = {
    "Content-Type": "application/json",
    # It may hold a token or data of one customer: no proxy or browser may cache it.
    "Cache-Control": "no-store",
    # If a browser shows it, it is text and loads nothing.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
"""The headers of every response in JSON, with Django and without."""


def visible_to(request: Request, customer_id: str | None) -> Visible:
    """Return what the request may read of this customer; `None` is its own customer.

    Raises:
        NotVisible: Nothing is visible.
        UnknownCustomer: There is no such customer.
    """
    visible: Visible = import_string(settings.EVENTS_VISIBILITY)(request.user, customer_id)
    return visible


@contextmanager
def reading_errors() -> Iterator[None]:
    """Convert the exceptions of reading into error responses."""
    try:
        yield
    except InvalidQuery as error:
        raise ApiError(
            status.HTTP_400_BAD_REQUEST,
            str(error),
            errors=[{"field": each.field, "message": each.message} for each in error.problems],
        ) from None
    except NotVisible as error:
        raise ApiError(status.HTTP_403_FORBIDDEN, str(error)) from None
    except UnknownCustomer as error:
        raise ApiError(status.HTTP_404_NOT_FOUND, str(error)) from None
    except StalePlace:
        raise ApiError(
            status.HTTP_410_GONE, "The log was replaced since the first page: read again without next"
        ) from None


@contextmanager
def past_errors() -> Iterator[None]:
    """Convert the exceptions of reading a past moment into error responses."""
    try:
        yield
    except NotKnown as error:
        raise ApiError(status.HTTP_410_GONE, str(error)) from None
    except TooBusy:
        raise ApiError(
            status.HTTP_503_SERVICE_UNAVAILABLE, "Other past moments are being computed: try again"
        ) from None


def with_now(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response's content with the gateway's time, by which pages correct theirs."""
    return {**content, "now": format_timestamp(timezone.now())}


def page_answer(
    head: Mapping[str, str],
    start: Position,
    items: Sequence[str],
    place: Place | None,
    content_type: str = "application/json",
) -> HttpResponse:
    """Build the response of a page; `items` are JSON texts, sent as they were stored."""
    fields = encode(with_now({**head, "cursor": str(start)}))[:-1]
    text = f'{fields}, "items": [{", ".join(items)}], "next": {encode(place and str(place))}}}'
    return answer(text, content_type)


def answer(text: str, content_type: str = "application/json") -> HttpResponse:
    """Build a response of JSON text."""
    return HttpResponse(text, content_type=content_type)
