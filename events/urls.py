"""Addresses of the events app."""

from django.urls import path

from events.api import EventsView, VoipbinWebhookView

urlpatterns = [
    path("v1.0/events", EventsView.as_view(), name="events"),
    path("v1.0/webhooks/voipbin", VoipbinWebhookView.as_view(), name="voipbin-webhook"),
]
