"""The architecture: layers, package sizes, purity, and the docstring of every module."""

# Long because all rules of the architecture stand in one file.

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "clients" / "python" / "src"
APPS = ("events", "subscriptions", "voipbin_ws")
# An app imports itself and those before it in APPS.
FORBIDDEN_APPS = {"events": {"subscriptions", "voipbin_ws"}, "subscriptions": {"voipbin_ws"}}
# A package imports only packages of lower layers of its app. Modules beside the packages are not listed: each may be
# imported by all (counters, hooks, models) or by none (apps, checks, urls, routing, consumers, event_streams).
LAYERS: Mapping[str, Mapping[str, int]] = {
    "events": {
        "domain": 1,
        "database": 1,
        "quotas": 1,
        "event_types": 1,
        "summary": 2,
        "cloudevents": 2,
        "filters": 2,
        "masks": 3,
        "admin": 2,
        "announcements": 3,
        "log": 4,
        "amqp": 5,
        "reading": 5,
        "api": 6,
        "management": 7,
    },
    "subscriptions": {
        "protocol": 1,
        "models": 2,
        "delivery": 2,
        "auth": 3,
        "audit": 3,
        "platform": 3,
        "accounts": 4,
        "presence": 4,
        "event_hooks": 4,
        "connections": 5,
        "control": 5,
        "explain": 5,
        "api": 6,
        "admin": 7,
        "management": 7,
    },
}
TOP_OF_APP = {"apps", "checks", "consumers", "event_streams", "routing", "urls"}
# Their modules do no I/O, and neither do those whose docstring says "Sans-I/O." below its first line.
PURE_FOLDERS = {
    "cloudevents",
    "domain",
    "event_types",
    "filters",
    "masks",
    "protocol",
    "model",
    "quotas",
    "summary",
}
IMPURE = {
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
MOST_LINES = 250
MOST_MODULES = 14
MOST_DOCSTRING_LINES = 12
MOST_FIRST_LINE_CHARACTERS = 88
# Django looks into these folders for their files; what they hold needs no introduction.
FOLDERS_OF_DJANGO = {"migrations", "management", "commands", "templatetags", "formats", "en", "de", "es"}


@cache
def modules() -> list[Path]:
    folders = [CLIENT, *(ROOT / folder for folder in (*APPS, "benchmarks", "deploy", "examples", "tests"))]
    return sorted(
        path for folder in folders for path in folder.rglob("*.py") if path.parent.name != "migrations"
    )


@cache
def app_modules() -> list[Path]:
    return [path for path in modules() if path.relative_to(ROOT).parts[0] in APPS]


@cache
def client_modules() -> list[Path]:
    return [path for path in modules() if path.is_relative_to(CLIENT)]


@cache
def packages() -> list[Path]:
    """The folders of code of the apps and of the Python client."""
    return sorted(
        {path.parent for path in (*app_modules(), *client_modules())} - {ROOT / "voipbin_ws/static"}
    )


@cache
def pure_modules() -> list[Path]:
    return [path for path in (*app_modules(), *client_modules()) if is_pure(path)]


def is_pure(path: Path) -> bool:
    if path.relative_to(ROOT).parts[0] in APPS and path.parent.name in PURE_FOLDERS:
        return True
    lines = [line for line in (ast.get_docstring(tree_of(path)) or "").splitlines() if line]
    return len(lines) > 1 and lines[1].startswith("Sans-I/O.")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def dotted(path: Path) -> str:
    root = CLIENT if path.is_relative_to(CLIENT) else ROOT
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=name_of(path))


@cache
def module_names() -> frozenset[str]:
    return frozenset(map(dotted, (*app_modules(), *client_modules())))


@cache
def imports_of(path: Path) -> frozenset[str]:
    """The dotted names of all modules that a module imports, wherever in it the import stands."""
    imported: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name_of(path)} imports relative to itself: name the package"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                imported.add(name if name in module_names() else str(node.module))
    return frozenset(imported)


def roots_of_imports(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(path)}


def package_graph() -> dict[str, set[str]]:
    """Which package of the apps imports which others."""
    graph: dict[str, set[str]] = {}
    for path in app_modules():
        if path.name == "__init__.py":
            continue  # It imports from the folders inside its package.
        here = dotted(path).rpartition(".")[0]
        for name in imports_of(path):
            if name.split(".")[0] in APPS:
                there = name if (ROOT / Path(*name.split("."))).is_dir() else name.rpartition(".")[0]
                # Modules directly in an app's folder are not part of a package: test_imports_within_an_app covers them.
                if there != here and here not in APPS and there not in APPS:
                    graph.setdefault(here, set()).add(there)
    return graph


def test_imports_between_apps_point_one_way() -> None:
    def faults() -> Iterator[str]:
        for path in app_modules():
            if wrong := roots_of_imports(path) & FORBIDDEN_APPS.get(path.relative_to(ROOT).parts[0], set()):
                yield f"{name_of(path)} imports {sorted(wrong)}"

    assert list(faults()) == []


def test_imports_within_an_app_point_to_lower_layers() -> None:
    def faults() -> Iterator[str]:
        for path in app_modules():
            app, package, *_ = (*path.relative_to(ROOT).with_suffix("").parts, "")
            layers = LAYERS.get(app, {})
            if package not in layers:
                continue
            imported = {name.split(".")[1] for name in imports_of(path) if name.startswith(f"{app}.")} - {
                package
            }
            upward = {
                name for name in imported if layers.get(name, 0) >= layers[package] or name in TOP_OF_APP
            }
            if upward:
                yield f"{name_of(path)} in layer {layers[package]} imports {sorted(upward)}"

    assert list(faults()) == []


def test_every_package_of_a_layered_app_has_a_layer() -> None:
    for app, layers in LAYERS.items():
        folders = {path.name for path in packages() if path.parent == ROOT / app} - {"migrations"}
        assert folders == set(layers) & folders, f"{app}: give {folders - set(layers)} a layer"


def test_packages_do_not_import_each_other_in_a_circle() -> None:
    graph = package_graph()
    done: set[str] = set()

    def visit(package: str, path: tuple[str, ...]) -> None:
        assert package not in path, f"a circle: {' → '.join((*path, package))}"
        if package not in done:
            for following in sorted(graph.get(package, ())):
                visit(following, (*path, package))
            done.add(package)

    for package in sorted(graph):
        visit(package, ())


@pytest.mark.parametrize(
    ("paths", "forbidden"),
    [
        pytest.param(app_modules, {"deploy", "pytest", "tests"}, id="the apps: the tests"),
        pytest.param(
            client_modules, {*APPS, "django", "channels", "rest_framework"}, id="the client: the server"
        ),
        pytest.param(pure_modules, IMPURE, id="pure modules: input and output"),
    ],
)
def test_modules_do_not_import_what_they_must_not_need(
    paths: Callable[[], list[Path]], forbidden: set[str]
) -> None:
    imported = {name_of(path): roots_of_imports(path) & forbidden for path in paths()}
    assert {name: wrong for name, wrong in imported.items() if wrong} == {}


def test_a_pure_module_imports_only_pure_modules_of_ours() -> None:
    pure, ours = set(map(dotted, pure_modules())), (*APPS, "voipbin_ws_client")
    imported = {
        name_of(path): {name for name in imports_of(path) if name.split(".")[0] in ours} - pure
        for path in pure_modules()
    }
    assert {name: wrong for name, wrong in imported.items() if wrong} == {}


def test_a_package_is_small_and_introduces_itself() -> None:
    def faults() -> Iterator[str]:
        for path in packages():
            here = [module for module in path.glob("*.py") if module.name != "__init__.py"]
            if path.name not in ("migrations", "commands") and len(here) > MOST_MODULES:
                yield f"{name_of(path)} has {len(here)} modules: split it"
            introduction = path / "__init__.py"
            if not introduction.exists():
                yield f"{name_of(path)} has no __init__.py"
            elif introduction.stat().st_size and not FOLDERS_OF_DJANGO & set(path.relative_to(ROOT).parts):
                lines = (ast.get_docstring(tree_of(introduction)) or "").splitlines()
                if not 0 < len(lines) <= MOST_DOCSTRING_LINES:
                    yield f"{name_of(introduction)}: 1 to {MOST_DOCSTRING_LINES} lines of docstring"

    assert list(faults()) == []


def test_a_module_says_what_it_owns_and_is_short_or_gives_its_reason() -> None:
    def faults() -> Iterator[str]:
        for path in modules():
            if {path.stem, path.parent.name} & VAGUE_NAMES:
                yield f"{name_of(path)}: name it by what it owns"
            lines = path.read_text().splitlines()
            first = next((line for line in lines if line and not line.startswith("#")), "")
            # An empty file, such as Django wants around its commands, owns nothing.
            if lines and not first.startswith(('"""', 'r"""')):
                yield f"{name_of(path)} opens with no sentence on what it owns"
            if len(lines) > MOST_LINES and not any(line.startswith("# Long because ") for line in lines):
                yield f"{name_of(path)} has {len(lines)} lines: split it, or say why not in a line `# Long because …`"

    assert list(faults()) == []


def test_docstrings_begin_with_a_short_line() -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

    def faults() -> Iterator[str]:
        for path in (*app_modules(), *client_modules()):
            for node in ast.walk(tree_of(path)):
                line = (
                    (ast.get_docstring(node) or "").partition("\n")[0] if isinstance(node, documented) else ""
                )
                if len(line) > MOST_FIRST_LINE_CHARACTERS:
                    yield f"{name_of(path)}: {line}"

    assert list(faults()) == []
