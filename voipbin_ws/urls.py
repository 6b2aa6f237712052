"""All HTTP addresses of the gateway."""

from django.contrib import admin
from django.urls import include, path

from voipbin_ws.http import error_pages
from voipbin_ws.observability import health, metrics_endpoints
from voipbin_ws.pages import api_docs as api_description
from voipbin_ws.pages import guides
from voipbin_ws.pages import views as pages

urlpatterns = [
    path("", pages.dashboard, name="dashboard"),
    path("agent", pages.agent_desktop, name="agent-desktop"),
    path("wallboard/", pages.wallboard, name="wallboard"),
    path("invitation/", pages.invitation, name="invitation-page"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics_endpoints.metrics, name="metrics"),
    path("readyz", health.readyz, name="readyz"),
    path("v1.0/openapi.json", api_description.openapi, name="openapi"),
    path("v1.0/asyncapi.yaml", api_description.asyncapi, name="asyncapi"),
    path("console", guides.console, name="console"),
    path("docs", guides.index, name="docs"),
    path("docs/events", guides.event_types, name="events-page"),
    path("docs/errors", guides.errors, name="errors-page"),
    path("docs/rest", api_description.rest_page, name="rest-page"),
    path("docs/websocket", api_description.websocket_page, name="websocket-page"),
    path("docs/<slug:name>", guides.document, name="document"),
    path("", include("events.urls")),
    path("", include("subscriptions.urls")),
    path("admin/", admin.site.urls),
]

handler400 = error_pages.bad_request
handler403 = error_pages.forbidden
handler404 = error_pages.not_found
handler500 = error_pages.failed
