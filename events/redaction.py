"""The removal of credentials from texts that are logged or stored.

Sans-I/O.
"""

from __future__ import annotations

import re

_SECRET_PATTERNS = (
    # An access key keeps the prefix by which operators distinguish keys.
    (re.compile(r"(vb_[A-Za-z0-9]{8})[A-Za-z0-9]{8,}"), r"\1…"),
    (re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), "[token]"),
    (re.compile(r"(?i)((?:token|accesskey|password|secret)=)[^&\s\"'<>]+"), r"\1[hidden]"),
    (re.compile(r"(?i)(bearer )[\w.~+/=-]{8,}"), r"\1[hidden]"),
    (re.compile(r"(://[^/\s:@]*:)[^@\s/]+(@)"), r"\1[hidden]\2"),
)

_SECRET_MARKS = ("vb_", "eyj", "token=", "accesskey=", "password=", "secret=", "bearer ", "@")
"""Substrings, in lower case, of which each pattern needs one: most lines have none."""


def redact_secrets(text: str) -> str:
    """Return the text with all credentials shortened or replaced."""
    lower = text.lower()
    if not any(mark in lower for mark in _SECRET_MARKS):
        return text
    for pattern, instead in _SECRET_PATTERNS:
        text = pattern.sub(instead, text)
    return text
