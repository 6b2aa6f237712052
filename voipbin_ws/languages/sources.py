"""The texts for people in the project's scripts, templates and Python modules.

The same that GNU xgettext finds, without a program that not every machine has.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import override
from django.utils.translation.template import templatize

from voipbin_ws.languages.model_texts import texts_of_models

PYTHON_FOLDERS = ("events", "subscriptions", "voipbin_ws")
MODELS = "voipbin_ws/languages/model_texts.py"
SCRIPTS = "voipbin_ws/static/voipbin_ws"

# What each function's literals are.
_FUNCTIONS = {
    "_": ("text",),
    "gettext": ("text",),
    "gettextNoop": ("text",),
    "gettext_noop": ("text",),
    "ngettext": ("text", "plural"),
    "pgettext": ("context", "text"),
    "npgettext": ("context", "text", "plural"),
    "Sentence": ("text",),
}
_TEXT_IN_SCRIPT = r'"(?:[^"\\\n]|\\.)*"'
_CALL_IN_SCRIPT = re.compile(
    rf"(?<![\w.])(?P<name>n?gettext|gettextNoop)\(\s*(?P<text>{_TEXT_IN_SCRIPT})?(?:,\s*(?P<plural>{_TEXT_IN_SCRIPT}))?"
)
_TEXT_IN_TEMPLATE = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL_IN_TEMPLATE = re.compile(
    rf"(?<!\w)(?P<name>_|n?p?gettext)\((?P<texts>{_TEXT_IN_TEMPLATE}(?:, ?{_TEXT_IN_TEMPLATE})*)"
)


class Text(NamedTuple):
    """A text to be translated: with a plural for numbers, a context if it is ambiguous."""

    text: str
    plural: str = ""
    context: str = ""


class NoLiteralError(Exception):
    """A call whose text is no literal, which could not be translated."""


Found = dict[Text, str]
"""Texts in the order of their files, with the first file that has each."""


def texts_of_server() -> Found:
    """Return the texts of templates, Python modules and models.

    Raises:
        NoLiteralError: a text is an expression.
    """
    found: Found = {}
    root = Path(settings.BASE_DIR)
    for path in sorted((root / "templates").rglob("*.html")):
        _add(found, path, _texts_of_template(path))
    for folder in PYTHON_FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            _add(found, path, _texts_of_module(path))
    # The models themselves are in English while no other language is active.
    with override(None):
        _add(found, root / MODELS, map(Text, texts_of_models()))
    return found


def texts_of_scripts() -> Found:
    """Return the texts of the pages' scripts.

    Raises:
        NoLiteralError: a text is an expression.
    """
    found: Found = {}
    for path in sorted((Path(settings.BASE_DIR) / SCRIPTS).rglob("*.js")):
        if path.name != "gettext.js":
            _add(found, path, _texts_of_script(path))
    return found


def _add(found: Found, path: Path, texts: Iterable[Text]) -> None:
    for text in texts:
        known = next(
            (each for each in found if each.text == text.text and each.context == text.context), text
        )
        if known.plural != text.plural:
            # A catalogue has one entry for a text: the one with the plural serves both.
            text = max(known, text, key=lambda each: each.plural)
            found[text] = found.pop(known)
        found.setdefault(text, str(path.relative_to(settings.BASE_DIR)))


def _texts_of_script(path: Path) -> Iterator[Text]:
    for call in _CALL_IN_SCRIPT.finditer(path.read_text()):
        texts = [json.loads(each) for each in (call["text"], call["plural"]) if each]
        if len(texts) != len(_FUNCTIONS[call["name"]]):
            raise NoLiteralError(f"{path}: {call[0]}…")
        yield Text(*texts)


def _texts_of_template(path: Path) -> Iterator[Text]:
    for call in _CALL_IN_TEMPLATE.finditer(templatize(path.read_text(), origin=str(path))):
        texts = ast.literal_eval(f"({call['texts']},)")
        yield Text(**dict(zip(_FUNCTIONS[call["name"]], texts, strict=True)))


def _texts_of_module(path: Path) -> Iterator[Text]:
    source = path.read_text()
    if "gettext" not in source and "Sentence(" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        places = _FUNCTIONS.get(node.func.id.removesuffix("_lazy"), ())
        if not places:
            continue
        texts = [each.value if isinstance(each, ast.Constant) else None for each in node.args[: len(places)]]
        if not all(isinstance(each, str) for each in texts):
            raise NoLiteralError(f"{path}:{node.lineno}: {ast.unparse(node)}")
        yield Text(**dict(zip(places, map(str, texts), strict=True)))
