"""The request log: one line, one id and the metrics of each HTTP request."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponseBase
from prometheus_client import Counter, Histogram

from events.masks.number_mask import mask_text
from subscriptions.accounts.changes import current_request
from subscriptions.protocol.permissions import Identity
from voipbin_ws.http.security_headers import Respond

logger = structlog.stdlib.get_logger(__name__)

REQUEST_ID_HEADER = "X-Request-ID"
MAX_CLIENT_CHARACTERS = 200

NUMBER_PARAMETER = "<str:number>"

_GOOD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,63}")
_LIKE_A_CREDENTIAL = re.compile(r"vb_|eyJ")

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are requested every few seconds; logged at level DEBUG."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

requests = Counter(
    "voipbin_ws_http_requests",
    "HTTP requests by the address's pattern, method and status.",
    ["route", "method", "status"],
    registry=None,
)
durations = Histogram(
    "voipbin_ws_http_request_duration_seconds",
    "How long HTTP requests took, by the address's pattern.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    registry=None,
)


def log_requests(get_response: Respond) -> Respond:
    """Log, count and identify requests. Middleware of Django."""

    def respond(request: Any) -> HttpResponseBase:
        began = time.perf_counter()
        request.request_id = request_id(request.headers.get(REQUEST_ID_HEADER))
        before = current_request.set(request)
        with structlog.contextvars.bound_contextvars(request_id=request.request_id):
            try:
                response = get_response(request)
            finally:
                current_request.reset(before)
            response[REQUEST_ID_HEADER] = request.request_id
            match = request.resolver_match
            log_request(
                method=method_label(request.method),
                path=request.path,
                route=f"/{match.route}" if match is not None else "none",
                status=response.status_code,
                request_id=request.request_id,
                seconds=time.perf_counter() - began,
                address=request.META.get("REMOTE_ADDR", ""),
                client=request.headers.get("User-Agent", ""),
                identity=_identity_fields(request),
            )
        return response

    return respond


def method_label(method: str | None) -> str:
    """Return the method of a request, if it is a known one, or else "other"."""
    return method if method in _METHODS else "other"


def request_id(given: str | None) -> str:
    """Return the id that a proxy or client gave if it is valid, or else a new one."""
    if given and _GOOD_ID.fullmatch(given) and not _LIKE_A_CREDENTIAL.search(given):
        return given
    # Not secret, so without the system call that a random UUID costs.
    return f"{random.getrandbits(128):032x}"


def log_request(
    *,
    method: str,
    path: str,
    route: str,
    status: int,
    request_id: str,
    seconds: float,
    address: str,
    client: str,
    identity: Mapping[str, Any],
) -> None:
    """Log and count one request. `path` is without the query, which may have credentials."""
    _counter(route, method, status).inc()
    _histogram(route).observe(seconds)
    log = logger.debug if path in PROBES else logger.info
    log(
        "request",
        method=method,
        # An address can have a telephone number, or an id that is one.
        path=mask_text(path, in_id=NUMBER_PARAMETER not in route),
        status=status,
        request_id=request_id,
        milliseconds=round(seconds * 1000, 1),
        address=address,
        client=client[:MAX_CLIENT_CHARACTERS],
        **identity,
    )


# Looked up once: the labels are few, and finding their metric costs as much as logging a request.
@cache
def _counter(route: str, method: str, status: int) -> Counter:
    return requests.labels(route, method, status)


@cache
def _histogram(route: str) -> Histogram:
    return durations.labels(route)


def _identity_fields(request: HttpRequest) -> Mapping[str, Any]:
    # The identity that REST framework found; the session is not loaded for this.
    user = request.__dict__.get("user")
    if type(user) is Identity:  # isinstance would load the session.
        return identity_fields(user)
    person = getattr(request, "_cached_user", None)
    return {"user": person.pk} if person is not None and person.pk is not None else {}


def identity_fields(identity: Identity) -> Mapping[str, Any]:
    """Return the fields of the log line that identify the client."""
    return {
        "customer": identity.customer_id,
        "agent": identity.agent_id,
        "credential": identity.credential_id,
    }
