"""The documentation as pages: quick starts, documents, and all codes."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from events.api.errors import ERROR_CODES
from events.event_types.catalogue import EVENT_TYPES, VERSION
from events.event_types.fields import TIME, UUID, Field
from voipbin_ws.pages.api_docs import codes_of_websocket
from voipbin_ws.pages.asyncapi import frame_of
from voipbin_ws.pages.views import page

DOCUMENTS = {
    "protocol": "Protocol",
    "control": "Control API",
    "guarantees": "Guarantees",
    "operations": "Operations",
    "settings": "Settings",
    "performance": "Performance",
    "architecture": "Architecture",
}
"""The documents of docs/ that are pages, with their titles."""

_LINK_TO_DOCUMENT = re.compile(r"(?:docs/)?(\w+)\.md(#.*)?")


class QuickStart(NamedTuple):
    """A program to copy: `code` receives events, and is run in the tests."""

    language: str
    file: str
    needs: str
    code: str


_QUICK_STARTS = (
    ("Python", "receive.py", "Python 3.10 or newer: pip install voipbin-ws-client"),
    ("JavaScript", "receive.mjs", "Node 22 or newer, or a browser: npm install voipbin-ws-client"),
    ("TypeScript", "receive.ts", "Node 24 or newer: npm install voipbin-ws-client"),
    ("curl", "receive.sh", "A shell and curl; over server-sent events"),
    ("PHP", "receive.php", "PHP 8; over server-sent events"),
    ("Go", "receive.go", "Go 1.18 or newer; over server-sent events"),
)

_PUBLISHING = (
    ("Python", "publish.py", "pip install voipbin-ws-client"),
    ("JavaScript", "publish.mjs", "npm install voipbin-ws-client"),
    ("curl", "publish.sh", "A shell and curl"),
)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Serve the quick starts, and links to all documents."""
    return page(
        request,
        "docs/index.html",
        title="Quick start",
        receiving=quick_starts(_QUICK_STARTS),
        publishing=quick_starts(_PUBLISHING),
        documents=DOCUMENTS,
    )


@require_safe
def console(request: HttpRequest) -> HttpResponse:
    """Serve the console for developers; its code samples are the quick starts."""
    return page(request, "console.html", title=gettext("Console"), programs=quick_starts(_QUICK_STARTS))


@cache
def quick_starts(wanted: tuple[tuple[str, str, str], ...] = _QUICK_STARTS) -> list[QuickStart]:
    """Return the programs of examples/quickstart."""
    folder = Path(settings.BASE_DIR) / "examples" / "quickstart"
    return [
        QuickStart(language, file, needs, (folder / file).read_text()) for language, file, needs in wanted
    ]


@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    """Serve a document of docs/."""
    if name not in DOCUMENTS:
        raise Http404
    return page(request, "docs/document.html", title=DOCUMENTS[name], **_rendered(name))


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    """Serve all codes, each at the anchor of its name."""
    return page(
        request,
        "docs/errors.html",
        title="Errors",
        answers=[(code, status, meaning) for code, (status, meaning) in ERROR_CODES.items()],
        **codes_of_websocket(),
    )


@require_safe
def event_types(request: HttpRequest) -> HttpResponse:
    """Serve the catalogue of event types."""
    return page(
        request,
        "docs/events.html",
        title="Event types",
        version=VERSION,
        event_types=[
            {
                "name": each.name,
                "when": each.when,
                "fields": list(_field_rows(each.fields)),
                "example": json.dumps(frame_of(each), ensure_ascii=False, indent=2),
            }
            for each in EVENT_TYPES.values()
        ],
    )


def _field_rows(fields: Iterable[Field], path: str = "") -> Iterator[dict[str, str]]:
    for field in fields:
        kinds = {UUID: "string (UUID)", TIME: "string (time)"}
        kind = kinds.get(field.pattern, field.kind) if field.pattern else field.kind
        values = (
            f" Known values: {', '.join(f'`{value}`' for value in field.values)}." if field.values else ""
        )
        unit = f" In {field.unit}." if field.unit else ""
        yield {
            "name": f"{path}{field.name}",
            "type": f"{kind} or null" if field.is_nullable else kind,
            "description": f"{field.meaning}{unit}{values}",
        }
        yield from _field_rows(field.fields, f"{path}{field.name}.")


@cache
def _rendered(name: str) -> dict[str, Any]:
    """Return the document as HTML, and its headings of the second level as `(anchor, text)`."""
    # The first request for a document imports the library: most processes never serve one.
    from markdown_it import MarkdownIt

    # Raw HTML is the anchors of older links.
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = markdown.parse((settings.BASE_DIR / "docs" / f"{name}.md").read_text())
    contents = []
    for opening, inline in itertools.pairwise(tokens):
        # The policy of the pages forbids the alignment of columns by a style.
        opening.attrs.pop("style", None)
        if opening.type == "heading_open":
            anchor = anchor_of(inline.content)
            opening.attrSet("id", anchor)
            if opening.tag == "h2":
                contents.append((anchor, "".join(child.content for child in inline.children or ())))
        for child in inline.children or ():
            if child.type == "link_open":
                target = _target(str(child.attrs.pop("href")))
                child.attrs.update({"href": target} if target else {})
    html = markdown.renderer.render(tokens, markdown.options, {})
    # Wide tables scroll in a box of their own.
    html = html.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    html = html.replace("<th></th>", "<td></td>")
    return {"html": html.replace("<pre>", '<pre tabindex="0">'), "contents": contents}


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _target(link: str) -> str | None:
    """Return where a link leads on the pages; `None` for a file of the repository."""
    found = _LINK_TO_DOCUMENT.fullmatch(link)
    if found and found[1] in DOCUMENTS:
        return f"/docs/{found[1]}{found[2] or ''}"
    if link == "asyncapi.yaml":
        return "/v1.0/asyncapi.yaml"
    return link if link.startswith(("#", "http:", "https:")) else None
