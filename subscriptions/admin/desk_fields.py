"""Form fields of the desk settings: one entry a line, with its parts between bars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy

Reader = Callable[[list[str]], dict[str, Any]]
BAR = "|"
_BREAK = "\\n"
"""How a line break within a text is written."""


class LinesField(forms.CharField):
    """A list of objects, edited as lines such as `sold | Sold`.

    `parts` are the names of an entry's parts, in their order; the last ones in `optional` may be missing.
    """

    def __init__(self, *, parts: tuple[str, ...], optional: tuple[str, ...] = (), **options: Any) -> None:
        options.pop("encoder", None)
        options.pop("decoder", None)
        options.setdefault("widget", forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}))
        super().__init__(**options)
        self._parts = parts
        self._optional = optional

    def prepare_value(self, value: Any) -> Any:
        """Return the lines of a stored list, or what was typed."""
        if not isinstance(value, list):
            return value
        return "\n".join(self._line(entry) for entry in value)

    def _line(self, entry: dict[str, Any]) -> str:
        texts = [str(entry[name]).replace("\n", _BREAK) for name in self._parts if entry[name] is not None]
        return f" {BAR} ".join(texts)

    def to_python(self, value: Any) -> Any:
        """Return the entries of the lines.

        Raises:
            ValidationError: A line has too many or too few parts, or a number is none.
        """
        lines = [line for line in (super().to_python(value) or "").splitlines() if line.strip()]
        return [self._entry(number, line) for number, line in enumerate(lines, 1)]

    def _entry(self, number: int, line: str) -> dict[str, Any]:
        # The last text may have bars of its own.
        found = [part.strip() for part in line.split(BAR, len(self._parts) - 1)]
        least = len(self._parts) - len(self._optional)
        if len(found) < least:
            form = f" {BAR} ".join(self._parts[:least])
            raise ValidationError(
                gettext("Entry {number}: write {form}, with a bar between the parts.").format(
                    number=number, form=form
                )
            )
        entry: dict[str, Any] = dict.fromkeys(self._parts)
        for name, text in zip(self._parts, found, strict=False):
            entry[name] = text.replace(_BREAK, "\n")
        for name in self._optional:
            if entry[name] is not None:
                entry[name] = _whole(number, name, entry[name])
        return entry

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or []))
        except ValidationError:
            return True


def _whole(number: int, name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise ValidationError(
            gettext("Entry {number}: {name}: write a whole number, or leave it out.").format(
                number=number, name=name
            )
        )
    return int(text)


LINES: dict[str, dict[str, Any]] = {
    "dispositions": {"parts": ("code", "label")},
    "away_reasons": {"parts": ("code", "label", "minutes"), "optional": ("minutes",)},
    "quick_replies": {"parts": ("title", "text")},
}
"""The parts of an entry, by the name of the setting."""

EXAMPLES = {
    "dispositions": gettext_lazy("One a line: a code, a bar, and what agents read, such as: sold | Sold"),
    "away_reasons": gettext_lazy("One a line, the minutes may be missing: lunch | Lunch | 30"),
    "quick_replies": gettext_lazy(
        "One a line: a title, a bar, and the text, such as: Hello | Hello {name}, this is {agent}. "
        "A line break is written as \\n."
    ),
}
