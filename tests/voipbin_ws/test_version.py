"""The version is written in one place, and shown wherever an operator or a program looks for it."""

from __future__ import annotations

from django.test import Client

from subscriptions.connections.runtime import Runtime
from tests.support import answers, frames
from voipbin_ws import __version__
from voipbin_ws.observability.metrics import registry_of


def test_both_api_descriptions_have_the_version() -> None:
    assert answers.document()["info"]["version"] == __version__
    assert frames.document()["info"]["version"] == __version__


def test_the_health_check_has_the_version() -> None:
    assert Client().get("/healthz").json() == {"status": "alive", "version": __version__}


async def test_a_metric_has_the_version() -> None:
    labels = {"version": __version__}
    assert registry_of(Runtime()).get_sample_value("voipbin_ws_build_info", labels) == 1
