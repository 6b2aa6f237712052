"""HTTP URLs of the subscriptions app."""

from django.urls import path

from subscriptions.api.account import LogoutView, PasswordView
from subscriptions.api.actions import ActionsView, CallActionView, MessagesView
from subscriptions.api.agent_sign_out import AgentSignOutView
from subscriptions.api.agent_status import AgentStatusView
from subscriptions.api.control import views as control
from subscriptions.api.control.imports import ImportView
from subscriptions.api.control.invitations import InvitationView as AgentInvitationView
from subscriptions.api.control.tokens import TokensView
from subscriptions.api.desk.calls import CallerView, CallNoteView
from subscriptions.api.desk.colleagues import AgentDayView, TransferTargetsView
from subscriptions.api.desk.conversations import ConversationsView, ConversationView, MessageConversationView
from subscriptions.api.desk.reveal import CallRevealView, MessageRevealView
from subscriptions.api.display import DisplayView
from subscriptions.api.explain import ExplainView
from subscriptions.api.invitations import InvitationAcceptView, InvitationView
from subscriptions.api.login import LoginView, WebSocketAddressView
from subscriptions.api.me import CustomersView, MeView

urlpatterns = [
    path("auth/login", LoginView.as_view(), name="login"),
    path("auth/logout", LogoutView.as_view(), name="logout"),
    path("auth/invitation", InvitationView.as_view(), name="invitation"),
    path("auth/invitation/accept", InvitationAcceptView.as_view(), name="invitation-accept"),
    path("auth/password", PasswordView.as_view(), name="password"),
    path("v1.0/customers", CustomersView.as_view(), name="customers"),
    path("v1.0/display", DisplayView.as_view(), name="display"),
    path("v1.0/explain", ExplainView.as_view(), name="explain"),
    path("v1.0/me", MeView.as_view(), name="me"),
    path("v1.0/actions", ActionsView.as_view(), name="actions"),
    path("v1.0/agents/<str:agent_id>/status", AgentStatusView.as_view(), name="agent-status"),
    path("v1.0/agents/<str:agent_id>/sign-out", AgentSignOutView.as_view(), name="agent-sign-out"),
    path("v1.0/agents/<str:agent_id>/day", AgentDayView.as_view(), name="agent-day"),
    path("v1.0/transfer-targets", TransferTargetsView.as_view(), name="transfer-targets"),
    path("v1.0/conversations", ConversationsView.as_view(), name="conversations"),
    path("v1.0/conversations/<str:number>", ConversationView.as_view(), name="conversation"),
    path("v1.0/calls/<path:call_id>/note", CallNoteView.as_view(), name="call-note"),
    path("v1.0/calls/<path:call_id>/caller", CallerView.as_view(), name="call-caller"),
    path("v1.0/calls/<path:call_id>/reveal", CallRevealView.as_view(), name="call-reveal"),
    path("v1.0/calls/<path:call_id>/<str:action>", CallActionView.as_view(), name="call-action"),
    path(
        "v1.0/messages/<path:message_id>/conversation",
        MessageConversationView.as_view(),
        name="message-conversation",
    ),
    path("v1.0/messages/<path:message_id>/reveal", MessageRevealView.as_view(), name="message-reveal"),
    path("v1.0/messages", MessagesView.as_view(), {"resource": "message"}, name="messages"),
    path("v1.0/control/customers", control.CustomersView.as_view(), name="control-customers"),
    path("v1.0/control/customers/<str:row_id>", control.CustomerView.as_view(), name="control-customer"),
    path("v1.0/control/queues", control.QueuesView.as_view(), name="control-queues"),
    path("v1.0/control/queues/<str:row_id>", control.QueueView.as_view(), name="control-queue"),
    path("v1.0/control/agents", control.AgentsView.as_view(), name="control-agents"),
    path("v1.0/control/agents/<str:row_id>", control.AgentView.as_view(), name="control-agent"),
    path(
        "v1.0/control/agents/<str:row_id>/invitation",
        AgentInvitationView.as_view(),
        name="control-invitation",
    ),
    path("v1.0/control/access-keys", control.AccessKeysView.as_view(), name="control-access-keys"),
    path("v1.0/control/access-keys/<str:row_id>", control.KeyView.as_view(), name="control-access-key"),
    path(
        "v1.0/control/access-keys/<str:row_id>/rotate",
        control.RotationView.as_view(),
        name="control-rotation",
    ),
    path("v1.0/control/tokens", TokensView.as_view(), name="control-tokens"),
    path("v1.0/control/import", ImportView.as_view(), name="control-import"),
    path("v1.0/control/opt-outs", control.OptOutsView.as_view(), name="control-opt-outs"),
    path("v1.0/control/opt-outs/<str:number>", control.OptOutView.as_view(), name="control-opt-out"),
    path("v1.0/ws", WebSocketAddressView.as_view(), name="websocket"),
]
