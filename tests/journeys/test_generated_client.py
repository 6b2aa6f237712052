"""A client that openapi-python-client generates from the served document, against the gateway."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, new_id
from tests.support.gateway import Gateway

MOST_MODELS = 300
"""A class for each status of each operation would be several times as many."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("generated")


def generated(gateway: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the package, which the first call generates."""
    package = folder / "generated_client"
    if not package.exists():
        document = folder / "openapi.json"
        document.write_text(httpx.get(f"{gateway.url}/v1.0/openapi.json").text)
        config = folder / "config.json"
        # Without it, the generator formats the package by a ruff on the PATH.
        config.write_text('{"post_hooks": []}')
        command = [sys.executable, "-c", "from openapi_python_client.cli import app; app()", "generate"]
        options = ["--path", document, "--output-path", package, "--config", config, "--meta", "none"]
        done = subprocess.run([*command, *options, "--fail-on-warning"], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(folder))
    return package


def test_a_generated_client_publishes_reads_and_understands_refusals(
    gateway_on_each_stack: Gateway, acme: Company, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = gateway_on_each_stack
    package = generated(gateway, folder, monkeypatch)
    assert len(list((package / "models").glob("*.py"))) < MOST_MODELS

    def module(name: str) -> Any:
        return importlib.import_module(f"generated_client.{name}")

    def client(key: str) -> Any:
        return module("client").AuthenticatedClient(base_url=gateway.url, token=acme.key(key))

    models, call = module("models"), new_id()
    event = models.NewEvent.from_dict(
        {"event_type": "call.created", "data": {"id": call, "status": "ringing"}}
    )
    receipt = module("api.publishing.publish_events").sync(client=client("that publishes"), body=event)
    assert isinstance(receipt, models.Receipt)
    reader = client("of the customer")
    page = module("api.reading.list_events").sync(client=reader, resource="call", resource_id=call)
    assert [item.id for item in page.items] == [receipt.id]
    typed = models.CallCreatedEvent.from_dict(page.items[0].to_dict())
    assert (typed.data.id, typed.data.status) == (call, "ringing")
    list_calls = module("api.reading.list_calls").sync
    assert [item.resource_id for item in list_calls(client=reader, active=True, resource_id=call).items] == [
        call
    ]
    assert list_calls(client=reader, active=False, resource_id=call).items == []
    refused = list_calls(client=reader, limit=0)
    assert isinstance(refused, models.Error)
    assert (refused.code, refused.errors[0].field) == ("INVALID_REQUEST", "limit")
    assert (
        models.Error.from_dict({"code": "OF_A_LATER_VERSION", "message": "why"}).code == "OF_A_LATER_VERSION"
    )
