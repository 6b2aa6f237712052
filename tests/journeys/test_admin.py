"""The admin over HTTP, on both servers: every page that is linked answers, and the export is the whole file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.journeys.cast import Company, company, settle
from tests.journeys.conversation import Conversation, publish
from tests.journeys.operator_browser import PASSWORD, OperatorBrowser, admin_of, superuser
from tests.machinery.gateway import Gateway
from tests.machinery.gateways import Gateways


@dataclass
class Scene:
    """A gateway with something on each of the admin's lists, and its operators by name."""

    gateway: Gateway
    acme: Company
    operators: dict[str, OperatorBrowser]


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def scene(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> Iterator[Scene]:
    server = gateway_of_file(request.param, CHECK_INTERVAL_SECONDS="0.2")
    acme = company("Acme")
    acme.person("admin").password = PASSWORD
    settle(server, acme)
    publish(
        server,
        acme.key("that publishes"),
        {"event_type": "call.created", "data": {"id": "one", "status": "ringing"}},
        {"event_type": "queue.joined", "data": {"queue_id": acme.queues[0], "call_id": "one"}},
    )
    with Conversation(server, acme.key("of the customer")) as listener:
        listener.subscribe(f"customer_id:{acme.id}:call:*")
        yield Scene(server, acme, {"root": superuser(server), "admin": admin_of(server, acme)})


@pytest.fixture(params=["root", "admin"])
def operator(request: pytest.FixtureRequest, scene: Scene) -> OperatorBrowser:
    """The superuser and the admin of the customer in turn."""
    return scene.operators[request.param]


def test_each_heading_of_the_front_page_leads_to_its_pages(operator: OperatorBrowser) -> None:
    headings = {"/admin/subscriptions/", "/admin/events/", "/admin/auth/"} & operator.links("/admin/")
    assert headings >= {"/admin/subscriptions/", "/admin/events/"}
    for heading in headings:
        assert any(link.startswith(heading) and link != heading for link in operator.links(heading))


def test_a_heading_of_pages_that_are_not_the_operators_is_not_there(scene: Scene) -> None:
    assert scene.operators["root"].get("/admin/auth/").status_code == 200
    assert scene.operators["admin"].get("/admin/auth/").status_code == 404
