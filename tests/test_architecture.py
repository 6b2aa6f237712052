"""The shape of the code: who may import whom, and what every module owes its reader."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("events", "subscriptions", "voipbin_ws")
# Imports point one way: an app may import itself and those before it.
FORBIDDEN = {"events": {"subscriptions", "voipbin_ws"}, "subscriptions": {"voipbin_ws"}}
# What a plain module knows nothing of; `asyncio` is here because deciding takes no time.
PERFORMERS = {
    "asgiref",
    "asyncio",
    "channels",
    "channels_redis",
    "daphne",
    "django",
    "environ",
    "httpx",
    "pika",
    "psycopg",
    "redis",
    "rest_framework",
    "socket",
    "threading",
    "twisted",
    "uvicorn",
    "websockets",
}
VAGUE_NAMES = {"base", "common", "helpers", "misc", "services", "tools", "utils"}
LONGEST = 250


def modules() -> list[Path]:
    folders = [ROOT / folder for folder in (*APPS, "benchmarks", "deploy", "examples", "tests")]
    return sorted(
        path for folder in folders for path in folder.rglob("*.py") if path.parent.name != "migrations"
    )


def app_modules() -> list[Path]:
    return [path for path in modules() if path.relative_to(ROOT).parts[0] in APPS]


def plain_modules() -> list[Path]:
    """The modules that pyproject.toml has mypy check strictly and that are ours to keep plain."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    strict = [
        name for override in overrides if "disallow_untyped_defs" in override for name in override["module"]
    ]
    return [ROOT / Path(*name.split(".")).with_suffix(".py") for name in strict if name.split(".")[0] in APPS]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=name_of(path))


def imports_of(path: Path) -> Iterator[str]:
    """The dotted names of all that a module imports, wherever in it the import stands."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            yield ".".join([*start, *([node.module] if node.module else [])])


def roots_of_imports(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(path)}


@pytest.mark.parametrize("path", app_modules(), ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    app = path.relative_to(ROOT).parts[0]
    assert roots_of_imports(path) & FORBIDDEN.get(app, set()) == set()


@pytest.mark.parametrize("path", app_modules(), ids=name_of)
def test_what_runs_needs_nothing_of_the_tests(path: Path) -> None:
    assert roots_of_imports(path) & {"deploy", "pytest", "tests"} == set()


@pytest.mark.parametrize("path", plain_modules(), ids=name_of)
def test_a_plain_module_knows_nothing_of_what_performs(path: Path) -> None:
    assert roots_of_imports(path) & PERFORMERS == set()


@pytest.mark.parametrize("path", plain_modules(), ids=name_of)
def test_a_plain_module_imports_only_plain_modules_of_ours(path: Path) -> None:
    plain = {".".join(other.relative_to(ROOT).with_suffix("").parts) for other in plain_modules()}
    ours = {name for name in imports_of(path) if name.split(".")[0] in APPS}
    assert ours - plain == set()


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_says_what_it_owns(path: Path) -> None:
    named_by_what_it_does = path.stem not in VAGUE_NAMES and path.parent.name not in VAGUE_NAMES
    assert named_by_what_it_does, f"{name_of(path)}: name it by what it owns"
    # An empty file, such as Django wants around its commands, owns nothing.
    if path.stat().st_size:
        assert ast.get_docstring(tree_of(path)), f"{name_of(path)} opens with no sentence on what it owns"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_long_module_gives_its_reason(path: Path) -> None:
    lines = path.read_text().splitlines()
    if len(lines) > LONGEST:
        assert any(line.startswith("# Long because ") for line in lines), (
            f"{name_of(path)} has {len(lines)} lines: split it, or say why not in a line `# Long because …`"
        )
