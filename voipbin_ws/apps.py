"""The project itself as a Django app, for its commands and static files."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "voipbin_ws"
    verbose_name = "Gateway"
