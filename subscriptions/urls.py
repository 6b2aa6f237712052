"""HTTP URLs of the subscriptions app."""

from django.urls import path

from subscriptions.api.account import LogoutView, PasswordView
from subscriptions.api.actions import ActionsView, CallActionView, MessagesView
from subscriptions.api.agent_status import AgentStatusView
from subscriptions.api.explain import ExplainView
from subscriptions.api.login import LoginView, WebSocketAddressView
from subscriptions.api.me import CustomersView, MeView

urlpatterns = [
    path("auth/login", LoginView.as_view(), name="login"),
    path("auth/logout", LogoutView.as_view(), name="logout"),
    path("auth/password", PasswordView.as_view(), name="password"),
    path("v1.0/customers", CustomersView.as_view(), name="customers"),
    path("v1.0/explain", ExplainView.as_view(), name="explain"),
    path("v1.0/me", MeView.as_view(), name="me"),
    path("v1.0/actions", ActionsView.as_view(), name="actions"),
    path("v1.0/agents/<str:agent_id>/status", AgentStatusView.as_view(), name="agent-status"),
    path("v1.0/calls/<path:call_id>/<str:action>", CallActionView.as_view(), name="call-action"),
    path("v1.0/messages", MessagesView.as_view(), {"resource": "message"}, name="messages"),
    path("v1.0/ws", WebSocketAddressView.as_view(), name="websocket"),
]
