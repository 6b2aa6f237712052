"""The ASGI application: HTTP to Django, WebSockets to the consumer."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voipbin_ws.settings")
django_application = get_asgi_application()

from voipbin_ws.application import GatewayApplication  # noqa: E402 - needs the apps that the line above loads
from voipbin_ws.checks import say_what_checks_find  # noqa: E402

say_what_checks_find()
application = GatewayApplication(django_application)
