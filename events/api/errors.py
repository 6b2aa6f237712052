"""Errors of the REST interface, in one form: a code, a message, and details."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler

from events.counters import database_errors

logger = logging.getLogger(__name__)

ERROR_CODES: dict[str, tuple[int, str]] = {
    "INVALID_REQUEST": (400, "a parameter or field is not valid: the message says which, and what is valid"),
    "INVALID_EVENT": (400, "the body or an event in it is not valid: `errors` has a reason for each"),
    "UNAUTHORIZED": (401, "there is no credential, or it is not accepted"),
    "PERMISSION_DENIED": (403, "the credential does not permit this"),
    "FORBIDDEN_ORIGIN": (403, "pages of this origin may not use the gateway"),
    "NOT_FOUND": (404, "this does not exist for this credential"),
    "METHOD_NOT_ALLOWED": (405, "the address does not support this method"),
    "TOO_SLOW": (408, "the request did not arrive in time"),
    "IDEMPOTENCY_CONFLICT": (409, "the key was used for another event: use a new key"),
    "CALL_OVER": (409, "the call has ended"),
    "NOT_YOUR_CALL": (409, "the call is with another agent"),
    "OPTED_OUT": (409, "the owner of the number wrote STOP"),
    "PLATFORM_REFUSED": (409, "the platform refused; the message is the platform's"),
    "STATUS_CHANGES": (409, "the status was changed by others at the same time: try again"),
    "NOT_KEPT": (410, "events that the answer needs were deleted: the message says from where they are kept"),
    "TOO_LARGE": (413, "the request exceeds a limit"),
    "UNSUPPORTED_MEDIA_TYPE": (
        415,
        "the body is compressed (`Content-Encoding`), or CloudEvents that are not JSON",
    ),
    "UPGRADE_REQUIRED": (426, "the credential is accepted: connect to this address as a WebSocket"),
    "RATE_LIMITED": (429, "too many requests, events or bytes: try again after `Retry-After` seconds"),
    "INTERNAL_ERROR": (500, "a defect of the gateway, which was logged"),
    "NO_PLATFORM": (501, "no platform is connected to the gateway"),
    "PLATFORM_UNAVAILABLE": (502, "the platform cannot be reached or fails"),
    "UNAVAILABLE": (503, "the database does not answer: try again"),
    "PLATFORM_TIMEOUT": (504, "the platform did not answer in time: whether it acted is unknown"),
    "STORAGE_FULL": (507, "the customer's quota of stored data is used up: an operator has to act"),
}
"""The HTTP status and meaning of each error code. The first of a status is its default."""

_DEFAULT_CODES = {status: code for code, (status, _) in reversed(ERROR_CODES.items())}


class ApiError(exceptions.APIException):
    """An error response; `errors` has a reason for each field, `retry_after` is in seconds."""

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
        """The content of the response, for JSON."""
        content: dict[str, Any] = {
            "code": self.own_code or _DEFAULT_CODES[self.status_code],
            "message": self.message,
        }
        return content if self.errors is None else {**content, "errors": self.errors}


_TRY_AGAIN = "try again, with the same idempotency_key so that nothing is stored twice"
_LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's error code for a lock_timeout."""


def unavailable(error: Exception, *, is_reading: bool = False) -> ApiError:
    """Count and log a database error; return the response to the request that failed by it."""
    database_errors.add(type(error).__name__)
    # An error in a statement is a defect: with a traceback.
    defect = None if isinstance(error, OperationalError | InterfaceError) else error
    logger.warning(
        "A request could not be carried out: the database does not answer (%s)", error, exc_info=defect
    )
    if getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
        return log_locked()
    advice = "try again" if is_reading else _TRY_AGAIN
    return ApiError(status.HTTP_503_SERVICE_UNAVAILABLE, f"The database does not answer: {advice}")


def log_locked() -> ApiError:
    """Return the response to a request that waited too long for a customer's log."""
    return ApiError(
        status.HTTP_503_SERVICE_UNAVAILABLE,
        f"Another transaction holds the customer's log for long: {_TRY_AGAIN}",
    )


def failure_message(request_id: str) -> str:
    """Return the message of the response to a defect of the gateway."""
    return "Something went wrong here, and was logged" + (f" as {request_id}" if request_id else "")


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the error response for an exception in a view. Hook of REST framework."""
    if isinstance(error, DatabaseError | InterfaceError):
        request = context.get("request")
        error = unavailable(error, is_reading=request is not None and request.method in SAFE_METHODS)
    response = rest_exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ApiError):
        body = error.content
    else:
        body = {
            "code": _DEFAULT_CODES.get(response.status_code, "INVALID_REQUEST"),
            "message": _message(error),
        }
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
