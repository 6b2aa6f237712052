"""The sentences of Explain in the language of the operator."""

from __future__ import annotations

from django.utils import translation
from django.utils.formats import localize
from django.utils.translation import gettext

from subscriptions.explain.report import Explanation
from subscriptions.explain.sentence import Sentence


def in_language(text: str) -> str:
    """Return a sentence in the active language; a text that is none stays as it is."""
    if not isinstance(text, Sentence):
        return text
    values = {
        name: in_language(value) if isinstance(value, str) else localize(value)
        for name, value in text.values.items()
    }
    # The catalogues have the literals of all calls of Sentence.
    return translation.gettext(text.template).format(**values)


def conclusion_of(explanation: Explanation) -> str:
    """Return the reason of an explanation without the answer to its question."""
    text = in_language(explanation.reason.message)
    for answer in (gettext("Yes"), gettext("No")):
        for end in (": ", ". "):
            text = text.removeprefix(answer + end)
    return text[:1].upper() + text[1:]
