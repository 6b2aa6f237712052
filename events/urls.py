"""The URLs of the events app."""

from django.urls import path

from events.api.event_type_views import EventTypesView, EventTypeView
from events.api.past_states_view import PastStatesView
from events.api.summary_view import SummaryView
from events.api.views import CallsView, EventsView, EventView, ResourceStatesView, VoipbinWebhookView

urlpatterns = [
    path("v1.0/events", EventsView.as_view(), name="events"),
    path("v1.0/events/<str:event_id>", EventView.as_view(), name="event"),
    path("v1.0/event-types", EventTypesView.as_view(), name="event-types"),
    path("v1.0/event-types/<str:event_type>", EventTypeView.as_view(), name="event-type"),
    path("v1.0/resources/<str:resource>", ResourceStatesView.as_view(), name="resource-states"),
    path("v1.0/calls", CallsView.as_view(), name="calls"),
    path("v1.0/queues", ResourceStatesView.as_view(), {"resource": "queue"}, name="queues"),
    path("v1.0/agents", ResourceStatesView.as_view(), {"resource": "agent"}, name="agents"),
    path("v1.0/states", PastStatesView.as_view(), name="past-states"),
    path("v1.0/summary", SummaryView.as_view(), name="summary"),
    path("v1.0/webhooks/voipbin", VoipbinWebhookView.as_view(), name="voipbin-webhook"),
]
