"""The form of an agent with its user: name, sign-in, permissions and status."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UsernameField
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext, gettext_lazy

from events.domain.topics import PLATFORM_RESOURCES, PUBLISHED_RESOURCES, known_resources
from subscriptions.admin.customer_scoped import OperatorForm
from subscriptions.control.agents import admin_use_problem, login_name, username_ending
from subscriptions.models import Agent, AgentRole, AgentStatus, Queue
from subscriptions.models.limits import limit_problem, validate_limits
from subscriptions.models.teams import split_teams
from subscriptions.platform.agent_status import CHOOSABLE

User = get_user_model()


def resource_choices(held: list[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the known resources in groups, and those of `held` that are unknown now."""
    known = known_resources(settings.EVENTS_EXTRA_RESOURCES)
    extra = sorted(known - {*PUBLISHED_RESOURCES, *PLATFORM_RESOURCES})
    groups = {
        gettext("Published API"): PUBLISHED_RESOURCES,
        gettext("Other platform resources"): sorted(PLATFORM_RESOURCES),
        gettext("Added by EXTRA_RESOURCES"): extra,
        gettext("No longer known: deselect"): [name for name in held if name not in known],
    }
    return [(title, [(name, name) for name in names]) for title, names in groups.items() if names]


class TeamsField(forms.CharField):
    """Names of teams, separated by commas."""

    widget = forms.TextInput(attrs={"class": "vTextField"})

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return split_teams(super().to_python(value) or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class AgentForm(OperatorForm):
    """The form of an agent and its user."""

    username = UsernameField(
        label=gettext_lazy("User name"),
        max_length=User._meta.get_field("username").max_length,
        help_text=gettext_lazy("For signing in: letters, digits and @ . + - _ only."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )
    may_use_admin = forms.BooleanField(
        label=gettext_lazy("May use the admin"),
        required=False,
        help_text=gettext_lazy(
            "Only for admins, who see and manage their own customer, and for platform staff."
        ),
    )
    queues = forms.ModelMultipleChoiceField(
        queryset=Queue.objects.none(),
        required=False,
        label=gettext_lazy("Queues"),
        widget=FilteredSelectMultiple(gettext_lazy("queues"), is_stacked=False),
        help_text=gettext_lazy("The agent receives the events of these queues on its own topics."),
    )
    granted_resources = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("Granted resources"),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "resources"}),
        help_text=gettext_lazy(
            "Resources of the customer that the agent may subscribe to, besides its own topics. Managers and admins "
            "may subscribe to everything."
        ),
    )

    teams = TeamsField(
        required=False,
        label=gettext_lazy("Teams"),
        help_text=gettext_lazy(
            "Separated by commas, such as: Support, Night shift. The dashboard finds agents by them."
        ),
    )

    limited_queues = forms.ModelMultipleChoiceField(
        queryset=Queue.objects.none(),
        required=False,
        label=gettext_lazy("Limited to queues"),
        widget=FilteredSelectMultiple(gettext_lazy("queues"), is_stacked=False),
        help_text=gettext_lazy(
            "A manager sees these queues alone, with their calls and agents. Empty for all."
        ),
    )
    limited_teams = TeamsField(
        required=False,
        label=gettext_lazy("Limited to teams"),
        help_text=gettext_lazy(
            "A manager sees the agents of these teams alone, with their calls, beside the queues above. Empty for all."
        ),
    )

    class Meta:
        model = Agent
        fields = ["name", "id", "role", "is_active", "status", "queues", "granted_resources", "teams"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = self.instance._state.adding
        self.login = User() if self.is_new else self.instance.user
        if "role" not in self.fields:
            return  # Operators who may only view get no fields.
        fields: dict[str, Any] = self.fields
        fields["queues"].queryset = self.customer.queues.order_by("name")
        fields["queues"].label_from_instance = lambda queue: queue.name
        if "limited_queues" in fields:
            fields["limited_queues"].queryset = self.customer.queues.order_by("name")
            fields["limited_queues"].label_from_instance = lambda queue: queue.name
            self.initial["limited_queues"] = self.instance.limited_to.get("queues", [])
            self.initial["limited_teams"] = self.instance.limited_to.get("teams", [])
        if "status" in fields:
            # The others follow from calls.
            known = {*CHOOSABLE, self.instance.status}
            fields["status"].choices = [choice for choice in fields["status"].choices if choice[0] in known]
        if not self.operator.is_platform:
            ending = username_ending(self.customer)
            rule = gettext("A new one ends with {ending}: it is added if you leave it out.").format(
                ending=ending
            )
            fields["username"].help_text = f"{fields['username'].help_text} {rule}"
        held = [] if self.is_new else list(self.instance.granted_resources)
        fields["granted_resources"].choices = resource_choices(held)
        if not self.operator.is_platform:
            fields["role"].choices = [
                choice for choice in fields["role"].choices if choice[0] != AgentRole.STAFF
            ]
        if not self.is_new:
            self.initial["username"] = self.login.get_username()
            self.initial["may_use_admin"] = self.login.is_staff

    def clean_username(self) -> str:
        wanted: str = self.cleaned_data["username"]
        username = login_name(self.login, self.customer, wanted, is_platform=self.operator.is_platform)
        self.login.username = username
        return username

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("may_use_admin") and (problem := admin_use_problem(cleaned.get("role", ""))):
            self.add_error("may_use_admin", problem)
        self._clean_limits(cleaned)
        if self._is_own_user() and not (
            cleaned.get("is_active")
            and cleaned.get("may_use_admin")
            and cleaned.get("role") == self.initial["role"]
        ):
            raise ValidationError(
                gettext(
                    "You cannot switch yourself off, change your own role or lock yourself out: ask another admin."
                )
            )
        return cleaned

    def _clean_limits(self, cleaned: dict[str, Any]) -> None:
        """Set what the agent is limited to."""
        if {"limited_queues", "limited_teams"} & self.errors.keys() or "limited_queues" not in cleaned:
            return
        chosen = {
            "queues": [str(queue.pk) for queue in cleaned["limited_queues"]],
            "teams": cleaned["limited_teams"],
        }
        limited_to = {kind: values for kind, values in chosen.items() if values}
        if problem := limit_problem(cleaned.get("role", ""), limited_to):
            name = "limited_queues" if "queues" in limited_to else "limited_teams"
            self.add_error(name, f"{problem[0].upper()}{problem[1:]}.")
            return
        try:
            validate_limits(limited_to)
        except ValidationError as error:
            self.add_error("limited_teams", error)
        self.instance.limited_to = limited_to

    def _is_own_user(self) -> bool:
        return not self.is_new and self.login.pk == self.user.pk and not self.user.is_superuser

    @transaction.atomic
    def store(self) -> None:
        """Save the user and the agent without its status, which is published afterwards."""
        self.instance.status = self.initial.get("status", AgentStatus.OFFLINE)
        self.login.is_staff = self.cleaned_data["may_use_admin"]
        if self.is_new:
            # The agent sets one with an invitation.
            self.login.set_unusable_password()
        self.login.save()
        self.instance.user = self.login
        self.instance.save()
