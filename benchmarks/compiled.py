"""The C programs of this package, compiled on first use."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE.parent / "var" / "benchmarks" / "bin"


class Unavailable(Exception):
    """A program that a measurement needs is not installed; the message says how to install it."""


def compiled(name: str) -> Path:
    """Compile `name.c` unless that was done; returns the program.

    Raises:
        Unavailable: no C compiler is installed.
    """
    source = HERE / f"{name}.c"
    program = BUILT / f"{name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}"
    if not program.exists():
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            # A client in Python would cost more than most of the servers that it measures.
            raise Unavailable("no C compiler here: apt-get install gcc libc6-dev")
        BUILT.mkdir(parents=True, exist_ok=True)
        made = program.with_suffix(".new")
        subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", made, source], check=True)
        made.rename(program)
    return program
