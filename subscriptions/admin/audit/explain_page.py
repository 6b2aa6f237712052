"""The admin page that explains why a receiver did or did not get an event.

It publishes test events as well.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from events.hooks import Operator, operator_of
from subscriptions.admin.audit.sentences import conclusion_of, in_language
from subscriptions.admin.customer_scoped import RowSelect
from subscriptions.audit.rule_texts import text_of
from subscriptions.explain.evidence import explain, subject_of_agent, subject_of_key
from subscriptions.explain.lookup import InvalidLookup, OperatorViewer, find
from subscriptions.explain.probe_event import probe_topics, publish_probe
from subscriptions.explain.report import Explanation, NoEvent, Outcome, Step, StoredEvent
from subscriptions.models import AccessKey, Agent, AuditRecord

ADDRESS = "admin:subscriptions_auditrecord_explain"

_PILLS = {
    Outcome.YES: (gettext_lazy("yes"), "good"),
    Outcome.NO: (gettext_lazy("no"), "bad"),
    Outcome.UNKNOWN: (gettext_lazy("not known"), "warn"),
    Outcome.SKIPPED: (gettext_lazy("not applicable"), "quiet"),
}


class ExplainForm(forms.Form):
    agent = forms.ModelChoiceField(Agent.objects.none(), label=gettext_lazy("Agent"), required=False)
    key = forms.ModelChoiceField(
        AccessKey.objects.none(), label=gettext_lazy("or access key"), required=False
    )
    what = forms.CharField(
        label=gettext_lazy("Event or topic"),
        max_length=400,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Id or cursor of an event; or a topic or pattern, whose newest event is explained."
        ),
    )

    def __init__(self, *args: Any, request: HttpRequest, site: admin.AdminSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.operator = operator_of(request)
        for name, model, path in (("agent", Agent, "agent"), ("key", AccessKey, "replaces")):
            # The operator may ask about the rows of the lists.
            self.fields[name].queryset = site.get_model_admin(model).get_queryset(request)  # type: ignore[attr-defined]
            self.fields[name].widget = RowSelect(
                AccessKey._meta.get_field(path),
                site,
                attrs={"data-placeholder": gettext("Not selected")},
                choices=self.fields[name].choices,  # type: ignore[attr-defined]
            )

    def clean_what(self) -> StoredEvent | NoEvent:
        assert self.operator is not None  # noqa: S101
        try:
            return find(self.cleaned_data["what"], OperatorViewer(self.operator.customer_id))
        except InvalidLookup as error:
            raise forms.ValidationError(f"{error}.") from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors.keys() & {"agent", "key"} and bool(cleaned.get("agent")) == bool(
            cleaned.get("key")
        ):
            raise forms.ValidationError(gettext("Choose the receiver: either an agent or an access key."))
        return cleaned

    @property
    def receiver(self) -> Agent | AccessKey | None:
        """The chosen receiver, also if other fields are invalid."""
        if not self.is_bound:
            return None
        self.full_clean()
        return self.cleaned_data.get("agent") or self.cleaned_data.get("key")


def explain_page(request: HttpRequest, records: Any) -> HttpResponse:
    """Show the page for GET; publish a test event for POST and redirect to its explanation.

    `records` is the admin of the audit log.
    """
    operator = operator_of(request)
    if operator is None or not records.has_view_permission(request):
        raise PermissionDenied
    site = records.admin_site
    query = request.POST if request.method == "POST" else request.GET
    # Links of other pages fill in one half of the form, which is not an error yet.
    has_receiver = "agent" in query or "key" in query
    form = ExplainForm(query if has_receiver else None, request=request, site=site, initial=query.dict())
    receiver = form.receiver
    if request.method == "POST":
        return _publish_probe(request, operator, receiver, records)
    explanation = None
    if receiver is not None and "what" not in query:
        form.errors.pop("what", None)
    elif receiver is not None and form.is_valid():
        subject = subject_of_agent(receiver) if isinstance(receiver, Agent) else subject_of_key(receiver)
        explanation = explain(subject, form.cleaned_data["what"])
    context = {
        **site.each_context(request),
        "opts": AuditRecord._meta,
        "title": gettext("Explain"),
        "form": form,
        "media": records.media + form.media,
        "receiver": receiver,
        "may_probe": receiver is not None and _may_probe(operator, receiver),
        "probe_topics": probe_topics(receiver) if receiver is not None else (),
        "explanation": explanation and _shown(explanation),
    }
    return TemplateResponse(request, "admin/subscriptions/auditrecord/explain.html", context)


def _may_probe(operator: Operator, receiver: Agent | AccessKey) -> bool:
    return operator.may_by_role and operator.sees(receiver.customer_id)


def _publish_probe(
    request: HttpRequest, operator: Operator, receiver: Agent | AccessKey | None, records: Any
) -> HttpResponse:
    if receiver is None or not _may_probe(operator, receiver):
        raise PermissionDenied
    receipt = publish_probe(receiver)
    records.admin_site.get_model_admin(type(receiver)).log_change(
        request, receiver, f"Published a test event: {receipt.id}."
    )
    messages.success(request, gettext("The test event was published. The result:"))
    return HttpResponseRedirect(address_of_explain(receiver, receipt.id))


def address_of_explain(receiver: Agent | AccessKey | None, what: str) -> str:
    """Return the URL of the page for this receiver and this event or topic."""
    query = {"what": what} if what else {}
    if receiver is not None:
        query["agent" if isinstance(receiver, Agent) else "key"] = str(receiver.pk)
    return f"{reverse(ADDRESS)}?{urlencode(query)}"


def _shown(explanation: Explanation) -> dict[str, Any]:
    _, kind = _PILLS[explanation.outcome]
    titles = {
        Outcome.YES: gettext("It was delivered"),
        Outcome.UNKNOWN: gettext("Whether it was delivered is not known"),
    }
    return {
        "title": titles.get(explanation.outcome, gettext("It was not delivered")),
        "kind": "bad" if explanation.outcome in (Outcome.NO, Outcome.SKIPPED) else kind,
        "conclusion": conclusion_of(explanation),
        "steps": [_shown_step(step, step is explanation.reason) for step in explanation.steps],
    }


def _shown_step(step: Step, is_reason: bool) -> dict[str, Any]:
    label, kind = _PILLS[step.outcome]
    return {
        "step": step,
        "question": in_language(step.question),
        "message": in_language(step.message),
        "label": label,
        "kind": kind,
        "is_reason": is_reason,
        "meaning": text_of(step.rule),
        "facts": [(name, value, _link(name, value)) for name, value in step.facts],
        "shows_rule": step.outcome is not Outcome.YES or text_of(step.rule),
    }


def _link(name: str, value: str) -> str:
    """Return the URL of a page about the fact, or ""."""
    if name == "id":
        return reverse("admin:events_event_change", args=[value])
    text = value if name == "connection" else value.removeprefix("connection ")
    if text == value and name != "connection":
        return ""
    return f"{reverse('admin:subscriptions_auditrecord_changelist')}?q={text.partition(',')[0]}"
