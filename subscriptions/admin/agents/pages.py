"""Admin pages of agents."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext

from events.admin.filters import CustomerFilter, LinkFilter
from events.admin.scope import pill
from events.api.errors import ApiError
from subscriptions.accounts.changes import record_status
from subscriptions.admin.agents.form import AgentForm
from subscriptions.admin.agents.inviting import InvitingAdmin
from subscriptions.admin.confirmation import confirmed
from subscriptions.admin.customer_scoped import OfCustomerAdmin, id_field, is_platform, sees_numbers
from subscriptions.admin.switching import SwitchableAdmin
from subscriptions.auth.logout import sign_out
from subscriptions.models import Agent, AgentPresence, Queue
from subscriptions.models.teams import is_in_team, names_of_teams
from subscriptions.platform.agent_status import choose_status


class TeamFilter(admin.SimpleListFilter):
    parameter_name = "team"
    title = gettext_lazy("team")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = names_of_teams(
            model_admin.get_queryset(request).exclude(teams=[]).values_list("teams", flat=True)
        )
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if (name := self.value()) is None:
            return queryset
        # Databases differ in how they search JSON, and in what they count as the same letter.
        teams = queryset.exclude(teams=[]).values_list("pk", "teams")
        return queryset.filter(pk__in=[pk for pk, names in teams if is_in_team(names, name)])


class QueueFilter(LinkFilter):
    parameter_name = "queue"
    title = gettext_lazy("queue")
    field = "queues"
    row_model = Queue


@admin.register(Agent)
class AgentAdmin(InvitingAdmin, SwitchableAdmin, OfCustomerAdmin):
    form = AgentForm
    empty_text = gettext_lazy("They sign in, take calls and see what is theirs; import many at once.")
    list_display = [
        "name",
        "username",
        "owner",
        "role",
        "standing",
        "status",
        "desktop",
        "serves",
        "in_teams",
        "sign_in",
        "uses_admin",
    ]
    list_filter = [CustomerFilter, "role", "is_active", "status", TeamFilter, QueueFilter]
    list_select_related = ["customer", "user", "invitation"]
    search_fields = ["name", "id", "user__username", "customer__name"]
    search_help_text = gettext_lazy("Name, id or user name of an agent, or name of a customer")
    actions = ["invite", "revoke_invitations", "sign_out_everywhere", "switch_off", "switch_on"]
    object_actions = ("invite", "revoke_invitations", "sign_out_everywhere")
    readonly_fields = [
        "owner",
        "sign_in",
        "tokens_valid_from",
        "status_changed_at",
        "desktop",
        "created_at",
        "login",
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Agent | None = None) -> list[Any]:
        may_write = self.has_change_permission(request, obj) if obj else True
        limits = ["limited_queues", "limited_teams"] if may_write else []
        login = ["username", "may_use_admin"] if may_write else ["login"]
        return [
            (None, {"fields": ["owner", "name", *id_field(request, obj)]}),
            (gettext("Sign in"), {"fields": [*login, *(["sign_in", "tokens_valid_from"] if obj else [])]}),
            (gettext("Permissions"), {"fields": ["role", "is_active", "granted_resources", *limits]}),
            (
                gettext("Work"),
                {"fields": ["status", *(["status_changed_at", "desktop"] if obj else []), "queues", "teams"]},
            ),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        agents = super().get_queryset(request).select_related("customer", "user", "invitation")
        if not is_platform(request):
            agents = agents.exclude(pk__in=Agent.objects.of_the_platform())
        is_present = Exists(AgentPresence.objects.filter(pk=OuterRef("pk"), is_lost=False))
        present: QuerySet[Agent] = agents.annotate(is_present=is_present)
        return present.prefetch_related(Prefetch("queues", Queue.objects.order_by("name")))

    def reaches(self, request: HttpRequest, row: Agent) -> bool:
        return super().reaches(request, row) and (not row.is_of_the_platform or is_platform(request))

    def may_change(self, request: HttpRequest, row: Agent | None) -> bool:
        if not sees_numbers(request):
            return False
        return row is None or request.user.is_superuser or not row.user.is_superuser

    def may_delete(self, request: HttpRequest, row: Agent | None) -> bool:
        return self.may_change(request, row) and (row is None or row.user_id != request.user.pk)

    def save_model(self, request: HttpRequest, obj: Agent, form: AgentForm, change: bool) -> None:
        form.store()
        username = obj.user.get_username()
        if username != form.data["username"]:
            self.message_user(
                request,
                gettext("{name} signs in with the user name {username}.").format(
                    name=obj.name, username=username
                ),
            )
        if obj.status != (chosen := form.cleaned_data["status"]):
            # The status is stored with its event, in a transaction of its own.
            transaction.on_commit(lambda: self._choose_status(request, obj, chosen))

    def response_add(
        self, request: HttpRequest, obj: Agent, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.show_new_invitations(request, [obj], is_new=True)

    def _choose_status(self, request: HttpRequest, agent: Agent, chosen: str) -> None:
        by = Agent.objects.filter(user=request.user.pk).values_list("pk", flat=True).first()
        before = agent.status
        try:
            if not choose_status(agent, chosen, set_by=str(by) if by else None):
                self.message_user(
                    request,
                    gettext("{name} will be {status} after the present call.").format(
                        name=agent.name, status=chosen
                    ),
                )
            record_status(agent, before, chosen, rule="by-operator")
        except ApiError as error:
            self.message_user(
                request,
                gettext("The status of {name} is still {status}: {reason}").format(
                    name=agent.name, status=agent.status, reason=error.message
                ),
                messages.WARNING,
            )

    @confirmed(
        gettext_lazy("Sign out everywhere"),
        question=gettext_lazy("Sign these agents out everywhere?"),
        consequence=gettext_lazy(
            "All tokens issued to them until now are refused, and their admin sessions end. They can sign in again "
            "with their passwords. Their access keys stay valid: revoke them separately."
        ),
    )
    def sign_out_everywhere(self, request: HttpRequest, agents: list[Agent]) -> HttpResponse:
        now = timezone.now()
        for agent in agents:
            sign_out(agent, now)
            self.log_change(request, agent, "Signed out everywhere.")
        text = ngettext(
            "Signed out everywhere: {count} agent.", "Signed out everywhere: {count} agents.", len(agents)
        )
        self.message_user(request, text.format(count=localize(len(agents))), messages.SUCCESS)
        return self.to_list()

    def switch(self, request: HttpRequest, rows: QuerySet[Agent], *, on: bool) -> None:
        # Operators cannot lock themselves out.
        super().switch(request, rows if on else rows.exclude(user=request.user.pk), on=on)

    @admin.display(description=gettext_lazy("user name"), ordering="user__username")
    def username(self, agent: Agent) -> str:
        return agent.user.get_username()

    login = username

    @admin.display(description=gettext_lazy("desktop"), ordering="is_present")
    def desktop(self, agent: Any) -> SafeString | str:
        """Return whether a connection with a token of the agent's own is open."""
        return pill(gettext("connected"), "good") if agent.is_present else "–"

    @admin.display(description=gettext_lazy("queues"))
    def serves(self, agent: Agent) -> str:
        return ", ".join(queue.name for queue in agent.queues.all()) or "–"

    @admin.display(description=gettext_lazy("teams"))
    def in_teams(self, agent: Agent) -> str:
        return ", ".join(agent.teams) or "–"

    @admin.display(description=gettext_lazy("admin"), boolean=True, ordering="user__is_staff")
    def uses_admin(self, agent: Agent) -> bool:
        return agent.user.is_staff
