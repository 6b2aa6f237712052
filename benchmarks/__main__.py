"""`python -m benchmarks <table> …`: measure one table of docs/performance.md."""

from __future__ import annotations

import argparse
import sys
from types import ModuleType

from benchmarks import (
    dashboard,
    fanout,
    filters,
    floods,
    latency,
    matching,
    memory,
    processes,
    publishing,
    summaries,
)
from benchmarks.compiled import Unavailable

TABLES: dict[str, ModuleType] = {
    "fanout": fanout,
    "memory": memory,
    "matching": matching,
    "filters": filters,
    "summaries": summaries,
    "publishing": publishing,
    "processes": processes,
    "latency": latency,
    "floods": floods,
    "dashboard": dashboard,
}


def main(arguments: list[str] | None = None) -> int:
    """Measure the tables that the arguments name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    tables = parser.add_subparsers(dest="table", required=True)
    for name, module in TABLES.items():
        module.add_arguments(tables.add_parser(name, help=module.__doc__))
    tables.add_parser("all", help="every table, one after the other, as documented")
    parsed = parser.parse_args(arguments)
    names = list(TABLES) if parsed.table == "all" else [parsed.table]
    try:
        for name in names:
            TABLES[name].run(parser.parse_args([name]) if parsed.table == "all" else parsed)
    except Unavailable as reason:
        sys.stderr.write(f"This cannot be measured here: {reason}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
