"""English sentences that keep their parts, so that pages can translate them.

Sans-I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Sentence(str):
    """A text with places for values, such as `Sentence("It connected on {time}", time=…)`."""

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Sentence:
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made

    @classmethod
    def joined(cls, separator: str, parts: Iterable[str]) -> Sentence:
        """Return the parts, with a separator that needs no translation."""
        named = {f"part{number}": part for number, part in enumerate(parts)}
        return cls(separator.join(f"{{{name}}}" for name in named), **named)
