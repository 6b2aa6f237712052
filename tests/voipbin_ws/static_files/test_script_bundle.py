"""Scripts and what they import as one script."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from voipbin_ws.static_files.script_bundle import NotBundled, bundle

STATIC, CLIENT = ROOT / "voipbin_ws/static", ROOT / "clients/javascript"

MODULES = {
    "page/main.js": """/** The page. */

import { greet, Greeting as Word } from "./greet.js";
import {
  mark,
  names,
} from "../shared/marks.js";

/** Shown. */
export const shown = `${greet("Ada")}${mark} ${new Word().text} ${names().next().value}`;
console.log(shown);
""",
    "page/greet.js": """// Greets.
import { mark } from "../shared/marks.js";

export class Greeting { /** A
  text. */
  text = "hi";
}
/** A text. @param {string} name */
export function greet(name) {
  const text = ` import { no } from "./an-import.js";`;
  return `${text.length > 9 ? "hello" : ""} ${name}${mark}`;
}
""",
    "shared/marks.js": """export const mark = "!";
function* names() {
  yield "Grace";
}
export { names };
""",
}


def test_a_bundle_does_what_its_modules_do(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js runs the scripts")
    for name, script in {**MODULES, "bundle.js": bundle("page/main.js", MODULES.__getitem__)}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(script)
    (tmp_path / "package.json").write_text('{"type": "module"}')

    def output(name: str) -> str:
        return subprocess.run([node, name], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert output("bundle.js") == output("page/main.js") == "hello Ada!! hi Grace\n"


def test_a_module_that_two_import_is_there_once() -> None:
    assert bundle("page/main.js", MODULES.__getitem__).count('mark = "!"') == 1


@pytest.mark.parametrize(
    "script",
    [
        'import all from "./one.js";\n',
        'import * as all from "./one.js";\n',
        'import "./one.js";\n',
        'const a = 1;\nimport { one } from "./one.js";\n',
        'const one = await import("./one.js");\n',
        "const here = import.meta.url;\n",
        "await fetch('/');\n",
        "const text = `\nimport { one } from './one.js';\n`;\n",
        "export let one = 1;\n",
        "export default 1;\n",
        'export * from "./one.js";\n',
        'export { one } from "./one.js";\n',
        'import { itself } from "./main.js";\nexport const itself = 1;\n',
    ],
)
def test_a_script_with_what_a_bundle_cannot_have_is_refused(script: str) -> None:
    with pytest.raises(NotBundled):
        bundle("main.js", {"main.js": script, "one.js": "export const one = 1;\n"}.__getitem__)


def test_a_script_alone_shares_no_name_with_others_of_its_page() -> None:
    script = "(() => { const isDark = true; })();\n"
    assert bundle("theme.js", {"theme.js": script}.__getitem__) == script


@pytest.mark.parametrize("path", sorted(STATIC.glob("*/*/main.js")), ids=lambda path: path.parent.name)
def test_the_scripts_of_all_pages_are_bundled(path: Path) -> None:
    def read(name: str) -> str:
        found = STATIC / name
        return (found if found.exists() else CLIENT / found.name).read_text()

    whole = bundle(str(path.relative_to(STATIC)), read)
    assert "\nimport {" not in whole
