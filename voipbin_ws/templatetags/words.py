"""Descriptions as HTML: paragraphs, numbered lists and `code`; other text is escaped."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_CODE = re.compile(r"`([^`]+)`")
_NUMBERED = re.compile(r"^\d+\. ", re.MULTILINE)


@register.filter
def words(text: str) -> SafeString:
    """Return the text of a description as HTML."""
    blocks = (_block(block) for block in str(escape(text)).strip().split("\n\n") if block)
    return mark_safe("\n".join(blocks))  # noqa: S308 - escaped above


def _block(block: str) -> str:
    block = _CODE.sub(r"<code>\1</code>", block)
    if _NUMBERED.match(block):
        items = (f"<li>{item.strip()}</li>" for item in _NUMBERED.split(block)[1:])
        return f"<ol>{''.join(items)}</ol>"
    return f"<p>{block}</p>"
