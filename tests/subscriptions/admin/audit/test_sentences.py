"""The sentences of Explain in the language of the operator."""

from __future__ import annotations

from django.utils import translation

from subscriptions.admin.audit.sentences import conclusion_of, in_language
from subscriptions.audit.rule_texts import text_of
from subscriptions.explain.report import Explanation, Outcome, Step
from subscriptions.explain.sentence import Sentence


def test_a_sentence_is_translated_with_its_parts() -> None:
    reasons = Sentence.joined(
        "; ", (Sentence("it connected on {time}", time="12:00"), "a {name} of no sentence")
    )
    answer = Sentence("No: {reason}.", reason=reasons)
    assert answer == "No: it connected on 12:00; a {name} of no sentence."
    with translation.override("de"):
        assert in_language(answer) == "Nein: verbunden wurde am 12:00; a {name} of no sentence."
        assert text_of("asked") == "Der Client hat es verlangt."


def test_a_conclusion_does_not_repeat_the_answer() -> None:
    message = Sentence("No: {reason}.", reason=Sentence("it connected on {time}", time="12:00"))
    step = Step("connection", Sentence("Was it connected then?"), Outcome.NO, "connected-later", message)
    explanation = Explanation((step,), step)
    assert explanation.conclusion == conclusion_of(explanation) == "It connected on 12:00."
    with translation.override("es"):
        assert conclusion_of(explanation) == "Se conectó el 12:00."
