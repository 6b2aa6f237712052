"""Admin pages of customers and their queues."""

# Long because a customer has one form with the settings of all parts.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.formats import localize, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext

from events.admin.scope import as_uuid, pill
from events.hooks import operator_of
from events.models import CustomerLog
from events.quantities import size_text
from subscriptions.admin.customer_scoped import OfCustomerAdmin, OperatorForm, deleted_together, id_field
from subscriptions.admin.desk_fields import EXAMPLES, LINES, LinesField
from subscriptions.admin.importing import MAX_FORM_BYTES, ImportingAdmin, import_page
from subscriptions.admin.setup_steps import setup_steps
from subscriptions.admin.switching import SwitchableAdmin
from subscriptions.auth.customer_quotas import KILOBYTE, MEGABYTE, quotas_of_customer
from subscriptions.control.tenants import NUMBER_MASKS, PRESENCE
from subscriptions.models import AccessKey, Agent, Customer, Queue
from subscriptions.models.desk_settings import DESK_FIELDS
from subscriptions.models.number_masks import MASKABLE_ROLES
from subscriptions.models.targets import TARGETS


class RolesField(forms.MultipleChoiceField):
    """A list of roles, as check boxes."""

    def __init__(self, **options: Any) -> None:
        known: Any = Agent._meta.get_field("role").choices
        choices = [choice for choice in known if choice[0] in MASKABLE_ROLES]
        super().__init__(choices=choices, required=False, widget=forms.CheckboxSelectMultiple, **options)


QUOTA_DEFAULTS: Mapping[str, tuple[str, int]] = {
    "events_per_second": ("CUSTOMER_EVENTS_PER_SECOND", 1),
    "kilobytes_per_second": ("CUSTOMER_BYTES_PER_SECOND", KILOBYTE),
    "stored_megabytes": ("CUSTOMER_MAX_STORED_BYTES", MEGABYTE),
    "max_connections": ("CUSTOMER_MAX_CONNECTIONS", 1),
}
"""The settings of the default quotas and the units of the fields."""

NEARLY_FULL = 0.8

_RELATED = (
    (gettext_lazy("Agents"), "subscriptions_agent"),
    (gettext_lazy("Queues"), "subscriptions_queue"),
    (gettext_lazy("Access keys"), "subscriptions_accesskey"),
    (gettext_lazy("Live connections"), "subscriptions_liveconnection"),
    (gettext_lazy("Events"), "events_event"),
    (gettext_lazy("Resource states"), "events_resourcestate"),
    (gettext_lazy("Audit log"), "subscriptions_auditrecord"),
)


def default_text(setting: str, unit: int) -> str:
    """Return the default of a quota in the unit of its field."""
    value = getattr(settings, setting)
    return (
        f"{number_format(f'{value / unit:.15g}', force_grouping=True)} ({setting})"
        if value
        else gettext("no limit ({setting})").format(setting=setting)
    )


def _count(model: Any) -> Subquery:
    rows = model.objects.filter(customer=OuterRef("pk")).order_by().values("customer")
    return Subquery(rows.annotate(count=Count("pk")).values("count"))


@admin.register(Customer)
class CustomerAdmin(ImportingAdmin, SwitchableAdmin):
    customer_path = "pk"
    empty_text = gettext_lazy("Everything else belongs to a customer: begin here, or import many.")
    list_display = [
        "name",
        "id",
        "standing",
        "agent_count",
        "queue_count",
        "key_count",
        "stored",
        "created_at",
    ]
    list_filter = ["is_active"]
    search_fields = ["name", "id"]
    search_help_text = gettext_lazy("Name or id of a customer")
    list_per_page = 50
    actions = ["switch_off", "switch_on"]
    readonly_fields = ["stored", "created_at", "related"]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="subscriptions_import"), *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        return import_page(request, self)

    import_view.max_body_bytes = MAX_FORM_BYTES  # type: ignore[attr-defined]

    def get_fieldsets(self, request: HttpRequest, obj: Customer | None = None) -> Any:
        names = ["name", *id_field(request, obj), "region", "time_zone", "is_active"]
        return [
            (None, {"fields": [*names, "created_at", "related"] if obj else names}),
            (gettext("Targets of its queues"), {"fields": list(TARGETS)}),
            (gettext("Desktops of agents"), {"fields": list(PRESENCE)}),
            (gettext("Agent desktop"), {"fields": list(DESK_FIELDS)}),
            (gettext("Telephone numbers"), {"fields": list(NUMBER_MASKS)}),
            (
                gettext("Quotas and checks"),
                {"fields": ["data_check", *QUOTA_DEFAULTS, *(["stored"] if obj else [])]},
            ),
        ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in NUMBER_MASKS:
            return RolesField(label=db_field.verbose_name.capitalize(), help_text=db_field.help_text)
        if db_field.name in LINES:
            text = f"{db_field.help_text} {EXAMPLES[db_field.name]}"
            return db_field.formfield(form_class=LinesField, help_text=text, **LINES[db_field.name])
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in QUOTA_DEFAULTS:
            setting, unit = QUOTA_DEFAULTS[db_field.name]
            default = gettext("Empty for the default: {value}.").format(value=default_text(setting, unit))
            field.help_text = f"{field.help_text} {default}"
        if db_field.name == "presence_policy":
            field.choices = db_field.choices
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        rows = super().get_queryset(request)
        log = CustomerLog.objects.filter(pk=OuterRef("pk"))
        annotated: QuerySet[Customer] = rows.annotate(
            stored_bytes=Subquery(log.values(size=F("written_bytes") - F("pruned_bytes"))),
            agent_count=_count(Agent),
            queue_count=_count(Queue),
            key_count=_count(AccessKey),
        )
        return annotated

    def may_change(self, request: HttpRequest, row: Customer | None) -> bool:
        """Return whether the operator sees all customers; a customer's own admin only views it."""
        operator = operator_of(request)
        return operator is not None and operator.customer_id is None

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (customer := kwargs.get("obj")) is not None:
            context["setup_steps"] = setup_steps(request, customer, self.admin_site)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, set[str], Any]:
        return deleted_together(self, request, objs)

    @admin.display(description=gettext_lazy("agents"), ordering="agent_count")
    def agent_count(self, customer: Any) -> int:
        return customer.agent_count or 0

    @admin.display(description=gettext_lazy("queues"), ordering="queue_count")
    def queue_count(self, customer: Any) -> int:
        return customer.queue_count or 0

    @admin.display(description=gettext_lazy("keys"), ordering="key_count")
    def key_count(self, customer: Any) -> int:
        return customer.key_count or 0

    @admin.display(description=gettext_lazy("stored data"), ordering="stored_bytes")
    def stored(self, customer: Any) -> SafeString | str:
        """Return how much of its quota the customer has used."""
        used, most = max(0, customer.stored_bytes or 0), quotas_of_customer(customer).stored_bytes
        if not most:
            return gettext("{size}, without a limit").format(size=size_text(used))
        text = gettext("{size} of {most}").format(size=size_text(used), most=size_text(most))
        if used < most * NEARLY_FULL:
            return text
        hint = gettext("raise the quota, or keep events for a shorter time (prune_events)")
        return format_html("{} {}", pill(text, "bad" if used >= most else "warn"), hint)

    @admin.display(description=gettext_lazy("related"))
    def related(self, customer: Customer) -> SafeString:
        links = [
            (reverse(f"admin:{name}_changelist") + f"?customer={customer.pk}", title)
            for title, name in _RELATED
        ]
        return format_html_join(" · ", '<a href="{}">{}</a>', links)


class QueueForm(OperatorForm):
    agents = forms.ModelMultipleChoiceField(
        queryset=Agent.objects.none(),
        required=False,
        label=gettext_lazy("Agents"),
        widget=FilteredSelectMultiple(gettext_lazy("agents"), is_stacked=False),
        help_text=gettext_lazy(
            "The agents who serve this queue. They receive its events on their own topics."
        ),
    )

    class Meta:
        model = Queue
        fields = ["name", "id", *TARGETS]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "agents" in self.fields:
            field: Any = self.fields["agents"]
            field.queryset = self.agents_offered()
            field.label_from_instance = lambda agent: agent.name
            if self.instance.pk and not self.instance._state.adding:
                self.initial.setdefault("agents", list(self.instance.agents.values_list("pk", flat=True)))

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        if "agents" in self.fields:
            # Agents that this operator may not see stay in the queue.
            others = self.instance.agents.exclude(pk__in=self.agents_offered())
            self.instance.agents.set([*self.cleaned_data["agents"], *others])


@admin.register(Queue)
class QueueAdmin(OfCustomerAdmin):
    form = QueueForm
    list_display = ["name", "owner", "id", "served_by"]
    empty_text = gettext_lazy("Callers wait in them for the agents who serve them.")
    search_fields = ["name", "id", "customer__name"]
    search_help_text = gettext_lazy("Name or id of a queue, or name of a customer")
    readonly_fields = ["owner"]

    def get_fieldsets(self, request: HttpRequest, obj: Queue | None = None) -> Any:
        return [
            (None, {"fields": ["owner", "name", *id_field(request, obj), "agents"]}),
            (gettext("Targets"), {"fields": list(TARGETS)}),
        ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in TARGETS and (customer := self._customer_of(request)):
            field.widget.attrs["placeholder"] = str(getattr(customer, db_field.name))
        return field

    def _customer_of(self, request: HttpRequest) -> Customer | None:
        """Return the customer of the queue that the page shows."""
        shown = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
        if shown is None:
            return self._chosen_customer(request)
        pk = as_uuid(shown)
        return self._customers(request).filter(queues__pk=pk).first() if pk else None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Queue]:
        queues: QuerySet[Queue] = super().get_queryset(request).annotate(agent_count=Count("agents"))
        return queues

    @admin.display(description=gettext_lazy("served by"), ordering="agent_count")
    def served_by(self, queue: Any) -> SafeString | str:
        url = reverse("admin:subscriptions_agent_changelist")
        if not queue.agent_count:
            return pill(gettext("no agents"), "warn")
        return format_html(
            '<a href="{}?queue={}">{}</a>',
            url,
            queue.pk,
            ngettext("{count} agent", "{count} agents", queue.agent_count).format(
                count=localize(queue.agent_count)
            ),
        )
