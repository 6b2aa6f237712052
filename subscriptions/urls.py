"""HTTP addresses of the subscriptions app."""

from django.urls import path

from subscriptions.api import LoginView, WebSocketAddressView
from subscriptions.directory import MeView

urlpatterns = [
    path("auth/login", LoginView.as_view(), name="login"),
    path("v1.0/me", MeView.as_view(), name="me"),
    path("v1.0/ws", WebSocketAddressView.as_view(), name="websocket"),
]
