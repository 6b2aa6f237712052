"""Every error of the REST interface, in one JSON shape: a code, a message that says what is right, and details.

The codes and what they mean: `events.api.openapi_components.REFUSALS`.
"""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler

from events.counters import database_errors

logger = logging.getLogger(__name__)

INTERNAL_ERROR = "INTERNAL_ERROR"

_CODES = {
    status.HTTP_400_BAD_REQUEST: "INVALID_REQUEST",
    status.HTTP_401_UNAUTHORIZED: "UNAUTHORIZED",
    status.HTTP_403_FORBIDDEN: "PERMISSION_DENIED",
    status.HTTP_404_NOT_FOUND: "NOT_FOUND",
    status.HTTP_405_METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    status.HTTP_406_NOT_ACCEPTABLE: "INVALID_REQUEST",
    status.HTTP_409_CONFLICT: "IDEMPOTENCY_CONFLICT",
    status.HTTP_410_GONE: "NOT_KEPT",
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE: "TOO_LARGE",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
    status.HTTP_429_TOO_MANY_REQUESTS: "RATE_LIMITED",
    status.HTTP_503_SERVICE_UNAVAILABLE: "UNAVAILABLE",
}


class ApiError(exceptions.APIException):
    """An error answer; `errors` are details such as a reason for each field, `retry_after` is in seconds."""

    def __init__(
        self,
        status_code: int,
        message: str,
        *,
        code: str | None = None,
        errors: list[Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.message = message
        self.own_code = code
        self.errors = errors
        self.wait = retry_after  # REST framework's, for Retry-After.

    @property
    def content(self) -> dict[str, Any]:
        """What the answer says, to be written as JSON."""
        content: dict[str, Any] = {"code": self.own_code or _CODES[self.status_code], "message": self.message}
        return content if self.errors is None else {**content, "errors": self.errors}


def unavailable(error: Exception) -> ApiError:
    """The answer to whoever asked for what the database did not do. What went wrong is counted and logged."""
    database_errors.add(type(error).__name__)
    # What is wrong with a statement is ours to repair, and the operator's to see.
    ours = None if isinstance(error, OperationalError | InterfaceError) else error
    logger.warning(
        "A request could not be carried out: the database does not answer (%s)", error, exc_info=ours
    )
    return ApiError(
        status.HTTP_503_SERVICE_UNAVAILABLE,
        "The database does not answer: try again, with the same idempotency_key so that nothing is stored twice",
    )


def failure_message(request_id: str) -> str:
    """What a client is told of a defect of ours."""
    return "Something went wrong here, and was logged" + (f" as {request_id}" if request_id else "")


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST Framework's hook: the answer for an exception in a view."""
    if isinstance(error, DatabaseError | InterfaceError):
        error = unavailable(error)
    response = rest_exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ApiError):
        body = error.content
    else:
        body = {"code": _CODES.get(response.status_code, "INVALID_REQUEST"), "message": _message(error)}
    response.data = body
    if response.status_code == status.HTTP_401_UNAUTHORIZED:
        response.setdefault("WWW-Authenticate", 'Bearer realm="voipbin"')  # RFC 9110, 15.5.2.
    if response.status_code == status.HTTP_426_UPGRADE_REQUIRED:
        response["Upgrade"] = "websocket"  # RFC 9110, 15.5.22.
    if response.status_code == status.HTTP_503_SERVICE_UNAVAILABLE:
        response["Retry-After"] = "1"
    return response


def _message(error: Exception) -> str:
    if isinstance(error, Http404):
        return "There is nothing at this address"
    if isinstance(error, PermissionDenied):
        return "This credential may not do that"
    if isinstance(error, exceptions.NotAuthenticated):
        return "Send a credential: Authorization: Bearer <JWT or access key>, or ?token="
    return str(getattr(error, "detail", error))
