"""Results: JSON for programs, tables in Markdown for docs/performance.md."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "var" / "benchmarks"


@contextmanager
def working_folder() -> Iterator[Path]:
    """A temporary folder for servers and logs, which PostgreSQL's own user can enter."""
    with tempfile.TemporaryDirectory(prefix="voipbin-ws-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Format a table in Markdown, its numbers with three digits."""
    lines = [list(header), ["---"] + ["--:"] * (len(header) - 1)]
    lines += [[shown(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(value: object) -> str:
    """Format a cell: three digits of a number, a dash for `None`."""
    if value is None:
        return "–"
    if isinstance(value, float):
        if abs(value) >= 100:
            return f"{value:,.0f}"
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def circumstances() -> dict[str, Any]:
    """The machine and the versions of the measurement."""
    names = ("Django", "channels", "daphne", "uvicorn", "uvloop", "websockets", "twisted")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{_processor()}, {os.cpu_count()} cores, Linux {platform.release()}",
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in names},
    }


def save(name: str, results: Mapping[str, Any], *tables: str) -> None:
    """Write var/benchmarks/<name>.json and .md, and print the tables."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    whole = {"circumstances": circumstances(), **results}
    (FOLDER / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n")
    text = "\n\n".join(tables) + "\n"
    (FOLDER / f"{name}.md").write_text(text)
    sys.stdout.write("\n" + text + f"\n(kept as var/benchmarks/{name}.json and {name}.md)\n")


def note(text: str) -> None:
    """Report progress on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
