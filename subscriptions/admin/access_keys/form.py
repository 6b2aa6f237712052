"""The forms of access keys: of a program, and of a wallboard."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget, FilteredSelectMultiple
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from events.quantities import moment_text
from subscriptions.admin.customer_scoped import OperatorForm
from subscriptions.api.me import topics_for
from subscriptions.auth.access_keys import key_identity
from subscriptions.auth.credentials import BadCredential
from subscriptions.control.rights import allowed_topics, canonical_filter
from subscriptions.models import AccessKey, KeyKind, Queue, display_topics

KEEP = "keep"
NEVER = "never"
ON_DATE = "date"
DAYS = {
    "1": gettext_lazy("In 1 day"),
    "7": gettext_lazy("In 7 days"),
    "90": gettext_lazy("In 90 days"),
    "365": gettext_lazy("In 365 days"),
}


RATES = ("events_per_second", "kilobytes_per_second")


class KeyForm(OperatorForm):
    """What the forms of all kinds of keys have: the label and the expiry."""

    expiry = forms.ChoiceField(label=gettext_lazy("Expires"), widget=forms.RadioSelect)
    expires_on = forms.DateField(
        label=gettext_lazy("Expiry date"),
        required=False,
        widget=AdminDateWidget,
        help_text=gettext_lazy("The key is valid until the end of this day (UTC)."),
    )
    made_as = forms.UUIDField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = AccessKey
        fields = ["label"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = self.instance._state.adding
        if "expiry" in self.fields:
            choices = [
                (NEVER, gettext("Never")),
                *DAYS.items(),
                (ON_DATE, gettext("On the expiry date below")),
            ]
            if not self.is_new:
                choices.insert(
                    0, (KEEP, gettext("Unchanged: {expiry}").format(expiry=expiry_text(self.instance)))
                )
            field: Any = self.fields["expiry"]
            field.choices = choices
            self.initial["expiry"] = "365" if self.is_new else KEEP
        if self.is_new:
            self.initial["made_as"] = uuid.uuid4()

    def clean_expires_on(self) -> dt.date | None:
        day: dt.date | None = self.cleaned_data["expires_on"]
        if day is not None and day < timezone.now().date():
            raise ValidationError(gettext("This date is in the past: choose today or later."))
        return day

    def clean_made_as(self) -> uuid.UUID | None:
        sent: uuid.UUID | None = self.cleaned_data["made_as"]
        # Of the operator and customer too, so that no one can choose the id of a key, or learn that it exists.
        made_as = uuid.uuid5(sent, f"{self.user.pk} {self.customer.pk}") if sent else None
        if self.is_new and made_as and AccessKey.objects.filter(pk=made_as).exists():
            raise ValidationError(
                gettext(
                    "This key was created already, and its secret is not shown again. If you have not copied it, "
                    "revoke the key and create another."
                )
            )
        return made_as

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if (
            cleaned.get("expiry") == ON_DATE
            and not cleaned.get("expires_on")
            and "expires_on" not in self.errors
        ):
            self.add_error("expires_on", gettext("Choose a date, or another expiry."))
        if "made_as" in self.errors:
            # Shown at the top of the form, because the field is hidden.
            self.add_error(None, self.errors.pop("made_as").as_data())
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.is_new and (made_as := self.cleaned_data.get("made_as")):
            self.instance.pk = made_as
        if expiry := self.cleaned_data.get("expiry"):
            self._set_expiry(expiry)

    def _set_expiry(self, expiry: str) -> None:
        if expiry == NEVER:
            self.instance.expires_at = None
        elif expiry in DAYS:
            self.instance.expires_at = timezone.now() + dt.timedelta(days=int(expiry))
        elif expiry == ON_DATE and (day := self.cleaned_data.get("expires_on")):
            self.instance.expires_at = dt.datetime.combine(day, dt.time.max, dt.UTC)


class AccessKeyForm(KeyForm):
    """The form of a program's key."""

    allowed_topics = forms.CharField(
        required=False,
        label=gettext_lazy("Allowed topics"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 80, "spellcheck": "false"}),
    )
    filter = forms.CharField(
        required=False,
        label=gettext_lazy("Filter"),
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80, "spellcheck": "false"}),
        help_text=gettext_lazy(
            'JSON such as {"field": "queue_id", "op": "eq", "value": "…"}. The key reads only events and states '
            "that match; it does not limit what the key publishes. Empty for no filter."
        ),
    )

    class Meta(KeyForm.Meta):
        fields = [
            "label",
            "agent",
            "may_subscribe",
            "may_publish",
            "may_control",
            "masks_numbers",
            "allowed_topics",
            "filter",
            *RATES,
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any
        if "agent" in self.fields:
            field = self.fields["agent"]
            field.queryset = self.agents_offered()
            field.empty_label = gettext("– (key of the whole customer)")
            field.label_from_instance = lambda agent: f"{agent.name} ({agent.get_role_display()})"
        if "allowed_topics" in self.fields:
            self.initial["allowed_topics"] = "\n".join(self.instance.allowed_topics)
            self.fields["allowed_topics"].help_text = gettext(
                "One per line, such as customer_id:{customer}:call:*. They limit what the key may subscribe "
                "to, read over REST and publish. Empty for no limit."
            ).format(customer=self.customer.pk)
        for name, setting in zip(RATES, ("KEY_EVENTS_PER_SECOND", "KEY_BYTES_PER_SECOND"), strict=True):
            if name in self.fields:
                default = gettext("Empty for the default of {setting}.").format(setting=setting)
                self.fields[name].help_text = f"{self.fields[name].help_text} {default}"

    def clean_allowed_topics(self) -> list[str]:
        return allowed_topics([line.strip() for line in self.cleaned_data["allowed_topics"].splitlines()])

    def clean_filter(self) -> str:
        return canonical_filter(self.cleaned_data["filter"])

    def _post_clean(self) -> None:
        super()._post_clean()
        self._require_effective_topics()

    def _require_effective_topics(self) -> None:
        """Refuse allowed topics if the key may not subscribe to any of them."""
        if self.errors or not self.instance.allowed_topics or not self.instance.may_subscribe:
            return
        try:
            identity = key_identity(self.instance)
        except BadCredential:
            return  # It may subscribe to nothing now, whatever its topics.
        topics = topics_for(identity)
        if not identity.is_platform_staff and not topics:
            wide = topics_for(replace(identity, allowed_topics=None))
            self.add_error(
                "allowed_topics",
                gettext("With these the key could subscribe to nothing. It may use: {topics}.").format(
                    topics=", ".join(wide) or gettext("nothing")
                ),
            )


class DisplayForm(KeyForm):
    """The form of a wallboard's key."""

    queues = forms.ModelMultipleChoiceField(
        queryset=Queue.objects.none(),
        required=False,
        label=gettext_lazy("Queues"),
        widget=FilteredSelectMultiple(gettext_lazy("queues"), is_stacked=False),
        help_text=gettext_lazy("The queues that the wallboard shows. None chosen: all."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "label" in self.fields:
            self.fields["label"].help_text = gettext_lazy(
                "The title of the wallboard, by which Live connections lists it."
            )
        if "queues" in self.fields:
            field: Any = self.fields["queues"]
            field.queryset = self.customer.queues.order_by("name")
            field.label_from_instance = lambda queue: queue.name
            self.initial["queues"] = self.instance.queue_ids

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.instance.kind = KeyKind.DISPLAY
        if "queues" in cleaned:
            ids = [queue.pk for queue in cleaned["queues"]]
            self.instance.allowed_topics = display_topics(self.customer.pk, ids)
        return cleaned


def expiry_text(key: AccessKey) -> str:
    """Return when the key expires."""
    return gettext("never") if key.expires_at is None else moment_text(key.expires_at)
