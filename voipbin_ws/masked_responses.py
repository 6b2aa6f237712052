"""Masked telephone numbers in every response to a reader for whom they are masked.

One place for all addresses: REST responses of every view, and all that the admin shows to an operator of a customer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse

from events.admin.scope import RefusedQuery
from events.domain.strict_json import decode, encode
from events.hooks import operator_of
from events.masks.number_mask import is_oracle, mask_id, mask_json, mask_text
from subscriptions.protocol.permissions import Identity
from voipbin_ws.http.security_headers import Respond

SEARCHES = ("q", "term", "topic")
"""Parameters of the admin that search for a part of a text."""

_TAG = re.compile(r"(<[^>]*>)")
_TYPED = re.compile(r"<(input|textarea|option)\b", re.IGNORECASE)
"""What an operator has typed, or chooses from: settings, and not what the gateway received."""

_SPOKEN = re.compile(r"""(\s(?:aria-[a-z]+|title|alt|data-[a-z-]+)=(["'])[^"']*\2)""")
"""An attribute of such a field that describes it: the row that a checkbox selects, for example."""

_ADDRESS = re.compile(r"""(\s(?:src|href|action)=(["'])(?:/static/|\?|#|/[a-z-]+/)[^"']*\2)""")
_ROW = re.compile(r"(?<=/)\d{1,18}(?=/(?:change|delete|history)/)")
"""The number of a row in the address of its page."""


def mask_numbers(get_response: Respond) -> Respond:
    """Mask the responses to masked readers.

    Middleware of Django, below the one that sets the length of the content.
    """

    def respond(request: HttpRequest) -> HttpResponseBase:
        # The session of other requests is not loaded for this.
        if request.path_info.startswith(reverse("admin:index")):
            operator = operator_of(request)
            if operator is None or not operator.masks_numbers:
                return get_response(request)
            _require_no_numbers(request)
            return _masked(get_response(request), ())
        response = get_response(request)
        # The identity that REST framework found.
        user = request.__dict__.get("user")
        if type(user) is Identity and user.masks_numbers:
            return _masked(response, _configured(request))
        return response

    return respond


def _require_no_numbers(request: HttpRequest) -> None:
    """Refuse a page of the admin whose address searches for digits, or names a number.

    Raises:
        RefusedQuery: It does: masked numbers could be found out so.
    """
    searches = [request.GET.get(name, "") for name in SEARCHES]
    values = [value.rpartition(":")[2] for _, values in request.GET.lists() for value in values]
    if any(map(is_oracle, searches)) or any(mask_id(value) != value for value in values):
        raise RefusedQuery("Telephone numbers are masked for you: search by a name or an id instead")


def _configured(request: HttpRequest) -> Iterable[str]:
    """Return the fields of the response with settings of operators, which stay."""
    view: Any = getattr(request.resolver_match and request.resolver_match.func, "cls", None)
    return cast(Iterable[str], getattr(view, "configured_fields", ()))


def _masked(response: HttpResponseBase, configured: Iterable[str]) -> HttpResponseBase:
    if location := response.headers.get("Location"):
        response["Location"] = _masked_address(location)
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    mask: Callable[[str], str] = mask_page if kind == "text/html" else mask_text
    if isinstance(response, StreamingHttpResponse):
        response.streaming_content = _masked_parts(cast(Iterable[bytes], response.streaming_content), mask)
    elif isinstance(response, HttpResponse) and response.content:
        text = response.content.decode()
        response.content = _masked_json(text, configured) if kind.endswith("json") else mask(text)
    return response


def _masked_parts(parts: Iterable[bytes], mask: Callable[[str], str]) -> Iterator[bytes]:
    # A part has whole rows.
    for part in parts:
        yield mask(part.decode()).encode()


def _masked_json(text: str, configured: Iterable[str]) -> str:
    value = decode(text)
    masked = mask_json(value)
    if isinstance(value, dict):
        masked |= {name: value[name] for name in configured if name in value}
    return encode(masked)


def mask_page(text: str) -> str:
    """Return an HTML page with masked numbers in its texts and attributes."""
    parts: list[str] = []
    is_typed = False
    for part in _TAG.split(text):
        if part.startswith("<") and part.endswith(">"):
            is_typed = part[:9].lower() == "<textarea"
            parts.append(_masked_field(part) if _TYPED.match(part) else _masked_tag(part))
        else:
            parts.append(part if is_typed else mask_text(part))
    return "".join(parts)


def _masked_field(tag: str) -> str:
    return _SPOKEN.sub(lambda found: mask_text(found[0]), tag)


def _masked_tag(tag: str) -> str:
    pieces = _ADDRESS.split(tag)
    # Of each address the whole, its quotation mark, and what follows.
    return "".join(
        mask_text(piece) if place % 3 == 0 else _masked_address(piece)
        for place, piece in enumerate(pieces)
        if place % 3 < 2
    )


def _masked_address(address: str) -> str:
    if "/static/" in address:
        return address
    rows = _ROW.findall(address)
    parts = _ROW.split(address)
    return "".join(
        part + (rows[place] if place < len(rows) else "") for place, part in enumerate(map(mask_text, parts))
    )
