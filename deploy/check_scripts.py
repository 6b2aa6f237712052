"""Check of the scripts by ESLint and TypeScript, with the Node of the tests' packages."""

from __future__ import annotations

import subprocess
import sys

from deploy.programs import ESLINT, NODE, ROOT, TYPESCRIPT, provide


def main() -> int:
    """Check all scripts; return 0 if they pass, or if a checker may be missing and is."""
    code = provide((NODE, ESLINT, TYPESCRIPT), "the scripts are not checked")
    node = NODE.find()
    for checker, arguments in ((ESLINT, ["."]), (TYPESCRIPT, ["--project", "."])):
        script = checker.find()
        if node and script:
            code |= subprocess.run([node, script, *arguments], cwd=ROOT).returncode and 1
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
