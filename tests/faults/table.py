"""What the drills saw as a table in Markdown, from pytest's reports: `python -m tests.faults.table var/drills.xml`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

COLUMNS = ("published", "delivered", "lost", "doubled", "explained", "unknown", "longest_delay")
HEAD = ("what was done", *COLUMNS[:-1], "longest delay (s)")


def rows(report: Path) -> list[tuple[str, ...]]:
    """One row a drill that passed under load.

    Raises:
        SystemExit: some drill failed; then there is no table.
    """
    # The report is our own pytest's.
    cases = ElementTree.parse(report).getroot().findall(".//testcase")  # noqa: S314
    if failed := [case.get("name") for case in cases if case.find("failure") is not None]:
        raise SystemExit(f"these drills failed: {', '.join(map(str, failed))}")
    found = []
    for case in cases:
        values = {each.get("name"): each.get("value") for each in case.findall(".//property")}
        if "published" in values:
            found.append((_reported(str(case.get("name"))), *(str(values[column]) for column in COLUMNS)))
    return found


def _reported(name: str) -> str:
    words, _, parameters = name.removeprefix("test_").partition("[")
    reported = words.replace("_", " ").replace("redis", "Redis").replace("postgres", "PostgreSQL")
    kinds = re.sub(r"\b(\d+)\b", r"\1 s", parameters.rstrip("]").replace("-", ", "))
    return f"{reported} ({kinds})" if kinds else reported


def main() -> None:
    found = [row for report in sys.argv[1:] for row in rows(Path(report))]
    for row in (HEAD, ("---", *("---:" for _ in COLUMNS)), *sorted(found)):
        sys.stdout.write(f"| {' | '.join(row)} |\n")


if __name__ == "__main__":
    main()
