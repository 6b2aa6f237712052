"""What the views of the control API share: the controller, parameters, errors and answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from django.core.exceptions import FieldDoesNotExist
from django.db.models import BooleanField, UUIDField
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from events.api.errors import ApiError
from events.api.request_body import MAX_BYTES, read_body
from events.api.responses import reading_errors, with_now
from events.domain.strict_json import InvalidJson, decode
from events.reading.parameters import Parameters
from subscriptions.accounts.link_origin import link_origin
from subscriptions.control.controller import Controller, FieldProblem, Missing, NotPermitted, Refused
from subscriptions.control.resource import Outcome, Resource, Stored
from subscriptions.protocol.permissions import Identity

NO_STORE = {"Cache-Control": "no-store"}


@contextmanager
def controlling(request: Request) -> Iterator[Controller]:
    """Give the controller of a request; its refusals become error responses.

    Raises:
        ApiError: The block refuses the request.
    """
    try:
        yield Controller(cast(Identity, request.user))
    except NotPermitted as error:
        raise ApiError(status.HTTP_403_FORBIDDEN, str(error)) from None
    except Missing:
        raise ApiError(status.HTTP_404_NOT_FOUND, "There is nothing with this id for you") from None
    except Refused as error:
        raise ApiError(
            status.HTTP_400_BAD_REQUEST, str(error)[:1000], errors=list(map(as_error, error.problems))
        ) from None


def as_error(problem: FieldProblem) -> dict[str, str]:
    """Return the reason for a field, for JSON."""
    return {"field": problem.field, "message": problem.message}


def content_of(request: Request, *, may_be_empty: bool = False) -> Mapping[str, Any]:
    """Decode the body as an object, also an empty one where it `may_be_empty`.

    It may have any fields: the control package names what is right.

    Raises:
        ApiError: The body is no object, or larger than MAX_BYTES.
    """
    body = read_body(request, 4 * MAX_BYTES)
    try:
        content = decode(body) if body.strip() or not may_be_empty else {}
    except InvalidJson as error:
        raise ApiError(status.HTTP_400_BAD_REQUEST, f"The body is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise ApiError(status.HTTP_400_BAD_REQUEST, "Send a JSON object with the fields to set")
    return content


def answered(resource: Resource, stored: Stored, request: Request) -> Response:
    """Build the response to a change: 201 for a new row, with what is shown once of a new key."""
    content = resource.shown(stored.row)
    if stored.secret is not None:
        content |= resource.shown_once(stored.row, stored.secret, link_origin(request))
    code = status.HTTP_201_CREATED if stored.outcome is Outcome.CREATED else status.HTTP_200_OK
    return Response(content, status=code, headers=NO_STORE)


def listed(resource: Resource, controller: Controller, request: Request) -> Response:
    """Build the response of one page of a list, in the order of the ids.

    Raises:
        ApiError: A parameter is not valid.
    """
    with reading_errors():
        parameters = Parameters(dict(request.query_params.lists()), ("after", "limit", *resource.filters))
        limit = parameters.paging().limit
        rows = resource.rows(controller)
        for name, lookup in resource.filters.items():
            value = _value_of(parameters, resource, name, lookup)
            if value is not None:
                rows = rows.filter(**{lookup: value})
        is_uuid = isinstance(resource.model._meta.pk, UUIDField)
        after = parameters.uuid("after") if is_uuid else parameters.word("after")
        if (
            after is not None
            and not is_uuid
            and not (after.isascii() and after.isdigit() and len(after) < 19)
        ):
            parameters.wrong("after", "send next of the last page back as it was")
        parameters.finish()
    if after is not None:
        rows = rows.filter(pk__gt=after)
    page = list(rows.order_by("pk")[: limit + 1])
    following = str(page[limit - 1].pk) if len(page) > limit else None
    items = [resource.shown(row) for row in page[:limit]]
    return Response(with_now({"items": items, "next": following}), headers=NO_STORE)


def _value_of(parameters: Parameters, resource: Resource, name: str, lookup: str) -> Any:
    try:
        column = resource.model._meta.get_field(lookup)
    except FieldDoesNotExist:
        column = None
    if isinstance(column, BooleanField):
        return parameters.flag(name)
    if name.endswith("_id"):
        return parameters.uuid(name)
    return parameters.word(name)
