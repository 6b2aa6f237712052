"""docs/settings.md beside voipbin_ws/settings.py: every setting, with its default, its range and its example."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+) \| (.+) \| `(.+)` \| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Setting:
    """One `read(name, cast, default, example)` of the settings."""

    name: str
    cast: ast.expr
    default: ast.expr
    example: str


def settings_in_code() -> dict[str, Setting]:
    tree = ast.parse((ROOT / "voipbin_ws" / "settings.py").read_text())
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "read":
            name, cast, default, example = node.args
            found[_value(name)] = Setting(_value(name), cast, default, _value(example))
    return found


def rows_in_docs() -> dict[str, tuple[str, str, str]]:
    """Default, values and example of each setting."""
    rows = _ROW.findall((ROOT / "docs" / "settings.md").read_text())
    assert len({row[0] for row in rows}) == len(rows), "a setting stands there twice"
    return {name: (default, values, example) for name, default, values, example, _ in rows}


def _value(expression: ast.expr) -> str:
    """An expression of constants, worked out and as text; empty where it is none."""
    if any(isinstance(node, ast.Name | ast.Call) for node in ast.walk(expression)):
        return ""
    value = eval(ast.unparse(expression), {})  # noqa: S307 - our own source
    if isinstance(value, bool):
        return str(int(value))
    return (
        f"{value:g}"
        if isinstance(value, float)
        else ",".join(value)
        if isinstance(value, list | dict)
        else str(value)
    )


SETTINGS = settings_in_code()


def test_every_setting_is_documented_and_no_other() -> None:
    assert len(SETTINGS) > 20
    assert rows_in_docs().keys() == SETTINGS.keys()


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
def test_a_setting_is_documented_as_it_is(setting: Setting) -> None:
    default, values, example = rows_in_docs()[setting.name]
    assert example == setting.example
    if in_code := _value(setting.default):
        assert re.match(rf"`{re.escape(in_code)}`(?: \(.+\))?$", default), f"the default is {in_code}"
    else:
        assert not default.startswith("`")
    if isinstance(setting.cast, ast.Call):
        least, most = map(_value, setting.cast.args)
        assert values == f"{least} to {most}"
