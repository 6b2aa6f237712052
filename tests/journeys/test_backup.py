"""Backup and restore as in docs/operations.md: a client from after the backup is notified and receives new events."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.programs import POSTGRES
from tests.journeys.support.cast import company, settle
from tests.journeys.support.conversation import Conversation, publish
from tests.support.gateway import Gateway, gateway_environment, manage
from tests.support.gateways import Gateways
from tests.support.processes import ROOT
from tests.support.requirement import require

OPERATIONS = ROOT / "docs" / "operations.md"
WITH_POSTGRES, WITH_SQLITE = "PostgreSQL", "SQLite"


def commands_of(heading: str) -> list[str]:
    """The commands in the first block under this heading, each with what continues it."""
    _, _, rest = OPERATIONS.read_text().partition(f"\n### {heading}\n")
    block = re.search(r"```sh\n(.*?)```", rest, re.DOTALL)
    assert block, f"no commands under {heading}"
    lines = block[1].replace("\\\n", "").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def carry_out(heading: str, gateway: Gateway, folder: Path) -> None:
    """Run those commands, but for systemctl's, in a folder that has what the installed gateway's has."""
    for command in commands_of(heading):
        if command.startswith("systemctl "):
            continue
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", command],
            cwd=folder,
            env={**gateway.environment, "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def call(call_id: str) -> dict[str, Any]:
    return {"event_type": "call.status", "data": {"id": call_id, "status": "ringing"}}


@pytest.fixture(params=[WITH_POSTGRES, WITH_SQLITE])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == WITH_POSTGRES:
        require(POSTGRES)
    return request.param


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the gateway is installed, as far as the commands see it."""
    (tmp_path / "manage.py").symlink_to(ROOT / "manage.py")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "var").mkdir()
    return tmp_path


def test_after_a_restore_clients_are_notified_and_resume(gateway: Gateways, kind: str, folder: Path) -> None:
    database = {"database_url": f"sqlite:///{folder}/var/db.sqlite3"} if kind == WITH_SQLITE else {}
    if database:
        manage(gateway_environment(database["database_url"]), "migrate", "--verbosity", "0")
    serving = gateway("uvicorn", postgres=kind == WITH_POSTGRES, **database)
    acme = company("Acme")
    settle(serving, acme)
    publisher, everything = acme.key("that publishes"), f"customer_id:{acme.id}:call:*"
    publish(serving, publisher, call("before"))
    carry_out(f"To back up {kind}", serving, folder)
    (lost,) = publish(serving, publisher, call("lost-with-the-disk"))

    assert serving.terminate() == 0
    carry_out(f"To restore {kind}", serving, folder)
    serving.restart()
    # As many as there were: without a new epoch, the client's cursor would be as good as before.
    publish(serving, publisher, call("anew"), call("one-more"))
    with Conversation(serving, acme.token("manager")) as conversation:
        ack = conversation.subscribe(everything, since=lost["cursor"])
        assert ack["recovered"] is False
        state = conversation.subscribe(everything)
        publish(serving, publisher, call("next"))
        assert conversation.receive()["data"]["id"] == "next"
    assert state["cursor"].rpartition(".")[2] == "3"
