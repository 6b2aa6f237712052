"""`/metrics`: for Prometheus, which shows the token of the setting METRICS_TOKEN, or asks from this machine."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from subscriptions.connections.runtime import runtime
from voipbin_ws.observability.metrics import registry_of

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
"""A request with one of these came through a proxy, for somebody elsewhere."""


@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers of the process that got the request: of several behind one port, that may be any of them."""
    if refusal := _refusal(request):
        return refusal
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry_of(runtime())), content_type=content_type)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    token = settings.METRICS_TOKEN
    if not token:
        if _is_from_here(request):
            return None
        words = "Without METRICS_TOKEN, metrics are for programs on this machine alone: set it, and send it as Bearer"
        return JsonResponse({"code": "PERMISSION_DENIED", "message": words}, status=403)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
        return None
    refusal = JsonResponse(
        {"code": "UNAUTHORIZED", "message": "Send Authorization: Bearer <the METRICS_TOKEN of this gateway>"},
        status=401,
    )
    refusal["WWW-Authenticate"] = 'Bearer realm="voipbin metrics"'
    return refusal


def _is_from_here(request: HttpRequest) -> bool:
    try:
        loopback = ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
    return loopback and not any(name in request.headers for name in FORWARDED)
