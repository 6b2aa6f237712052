"""The project as a Django app, for its commands, checks and static files, and its admin."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class GatewayConfig(AppConfig):
    name = "voipbin_ws"
    verbose_name = "Gateway"

    def ready(self) -> None:
        from voipbin_ws import checks  # noqa: F401 - they register themselves
        from voipbin_ws.languages.model_texts import translate_models

        translate_models()


class GatewayAdminConfig(AdminConfig):
    default_site = "voipbin_ws.admin.site.GatewayAdminSite"
