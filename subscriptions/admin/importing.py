"""The admin page that previews a file of rows, and then imports exactly this file."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from django import forms
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.formats import localize, number_format
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from events.admin.scope import ScopedAdmin
from events.hooks import operator_of
from subscriptions.accounts.link_origin import link_origin
from subscriptions.control.bulk_import import (
    MAX_ERRORS,
    MAX_IMPORT_BYTES,
    Report,
    import_lines,
)
from subscriptions.control.controller import Controller

SALT = "subscriptions.admin.importing"
PREVIEW_SECONDS = 3600
"""How long a preview can be confirmed."""

MAX_FORM_BYTES = 10 * 2**20
"""The largest request, as in nginx: the file, or the sealed file of a preview."""

MAX_SEALED_CHARACTERS = 9 * 2**20
MAX_NAME_CHARACTERS = 120
OUTCOMES = {
    "created": gettext_lazy("new"),
    "changed": gettext_lazy("changed"),
    "unchanged": gettext_lazy("unchanged"),
    "failed": gettext_lazy("refused"),
    "not_stored": gettext_lazy("correct, but not stored: among the lines around it one is refused"),
}


class File(NamedTuple):
    """A file that was previewed."""

    name: str
    text: str


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=MAX_NAME_CHARACTERS,
        widget=forms.FileInput(attrs={"accept": ".csv,.jsonl,.ndjson,.json,.txt"}),
        help_text=format_lazy(
            gettext_lazy("CSV or JSON lines in UTF-8, at most {most} MB."), most=MAX_IMPORT_BYTES // 2**20
        ),
    )

    @sensitive_variables()
    def clean_file(self) -> File:
        uploaded = self.cleaned_data["file"]
        if uploaded.size > MAX_IMPORT_BYTES:
            raise ValidationError(
                gettext("The file has {size} MB; at most {most} MB are imported at once. Split it.").format(
                    size=number_format(uploaded.size / 2**20, 1), most=MAX_IMPORT_BYTES // 2**20
                )
            )
        try:
            return File(uploaded.name, uploaded.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise ValidationError(
                gettext("This is not text in UTF-8. Save the file as CSV (UTF-8), not as a workbook.")
            ) from None


class ImportingAdmin(ScopedAdmin):
    """Pages of rows that can be imported."""

    change_list_template = "admin/importable_list.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"may_import": may_import(request), **(extra_context or {})})


def may_import(request: HttpRequest) -> bool:
    """Return whether the operator is platform staff or the admin of a customer."""
    operator = operator_of(request)
    return operator is not None and operator.may_by_role


@sensitive_post_parameters()
@sensitive_variables()
def import_page(request: HttpRequest, customers: ScopedAdmin) -> HttpResponse:
    """Show the form for GET; preview or import a file for POST.

    `customers` is the admin of customers.
    """
    if not may_import(request):
        raise PermissionDenied
    controller = Controller.of_operator(request.user)
    page = partial(_page, request, customers, controller)
    if request.method != "POST":
        return page(FileForm())
    if "sealed" in request.POST:
        file = _opened(request.POST["sealed"], request.user.pk)
        if file is None:
            return page(
                FileForm(),
                problem=gettext("This preview is over an hour old, or not yours: choose the file again."),
            )
        origin = link_origin(request)
        return page(FileForm(), file, import_lines(controller, file.text, dry_run=False, origin=origin))
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return page(form)
    file = form.cleaned_data["file"]
    report = import_lines(controller, file.text, dry_run=True)
    sealed = _sealed(file, request.user.pk) if not report.errors and _changes_in(report) else ""
    if len(sealed) > MAX_SEALED_CHARACTERS:
        form.add_error("file", gettext("The file is too large to be confirmed here: split it."))
        return page(form)
    return page(FileForm(), file, report, sealed=sealed, is_preview=True)


@sensitive_variables()
def _sealed(file: File, user_id: int | None) -> str:
    """Return the file for the form that confirms it: the gateway itself stores nothing."""
    return signing.dumps([user_id, *file], salt=SALT, compress=True)


@sensitive_variables()
def _opened(sealed: str, user_id: int | None) -> File | None:
    """Return the file of a preview, `None` if it is too old or another operator's."""
    try:
        owner, name, text = signing.loads(sealed, salt=SALT, max_age=PREVIEW_SECONDS)
    except signing.BadSignature:
        return None
    return File(name, text) if owner == user_id else None


def _changes_in(report: Report) -> int:
    return report.counts["created"] + report.counts["changed"]


@sensitive_variables()
def _page(
    request: HttpRequest,
    customers: ScopedAdmin,
    controller: Controller,
    form: FileForm,
    file: File | None = None,
    report: Report | None = None,
    *,
    sealed: str = "",
    is_preview: bool = False,
    problem: str = "",
) -> HttpResponse:
    context = {
        **customers.admin_site.each_context(request),
        "opts": customers.opts,
        "title": gettext("Import"),
        "form": form,
        "media": customers.media + form.media,
        "is_platform": controller.is_platform,
        "file_name": file.name if file else "",
        "report": report,
        "sealed": sealed,
        "is_preview": is_preview,
        "problem": problem,
    }
    if report is not None:
        context["counts"] = [(OUTCOMES[name], count) for name, count in report.counts.items() if count]
        context["to_import"] = ngettext(
            "Import {count} row", "Import {count} rows", _changes_in(report)
        ).format(count=localize(_changes_in(report)))
        context["most_errors"] = MAX_ERRORS if len(report.errors) == MAX_ERRORS else 0
    # In the response itself: a redirect would store the secrets in the session.
    response = TemplateResponse(request, "admin/subscriptions/import.html", context)
    add_never_cache_headers(response)
    return response
