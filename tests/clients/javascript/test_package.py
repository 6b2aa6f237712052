"""The JavaScript client as a package: what npm packs, and its README's example in an empty project."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile
from pathlib import Path

from deploy.programs import NODE, PUBLINT, TYPES_CHECK, TYPESCRIPT
from tests.journeys.support.cast import company, new_id, settle
from tests.journeys.support.conversation import publish
from tests.journeys.support.programs import Program
from tests.support.gateways import Gateways
from tests.support.npm_package import CLIENT, install_client, pack_client
from tests.support.requirement import require
from voipbin_ws import __version__

EVENT_TYPES = "event-types.d.ts"


def test_its_version_is_the_gateways() -> None:
    assert json.loads((CLIENT / "package.json").read_text())["version"] == __version__
    assert f"voipbin-ws-client-{__version__}.tgz" in (CLIENT / "README.md").read_text()


def test_it_imports_nothing_but_its_own_modules() -> None:
    for module in CLIENT.glob("*.js"):
        imported = re.findall(r"""(?:^|\s)(?:from|import) ?\(?["']([^"']+)["']""", module.read_text())
        assert all(name.startswith("./") for name in imported), module


def test_it_passes_the_checks_of_packages_and_of_types(tmp_path: Path) -> None:
    package, node = str(pack_client(tmp_path)), str(require(NODE))
    subprocess.run([node, str(require(PUBLINT)), package, "--strict"], check=True)
    # CommonJS projects import it dynamically.
    subprocess.run([node, str(require(TYPES_CHECK)), package, "--profile", "esm-only"], check=True)


def test_a_commonjs_project_imports_it_dynamically(tmp_path: Path) -> None:
    install_client(tmp_path)
    program = 'import("voipbin-ws-client").then((all) => console.log(typeof all.EventClient, typeof all.Publisher));'
    (tmp_path / "program.cjs").write_text(program)
    done = subprocess.run(
        [str(require(NODE)), "program.cjs"], cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout == "function function\n"


def test_its_types_are_those_of_its_scripts(tmp_path: Path) -> None:
    compiler = [str(require(NODE)), str(require(TYPESCRIPT))]
    subprocess.run([*compiler, "--project", str(CLIENT), "--outDir", str(tmp_path)], check=True)
    (tmp_path / EVENT_TYPES).write_text((CLIENT / "types" / EVENT_TYPES).read_text())  # Written by manage.py.
    assert read_all(tmp_path) == read_all(CLIENT / "types"), "run: npm run types in clients/javascript"


def read_all(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_it_packs_the_client_and_what_describes_it(tmp_path: Path) -> None:
    with tarfile.open(pack_client(tmp_path)) as package:
        names = {name.removeprefix("package/") for name in package.getnames()}
    scripts = {path.name for path in CLIENT.glob("*.js")}
    types = {f"types/{path.name}" for path in (CLIENT / "types").iterdir()}
    assert names == {"package.json", "README.md", "LICENSE"} | scripts | types


def test_the_example_of_its_readme_prints_events_in_an_empty_project(
    gateway_of_file: Gateways, tmp_path: Path
) -> None:
    gateway, acme = gateway_of_file(), company("Acme")
    settle(gateway, acme)
    install_client(tmp_path)
    [example] = re.findall(r"```js\n(.*?)```", (CLIENT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "example.js").write_text(example)
    command = [str(require(NODE)), str(tmp_path / "example.js")]
    key, errors = acme.key("of the customer"), tmp_path / "errors.txt"
    with Program(gateway, acme, key, command, errors=errors, path=os.defpath) as program:
        program.wait_until_it_receives()
        events = [{"event_type": "call.created", "data": {"id": new_id()}} for _ in range(3)]
        receipts = publish(gateway, acme.key("that publishes"), *events)
        printed = program.events_until(receipts[-1]["cursor"])
    assert [event["id"] for event in printed] == [receipt["id"] for receipt in receipts]
