"""`/metrics` for Prometheus, and a port for each process, METRICS_PORT.

Of several processes behind one port, a request to `/metrics` reaches any of them.
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import logging
from collections.abc import Iterable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from subscriptions.connections.runtime import runtime
from voipbin_ws.observability.metrics import registry_of

logger = logging.getLogger(__name__)

MAX_PROCESSES = 256
COLLECT_SECONDS = 5.0

PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
"""A request with one of these headers came through a proxy, from another machine."""


@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics of the process that receives the request."""
    if refusal := _refusal(request):
        return refusal
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry_of(runtime())), content_type=content_type)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    token = settings.METRICS_TOKEN
    if not token:
        if _is_local(request):
            return None
        message = "Without METRICS_TOKEN, metrics are for programs on this machine alone: set it, and send it as Bearer"
        return JsonResponse({"code": "PERMISSION_DENIED", "message": message}, status=403)
    scheme, _, token_sent = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(token_sent.strip().encode(), token.encode()):
        return None
    refusal = JsonResponse(
        {"code": "UNAUTHORIZED", "message": "Send Authorization: Bearer <the METRICS_TOKEN of this gateway>"},
        status=401,
    )
    refusal["WWW-Authenticate"] = 'Bearer realm="voipbin metrics"'
    return refusal


def _is_local(request: HttpRequest) -> bool:
    try:
        loopback = ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
    return loopback and not any(name in request.headers for name in PROXY_HEADERS)


def open_metrics_port() -> None:
    """Listen on METRICS_PORT or the next free port, if it is set. Called in the event loop."""
    if not settings.METRICS_PORT:
        return
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_LoopCollector(asyncio.get_running_loop()))
    for port in range(settings.METRICS_PORT, min(settings.METRICS_PORT + MAX_PROCESSES, 2**16)):
        try:
            start_http_server(port, settings.METRICS_HOST, registry)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                logger.error("No metrics on %s port %d: %s", settings.METRICS_HOST, port, error.strerror)
                return
        else:
            logger.info("Metrics on http://%s:%d/metrics", settings.METRICS_HOST, port)
            return
    logger.error("No metrics: from METRICS_PORT=%d on no port is free", settings.METRICS_PORT)


class _LoopCollector(Collector):
    """Collects in the event loop that owns the numbers; the scraping thread waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def collect(self) -> Iterable[Metric]:
        return asyncio.run_coroutine_threadsafe(self._collected(), self._loop).result(COLLECT_SECONDS)

    async def _collected(self) -> list[Metric]:
        return list(registry_of(runtime()).collect())
