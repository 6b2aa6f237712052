"""docs/operations.md names only alarms, metrics, readiness parts, commands and files that exist."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from tests.support.processes import ROOT

TEXT = (ROOT / "docs" / "operations.md").read_text()
RULES = ROOT / "deploy" / "prometheus" / "voipbin-ws.rules.yaml"
PROSE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))


def alarms() -> dict[str, dict[str, object]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def metrics_of(text: str) -> set[str]:
    """Return the names of the gateway's metrics in a text, as the code writes them."""
    found = re.findall(r"\bvoipbin_ws_([a-z_]+)", text)
    return {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in found}


def test_every_alarm_is_explained_with_its_urgency_and_no_other() -> None:
    explained = dict(re.findall(r"^\| `(VoipbinWs\w+)` \| (page|ticket) \|", TEXT, re.MULTILINE))
    assert explained == {name: rule["labels"]["severity"] for name, rule in alarms().items()}  # type: ignore[index]
    assert set(re.findall(r"VoipbinWs\w+", TEXT)) == set(alarms())


def test_every_metric_that_is_named_is_one() -> None:
    code = (ROOT / "voipbin_ws" / "observability" / "metrics.py").read_text()
    named = metrics_of(RULES.read_text()) | metrics_of(PROSE)
    assert len(named) >= 7
    assert [name for name in sorted(named) if f'"{name}"' not in code and f'_{name}"' not in code] == []


def test_every_part_of_readiness_is_explained() -> None:
    code = (ROOT / "voipbin_ws" / "observability" / "health.py").read_text()
    parts = re.findall(r'^        "(\w+)": _part\(', code, re.MULTILINE)
    assert len(parts) >= 4
    section = TEXT.partition("## Health")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == parts


@pytest.mark.parametrize("line", [line for line in BLOCKS.splitlines() if "manage.py" in line])
def test_a_command_that_is_given_is_one(line: str) -> None:
    python, script, name, *options = shlex.split(line)
    assert (python, script) == (".venv/bin/python", "manage.py")
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    if options != ["--help"]:
        parser.parse_args(options)


def test_every_file_of_the_project_that_is_named_is_there() -> None:
    named = set(re.findall(r"\b((?:deploy|docs)/[\w./*-]*\w)", TEXT))
    assert len(named) > 5
    assert [path for path in sorted(named) if not list(ROOT.glob(path))] == []
    units = set(re.findall(r"\b(voipbin-ws[\w@-]*\.(?:service|timer|target))", TEXT))
    assert {unit for unit in units if not (ROOT / "deploy" / "systemd" / unit).exists()} == set()


def test_every_heading_that_is_linked_is_one() -> None:
    headings = re.findall(r"^#+ (.*)$", PROSE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors
