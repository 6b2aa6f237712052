"""WebSocket URLs."""

from django.urls import path

from subscriptions.consumers import EventConsumer

websocket_urlpatterns = [path("v1.0/ws", EventConsumer.as_asgi())]
