"""The ASGI application: HTTP to Django, WebSockets to the consumer."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.baseline.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

django = get_asgi_application()

from benchmarks.baseline.consumers import EventConsumer  # noqa: E402

application = ProtocolTypeRouter(
    {"http": django, "websocket": URLRouter([path("v1.0/ws", EventConsumer.as_asgi())])}
)
