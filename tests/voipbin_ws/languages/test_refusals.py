"""The refusals that people meet on pages are translated, and are those of the gateway."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.processes import ROOT
from voipbin_ws.languages.sources import texts_of_scripts

OF_PAGES = (
    "events/api/errors.py",
    "events/api/responses.py",
    "events/api/summary_view.py",
    "events/reading/look_back.py",
    "events/reading/summaries.py",
    "subscriptions/accounts/invitations.py",
    "subscriptions/api/account.py",
    "subscriptions/api/acting.py",
    "subscriptions/api/actions.py",
    "subscriptions/api/agent_sign_out.py",
    "subscriptions/api/agent_status.py",
    "subscriptions/api/desk/calls.py",
    "subscriptions/api/desk/conversations.py",
    "subscriptions/api/desk/reveal.py",
    "subscriptions/api/display.py",
    "subscriptions/api/invitations.py",
    "subscriptions/api/me.py",
    "subscriptions/auth/access_keys.py",
    "subscriptions/auth/credentials.py",
    "subscriptions/platform/agent_status.py",
    "subscriptions/platform/client.py",
)
"""Modules whose refusals answer requests of pages."""

ERRORS = {"ApiError": 1, "BadCredential": 0, "InvalidInvitation": 0, "NotKnown": 0, "_unavailable": 1}
"""What makes a refusal, with the place of its message."""

OF_PROGRAMS = {
    "An access key is no log-in: an operator revokes it in the admin",
    "A call can be asked to {}: nothing else",
    "A call is accepted by an agent: this access key belongs to none",
}
"""Refusals of requests that no page makes."""


@cache
def refusals() -> list[str]:
    """Return the refusals that pages translate, with {} for values."""
    found = [text.text for text, file in texts_of_scripts().items() if file.endswith("/refusals.js")]
    return [re.sub(r"\{\w+\}", "{}", text) for text in found]


def text_of(node: ast.AST) -> str:
    """Return a literal, with {} for values; "" for another expression."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) or "{}" for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right) if text_of(left):
            return text_of(left) + (text_of(right) or "{}")
        case ast.Call(func=ast.Name(id="_"), args=[text]):
            return text_of(text)
    return ""


def messages(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        place = ERRORS.get(node.func.id)
        # Pages send no malformed requests.
        if place is None or len(node.args) <= place or "HTTP_400" in ast.unparse(node.args[0]):
            continue
        if text := text_of(node.args[place]):
            yield f"The platform {text}" if node.func.id == "_unavailable" else text


def as_pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\{\}", ".+"))


def test_the_refusals_of_what_pages_do_are_translated() -> None:
    found = {message for path in OF_PAGES for message in messages(ROOT / path)} - {"The platform {}"}
    assert len(found) > 30
    assert {text for text in found if not any(map(as_pattern(text).fullmatch, refusals()))} == OF_PROGRAMS


def test_the_refusals_that_pages_translate_are_those_of_the_gateway() -> None:
    files = [path for app in ("events", "subscriptions") for path in (ROOT / app).rglob("*.py")]
    literals = {text_of(node) for path in files for node in ast.walk(ast.parse(path.read_text()))}
    # A message has the name of its field before it, or a beginning in common with others.
    forms = [as_pattern(text) for text in literals if len(re.findall(r"[a-z]", text)) >= 5]
    unknown = []
    for text in refusals():
        end = re.sub(r"^(?:\w+: |The platform )", "", text)
        if not any(form.fullmatch(text) or form.fullmatch(end) for form in forms):
            unknown.append(text)
    assert all("password" in text for text in unknown)  # By Django.
    assert len(unknown) == 3
