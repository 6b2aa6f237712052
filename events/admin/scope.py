"""Which rows an operator sees in the admin, and what its lists and forms accept."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IS_FACETS_VAR, IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

from events.hooks import operator_of
from events.redaction import redact_secrets

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MAX_SEARCH_CHARACTERS = 200
MAX_ORDER_CHARACTERS = 100


class RefusedQuery(BadRequest):
    """A query that a page of the admin refuses; its text says why, and repeats nothing of it."""


class DeclaredChangeList(ChangeList):
    """A list that accepts only its search, its declared filters and its own links.

    Django's own accepts any look-up of the model's fields in the URL. One by a regular expression would block the whole
    process on SQLite, where Python evaluates it.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        """Return the filters in use.

        Raises:
            IncorrectLookupParameters: The URL has a parameter that the list does not declare.
        """
        if IS_FACETS_VAR in request.GET or len(request.GET.get(ORDER_VAR, "")) > MAX_ORDER_CHARACTERS:
            raise IncorrectLookupParameters
        filters = super().get_filters(request)
        if filters[2]:
            raise IncorrectLookupParameters
        return filters


def require_short_search(text: str) -> None:
    """Raise RefusedQuery for a text that is too long to search for."""
    if len(text) > MAX_SEARCH_CHARACTERS:
        raise RefusedQuery(
            gettext("A search has at most {count} characters").format(count=localize(MAX_SEARCH_CHARACTERS))
        )


def refuse_secrets(value: object) -> None:
    """Raise ValidationError for a text with a credential, which the pages would show."""
    if isinstance(value, str) and redact_secrets(value) != value:
        raise ValidationError(gettext("This contains a credential, which would be shown here: remove it."))


class DeclaredAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages with a `DeclaredChangeList`, whose forms take no credential in readable fields."""

    empty_text: StrOrPromise = ""
    """What an empty list says beside that it is empty: what makes rows appear in it."""

    counted_as: StrOrPromise = ""
    """What the rows are called where they are counted, if not by the name of the list."""

    def get_form(
        self, request: HttpRequest, obj: Any | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        for field in form.base_fields.values():
            is_secret = isinstance(field.widget, forms.PasswordInput)
            if (
                isinstance(field, forms.CharField)
                and not is_secret
                and refuse_secrets not in field.validators
            ):
                field.validators.append(refuse_secrets)
        return form

    show_facets = admin.ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DeclaredChangeList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Return the list.

        Raises:
            RefusedQuery: The URL has a filter, value or page that the list does not have. Django itself would redirect
                to the whole list, as if it were the answer.
        """
        require_short_search(request.GET.get(SEARCH_VAR, ""))
        try:
            changelist: ChangeList = super().get_changelist_instance(request)
        except IncorrectLookupParameters:
            raise RefusedQuery(
                gettext("This list has no such filter, value or page: use its own links and fields")
            ) from None
        return changelist

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        require_short_search(search_term)
        return super().get_search_results(request, queryset, search_term.replace("\0", ""))


class ScopedAdmin(DeclaredAdmin):
    """Pages, lists and actions with only the rows of customers that the operator sees."""

    customer_path = "customer_id"
    """The field with the id of the row's customer."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        operator = operator_of(request)
        if operator is None:
            return rows.none()
        if operator.customer_id is None:
            return rows
        return rows.filter(**{self.customer_path: operator.customer_id})

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> list[str]:
        # An id cannot be changed: it is part of topics and stored events.
        return [*self.readonly_fields, "id"] if obj is not None else list(self.readonly_fields)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def reaches(self, request: HttpRequest, row: Any) -> bool:
        """Return whether the operator may see this row."""
        operator = operator_of(request)
        return operator is not None and operator.sees(getattr(row, self.customer_path))

    def may_change(self, request: HttpRequest, row: Any | None) -> bool:
        """Return whether the operator may change this row, or rows in general if `row` is `None`.

        The operator's role is checked as well.
        """
        return True

    def may_delete(self, request: HttpRequest, row: Any | None) -> bool:
        return self.may_change(request, row)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._allows(request, None, super().has_module_permission(request))

    def has_view_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self._allows(request, obj, super().has_view_permission(request, obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_change(request, None) and self._allows(
            request, None, super().has_add_permission(request)
        )

    def has_change_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self.may_change(request, obj) and self._allows(
            request, obj, super().has_change_permission(request, obj)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any | None = None) -> bool:
        return self.may_delete(request, obj) and self._allows(
            request, obj, super().has_delete_permission(request, obj)
        )

    def _allows(self, request: HttpRequest, row: Any | None, permitted: bool) -> bool:
        operator = operator_of(request)
        if operator is None or (row is not None and not self.reaches(request, row)):
            return False
        return operator.may_by_role or permitted


def as_uuid(text: str) -> uuid.UUID | None:
    """Parse a UUID; return `None` if the text is invalid."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def pill(text: str, kind: str) -> SafeString:
    """Return a coloured label; `kind` is good, bad, warn or quiet."""
    return format_html('<span class="pill pill-{}">{}</span>', kind, text)
