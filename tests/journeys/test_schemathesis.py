"""schemathesis on every operation of the served OpenAPI document, as a customer's admin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.support.cast import Company, company, settle
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways

# Streams have no end, log-outs end the credential, and without a platform its operations are all answered with 501.
OUT_OF_REACH = "/v1.0/sse|/auth/|/v1.0/messages|/v1.0/calls/"


@pytest.fixture(scope="module")
def gateway(gateway_of_file: Gateways) -> Gateway:
    return gateway_of_file("daphne")


@pytest.fixture(scope="module")
def acme(gateway: Gateway) -> Company:
    acme = company("Acme")
    settle(gateway, acme)
    return acme


@pytest.mark.skipif(not os.environ.get("DRILLS"), reason="a minute of requests: make drills")
def test_every_answer_is_as_described(gateway: Gateway, acme: Company, tmp_path: Path) -> None:
    document, credential = f"{gateway.url}/v1.0/openapi.json", acme.token("admin")
    options = {
        "--header": f"Authorization: Bearer {credential}",
        "--exclude-path-regex": OUT_OF_REACH,
        # The examples name rows that this customer does not have, and too many events are answered with 413.
        "--exclude-checks": "positive_data_acceptance,negative_data_rejection",
        "--phases": "examples,coverage",
        "--seed": "1",
        "--request-timeout": "30",
    }
    command = [sys.executable, "-m", "schemathesis.cli", "run", document, "--no-color"]
    command += [part for option in options.items() for part in option]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
