"""Check of the project's scripts by ESLint and TypeScript, with the Node that the tests' requirements install."""

from __future__ import annotations

import subprocess
import sys

from deploy.programs import ESLINT, NODE, ROOT, TYPESCRIPT, provide


def main() -> int:
    """Check all scripts; returns 0 if they pass, or if a checker is missing and CI=true does not demand it."""
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
