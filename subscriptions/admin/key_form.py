"""The form of an access key, with its expiry as people say it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import ValidationError
from django.utils import timezone

from subscriptions.admin.of_customer import OperatorForm
from subscriptions.models import AccessKey, Agent

KEEP = "keep"
NEVER = "never"
ON_DATE = "date"
DAYS = {"30": "In 30 days", "90": "In 90 days", "365": "In a year"}


class AccessKeyForm(OperatorForm):
    expiry = forms.ChoiceField(label="Expires", widget=forms.RadioSelect)
    expires_on = forms.DateField(
        label="On this date",
        required=False,
        widget=AdminDateWidget,
        help_text="The key works to the end of this day, in UTC.",
    )
    made_as = forms.UUIDField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = AccessKey
        fields = ["label", "agent", "may_subscribe", "may_publish"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = self.instance._state.adding
        if "agent" in self.fields:
            agents = self.customer.agents.order_by("name")
            if not self.operator.is_platform:
                agents = agents.exclude(pk__in=Agent.objects.of_the_platform())
            self.fields["agent"].queryset = agents
            self.fields["agent"].empty_label = "nobody: it hears everything of the customer"
            self.fields["agent"].label_from_instance = lambda agent: (
                f"{agent.name} ({agent.get_role_display()})"
            )
        if "expiry" in self.fields:
            choices = [(NEVER, "Never"), *DAYS.items(), (ON_DATE, "On a date, below")]
            if not self.is_new:
                choices.insert(0, (KEEP, f"As it is: {expiry_in_words(self.instance)}"))
            self.fields["expiry"].choices = choices
            self.initial["expiry"] = "365" if self.is_new else KEEP
        if self.is_new:
            self.initial["made_as"] = uuid.uuid4()

    def clean_expires_on(self) -> dt.date | None:
        day = self.cleaned_data["expires_on"]
        if day is not None and day < timezone.now().date():
            raise ValidationError("This day is over: choose today or later.")
        return day

    def clean_made_as(self) -> uuid.UUID | None:
        made_as = self.cleaned_data["made_as"]
        if self.is_new and AccessKey.objects.filter(pk=made_as).exists():
            raise ValidationError(
                "This key was made already, and its secret is not shown twice. If you did not note it, revoke the "
                "key and make another."
            )
        return made_as

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if (
            cleaned.get("expiry") == ON_DATE
            and not cleaned.get("expires_on")
            and "expires_on" not in self.errors
        ):
            self.add_error("expires_on", "Choose a date, or another expiry.")
        if "made_as" in self.errors:
            # Its field is hidden.
            self.add_error(None, self.errors.pop("made_as").as_data())
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()
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


def expiry_in_words(key: AccessKey) -> str:
    """When the key expires."""
    return "never" if key.expires_at is None else f"{key.expires_at:%Y-%m-%d %H:%M} UTC"
