"""A port of its own for each process's metrics: of several processes behind one port, a request reaches any of them."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Iterable

from django.conf import settings
from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.registry import Collector

from subscriptions.connections.runtime import runtime
from voipbin_ws.observability.metrics import registry_of

logger = logging.getLogger(__name__)

MOST_PROCESSES = 256
COLLECT_SECONDS = 5.0


def open_metrics_port() -> None:
    """Listen on METRICS_PORT, or the next port after it that is free, if it is set. Called in the event loop."""
    if not settings.METRICS_PORT:
        return
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_InItsLoop(asyncio.get_running_loop()))
    for port in range(settings.METRICS_PORT, min(settings.METRICS_PORT + MOST_PROCESSES, 2**16)):
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


class _InItsLoop(Collector):
    """Collects in the event loop that the numbers belong to, for a thread that waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def collect(self) -> Iterable[Metric]:
        return asyncio.run_coroutine_threadsafe(self._collected(), self._loop).result(COLLECT_SECONDS)

    async def _collected(self) -> list[Metric]:
        return list(registry_of(runtime()).collect())
