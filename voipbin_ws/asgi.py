"""The ASGI application: HTTP to Django, WebSockets to the consumers."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voipbin_ws.settings")
django.setup(set_prefix=False)

from voipbin_ws.checks import log_check_results  # noqa: E402
from voipbin_ws.http.django_handler import SingleThreadHandler  # noqa: E402
from voipbin_ws.http.loop_responses import LoopEndpoints  # noqa: E402
from voipbin_ws.http.publish_endpoint import PublishEndpoint  # noqa: E402
from voipbin_ws.http.stream_endpoint import StreamEndpoint  # noqa: E402
from voipbin_ws.servers.application import GatewayApplication  # noqa: E402 - needs the apps that the line above loads

log_check_results()
application = GatewayApplication(PublishEndpoint(StreamEndpoint(LoopEndpoints(SingleThreadHandler()))))
