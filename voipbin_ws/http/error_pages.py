"""The responses to errors outside views: JSON for programs, pages for browsers.

They repeat nothing of the request: a URL may contain a credential.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext

from events.admin.scope import RefusedQuery
from subscriptions.auth.password_hashing import TooManyLogins

FOR_PROGRAMS = ("/v1.0/", "/auth/", "/healthz", "/readyz", "/metrics")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the Host is not allowed, HTTP is violated, or a list has no such filter."""
    message = gettext(
        "The request cannot be understood, or it is for a host that an operator can add to ALLOWED_HOSTS"
    )
    if isinstance(exception, RefusedQuery):
        message = str(exception)
    return error_response(request, 400, "INVALID_REQUEST", gettext("Not understood"), message)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 (Django names them)
    """403: the user lacks a permission."""
    return error_response(
        request, 403, "PERMISSION_DENIED", gettext("Not yours"), gettext("This login may not do that")
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """403: a form without its CSRF token (settings.CSRF_FAILURE_VIEW).

    405 if the request is none of a form: the check comes before the view. Programs' views that accept a body are exempt
    from the check, so that one which is not exempt accepts none.
    """
    if request.path.startswith(FOR_PROGRAMS):
        return _not_allowed(request, "GET, HEAD")
    if request.method != "POST":
        return _not_allowed(request, "GET, HEAD, POST")
    message = gettext(
        "The form came without the cookie that belongs to it, or from another site. "
        "Go back, load the page anew and try again; cookies must be allowed"
    )
    return error_response(request, 403, "PERMISSION_DENIED", gettext("The form is too old"), message)


def _not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    message = gettext("This address does not support the method of the request, but {methods}").format(
        methods=allowed
    )
    response = error_response(request, 405, "METHOD_NOT_ALLOWED", gettext("Not possible"), message)
    response["Allow"] = allowed  # RFC 9110, section 15.5.6.
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """404: no view has this URL."""
    return error_response(
        request, 404, "NOT_FOUND", gettext("Not found"), gettext("There is nothing at this address")
    )


def refuse_hashes(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Any:
    """429: too many passwords are being hashed. Middleware of Django."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooManyLogins):
            return None
        answer = error_response(request, 429, "RATE_LIMITED", gettext("Busy"), exception.words)
        answer["Retry-After"] = str(exception.wait_seconds)
        return answer

    respond.process_exception = process_exception  # type: ignore[attr-defined]
    return respond


def failed(request: HttpRequest) -> HttpResponse:
    """500: a defect of the gateway; the traceback is in the log."""
    message = gettext("Something went wrong here, and was logged")
    if request_id := getattr(request, "request_id", ""):
        message = gettext("Something went wrong here, and was logged as {id}").format(id=request_id)
    return error_response(request, 500, "INTERNAL_ERROR", gettext("That failed"), message)


def error_response(request: HttpRequest, status: int, code: str, title: str, message: str) -> HttpResponse:
    """Return an error as JSON to programs, as a page with this title to browsers."""
    if request.path.startswith(FOR_PROGRAMS):
        return JsonResponse({"code": code, "message": message}, status=status)
    context: dict[str, Any] = {"title": title, "message": f"{message}."}
    return HttpResponse(render_to_string("error.html", context), status=status)
