"""A script and all modules that it imports, as one script.

Sans-I/O. A page of eighty modules is one request instead of eighty. Each module becomes a function that returns what
it exports, after those that it imports. This needs no parser, because our scripts import by name, at their beginning,
without circles, and export only what never changes; another script is not bundled.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

_SKIPPED = re.compile(r"\s+|//[^\n]*|/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r'import \{([^}]*)\} from "(\.[^"]+)";')
_DECLARED = re.compile(r"^export ((?:async )?function\*?|class|const) (\w+)", re.MULTILINE)
_LISTED = re.compile(r"^export \{([\w\s,]*)\};$", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_UNSUPPORTED = re.compile(r"^(?:import|export|await)\b|\bimport(?:\(|\.meta\b)", re.MULTILINE)
_DOCUMENTATION = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)


class NotBundled(Exception):
    """The script, or one that it imports, has what a bundle cannot have."""


def bundle(name: str, read: Callable[[str], str]) -> str:
    """Return a script with all that it imports.

    Args:
        name: the script's path.
        read: returns the script at a path.

    Raises:
        NotBundled: serve the scripts one by one.
    """
    functions: dict[str, str] = {}
    _add(name, read, functions, ())
    # A script alone stays as it is: one that is no module would share its names with others of the page.
    return "".join(functions.values()) if len(functions) > 1 else read(name)


def _add(
    name: str, read: Callable[[str], str], functions: dict[str, str], importing: tuple[str, ...]
) -> None:
    if name in functions:
        return
    if name in importing:
        raise NotBundled(f"{name} imports itself: {' → '.join((*importing, name))}")
    imports, body = _parts(read(name))
    lines = []
    for names, path in imports:
        imported = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        _add(imported, read, functions, (*importing, name))
        lines.append(f"const {{ {names.replace(' as ', ': ')} }} = {_variable(imported, functions)};\n")
    exported = [*(found[2] for found in _DECLARED.finditer(body))]
    for found in _LISTED.finditer(body):
        exported += [each.strip() for each in found[1].split(",") if each.strip()]
    body = _LISTED.sub("", _DECLARED.sub(r"\1 \2", body))
    if unsupported := _UNSUPPORTED.search(_COMMENT.sub("", body)):
        raise NotBundled(f"{name}: {unsupported[0]}")
    returned = f"return {{ {', '.join(exported)} }};"
    functions[name] = (
        f"const module{len(functions)} = (() => {{\n{''.join(lines)}{body}\n{returned}\n}})();\n"
    )


def _variable(name: str, functions: dict[str, str]) -> str:
    return f"module{list(functions).index(name)}"


def _parts(script: str) -> tuple[list[tuple[str, str]], str]:
    """Return the imports at a script's beginning, and what follows them."""
    imports, at = [], 0
    while found := _SKIPPED.match(script, at) or _IMPORT.match(script, at):
        if found.re is _IMPORT:
            imports.append((" ".join(found[1].split()), found[2]))
        at = found.end()
    return imports, _DOCUMENTATION.sub("", script[at:])
