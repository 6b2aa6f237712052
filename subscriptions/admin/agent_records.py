"""What the admin pages of audit records and live connections share: their agents."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from events.admin.records import RecordAdmin
from subscriptions.event_hooks.directory import directory

_UUID_END = re.compile(r"(?<=\b[0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class AgentRecordAdmin(RecordAdmin):
    """Pages of a model with `customer_id` and `agent_id`."""

    def found_by(self, term: str) -> Q:
        return super().found_by(term) | Q(agent_id__in=directory.agents_named(term))

    def name_rows(self, rows: Iterable[Any]) -> None:
        rows = list(rows)
        super().name_rows(rows)
        names = directory.agent_names({row.agent_id for row in rows if row.agent_id is not None})
        for row in rows:
            row.agent_name = names.get((row.customer_id, row.agent_id), "")

    @admin.display(description=gettext_lazy("agent"))
    def agent(self, row: Any) -> SafeString | str | None:
        if row.agent_id is None:
            return None
        if not row.agent_name:
            return str(row.agent_id)
        return format_html('<a href="{}">{}</a>', directory.agent_url(row.agent_id), row.agent_name)


def shortened(topic: str) -> str:
    """Return the topic with only the first eight characters of its UUIDs."""
    return _UUID_END.sub("…", topic)
