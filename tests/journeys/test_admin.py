"""The admin over HTTP, on both servers: every page that is linked answers, and the export is the whole file."""

# Long because starting a gateway with something on each page takes seconds, and all these tests share it.

from __future__ import annotations

import csv
import io
import json
import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.journeys.support.cast import Company, company, new_id, settle
from tests.journeys.support.conversation import Conversation, get, publish
from tests.journeys.support.operator_browser import PASSWORD, OperatorBrowser, admin_of, superuser
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from voipbin_ws.http.django_handler import THREADS


@dataclass
class Scene:
    """A gateway with something on each of the admin's lists, and its operators by name."""

    gateway: Gateway
    acme: Company
    operators: dict[str, OperatorBrowser]


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def scene(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> Iterator[Scene]:
    server = gateway_of_file(request.param, CHECK_INTERVAL_SECONDS="0.2", PING_SECONDS="3600")
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


# --- The audit log's export ---

EXPORT = "/admin/subscriptions/auditrecord/export/"
RECORDS = """
import uuid
from subscriptions.audit.store import append
from subscriptions.models import AuditRecord
append([
    AuditRecord(
        action="subscribe", verdict="granted", topic=f"number {{number}}", connection_id=uuid.uuid4(),
        customer_id={customer_id!r},
    )
    for number in range({count})
])
"""
SPOIL = """
from django.db import connection
connection.cursor().execute("UPDATE subscriptions_auditrecord SET connection_id = 'no UUID' WHERE topic = 'number 0'")
"""


def keep_records(gateway: Gateway, company: Company, count: int) -> None:
    command = RECORDS.format(customer_id=company.id, count=count)
    gateway.manage("shell", "--verbosity", "0", "--command", command)


def test_the_export_is_the_whole_log_of_what_the_operator_sees(scene: Scene) -> None:
    globex = company("Globex")
    settle(scene.gateway, globex)
    keep_records(scene.gateway, scene.acme, 1200)
    keep_records(scene.gateway, globex, 3)
    for name, count in (("root", 1203), ("admin", 1200)):
        answer = scene.operators[name].get(EXPORT, topic="number")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == count
        assert {row["customer id"] for row in rows} == {scene.acme.id} | (
            {globex.id} if name == "root" else set()
        )
        assert [row["topic"] for row in rows][-2:] == ["number 1", "number 0"]


def test_clients_that_leave_half_way_hold_no_thread_and_break_nothing(scene: Scene) -> None:
    keep_records(scene.gateway, scene.acme, 3000)
    operator = scene.operators["admin"]
    cookies = "; ".join(f"{name}={value}" for name, value in operator.client.cookies.items())
    request = f"GET {EXPORT} HTTP/1.1\r\nHost: 127.0.0.1:{scene.gateway.port}\r\nCookie: {cookies}\r\n\r\n"
    # More than there are threads for requests.
    for _ in range(THREADS + 8):
        with socket.create_connection(("127.0.0.1", scene.gateway.port), timeout=30) as client:
            client.sendall(request.encode())
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    answer = operator.get(EXPORT, topic="number")
    assert len(list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))) >= 3000
    assert "Traceback" not in scene.gateway.log_text()


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_an_answer_that_fails_under_way_is_cut_and_the_next_one_too(gateway: Gateways, server: str) -> None:
    alone = gateway(server)
    acme = company("Acme")
    settle(alone, acme)
    keep_records(alone, acme, 600)
    alone.manage("shell", "--verbosity", "0", "--command", SPOIL)
    operator = superuser(alone)
    for _ in range(2):
        # The first 500 records are sent before the last one is read.
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            operator.get(EXPORT)
    assert operator.get("/admin/").status_code == 200
    assert "badly formed hexadecimal UUID string" in alone.log_text()


# --- Import ---

IMPORT = "/admin/subscriptions/customer/import/"


def test_a_file_larger_than_a_form_is_imported_as_previewed_and_by_the_control_api(
    operator: OperatorBrowser, scene: Scene
) -> None:
    owner = scene.acme.id
    rows = [
        {"resource": "queue", "id": new_id(), "name": "Support", "customer_id": owner}
        if number
        else {"resource": "access_key", "id": new_id(), "label": "Imported", "customer_id": owner}
        for number in range(2)
    ]
    # Blank lines: the size matters, and not the time that rows take.
    text = "\n".join(map(json.dumps, rows)) + "\n" * (3 * 2**20)
    token = operator.client.cookies["csrftoken"]
    preview = operator.client.post(
        IMPORT, data={"csrfmiddlewaretoken": token}, files={"file": ("acme.jsonl", text)}
    )
    assert (preview.status_code, "<strong>2</strong> new" in preview.text) == (200, True)
    [sealed] = re.findall(r'name="sealed" value="([^"]+)"', preview.text)
    done = operator.post(IMPORT, {"sealed": sealed})
    assert done.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    [secret] = re.findall(r"vb_[A-Za-z0-9]{32}", done.text)
    assert get(scene.gateway, secret, "/v1.0/me").status_code == 200
    assert secret not in scene.gateway.log_text()
    answer = httpx.post(
        f"{scene.gateway.url}/v1.0/control/import",
        content=text,
        headers={"Authorization": f"Bearer {scene.acme.token('admin')}"},
        timeout=30,
    )
    assert (answer.status_code, answer.json()["counts"]) == (200, {"unchanged": 2})
    too_large = operator.client.post(IMPORT, content=b"x" * (10 * 2**20 + 1))
    assert too_large.status_code == 413


# --- Look-ups in the address ---

LISTS = {
    "events/event": ("body", "resource_id", "customer_id", "id"),
    "events/resourcestate": ("body", "resource_id", "id"),
    "events/customerlog": ("epoch", "customer_id"),
    "subscriptions/customer": ("name", "id"),
    "subscriptions/agent": ("name", "id"),
    "subscriptions/queue": ("name", "id"),
    "subscriptions/accesskey": ("digest", "label", "id"),
    "subscriptions/liveconnection": ("topics", "id"),
    "subscriptions/auditrecord": ("client", "detail", "id"),
}
REFUSED_QUERIES = (
    {"_facets": "True"},
    {"id__in": ",".join(["1"] * 3000)},
    {"o": "1." * 3000},
    {"q": "x " * 4000},
    {"_to_field": "password"},
)
LOOKUPS = ("", "__exact", "__in", "__iregex", "__startswith", "__contains", "__gt")
LOGINS = {"auth/user": ("username", "email", "id"), "auth/group": ("name", "id")}


def test_a_lookup_that_no_filter_declares_is_refused(operator: OperatorBrowser, scene: Scene) -> None:
    lists = LISTS | (LOGINS if operator is scene.operators["root"] else {})
    if scene.gateway.server != "daphne":
        # Lists differ, and operators, but not by the server too, which only has to pass on such addresses.
        lists = dict([*lists.items()][-1:])
    for page, fields in lists.items():
        for field, lookup in ((fields[0], each) for each in LOOKUPS):
            answer = operator.get(f"/admin/{page}/", **{f"{field}{lookup}": "(a+)+!"})
            assert answer.status_code == 400, (page, field, lookup)
            assert "This list has no such filter, value or page" in answer.text
        for field in fields:
            assert operator.get(f"/admin/{page}/", **{f"{field}__regex": "(a+)+!"}).status_code == 400, field
        for query in REFUSED_QUERIES:
            assert operator.get(f"/admin/{page}/", **query).status_code == 400, (page, query)
        assert operator.get(f"/admin/{page}/", q="\0").status_code == 200
    if "auth/user" in lists:
        assert operator.get("/admin/auth/user/", password__startswith="a").status_code == 400
    assert operator.get(EXPORT, topic__regex="(a+)+!").status_code == 400


def test_no_list_of_the_admin_is_left_out(scene: Scene) -> None:
    listed = {
        path
        for app in ("subscriptions", "events", "auth")
        for link in scene.operators["root"].links(f"/admin/{app}/")
        if link.startswith(f"/admin/{app}/") and link.count("/") == 4 and "?" not in link
        for path in (link.removeprefix("/admin/").rstrip("/"),)
    }
    assert listed == {*LISTS, *LOGINS}


def test_an_expression_that_never_ends_delays_no_other_request(scene: Scene) -> None:
    data = {"id": "redos", "x": "a" * 34 + "?"}
    publish(scene.gateway, scene.acme.key("that publishes"), {"event_type": "call.created", "data": data})
    address = "/admin/events/event/"
    query = {"body__regex": "(a+)+!", "resource_id": "redos"}
    assert scene.operators["admin"].get(address, **query).status_code == 400
    assert httpx.get(f"{scene.gateway.url}/healthz").status_code == 200


# Another server makes no other links, and test_crawl follows one of each kind there.
@pytest.mark.parametrize("scene", ["daphne"], indirect=True)
def test_each_link_with_a_query_leads_to_its_list(scene: Scene) -> None:
    operator = scene.operators["root"]
    pages, waiting, requested = set(), {"/admin/"}, set()
    while waiting:
        page = waiting.pop()
        pages.add(page)
        links = {link for link in operator.links(page) if "/logout/" not in link}
        requested |= {link for link in links if "?" in link}
        waiting |= {link for link in links if "?" not in link} - pages - {EXPORT}
    filters = (
        "period=1h",
        "live=yes",
        "status=active",
        "role__exact=admin",
        "is_active__exact=1",
        "key=",
        "queue=",
    )
    filters += (
        "verdict__exact=granted",
        "action__exact=",
        "rule=",
        "event_type=",
        "resource=",
        "credential=",
        "q=",
    )
    for each in filters:
        assert any(each in link for link in requested), each
    for link in sorted(requested):
        answer = operator.get(link)
        assert answer.status_code == 200, (link, answer.status_code)


def test_filters_that_are_typed_in_are_taken(operator: OperatorBrowser) -> None:
    log = "/admin/subscriptions/auditrecord/"
    typed = {
        "topic": "call",
        "agent": "ada",
        "key": "vb_1",
        "from": "2024-01-01T00:00",
        "until": "2024-01-02T00:00",
    }
    for name, value in typed.items():
        assert operator.get(log, **{name: value}).status_code == 200
    assert operator.get(log, q="call", o="", p="1", all="").status_code == 200


# --- Ending calls ---

STATES = "/admin/events/resourcestate/"


def page_of(operator: OperatorBrowser, resource_id: str) -> str:
    """The address of the only state with this id."""
    links = operator.links(f"{STATES}?q={resource_id}")
    [page] = {link.partition("?")[0] for link in links if link.startswith(STATES) and "/change/" in link}
    return page


def ending(page: str, **fields: str) -> dict[str, str]:
    """The form that ends the call of this page."""
    row = page.removeprefix(STATES).removesuffix("/change/")
    return {"action": "end_call", "_selected_action": row, **fields}


def test_an_operator_ends_a_call_whose_end_was_never_published(scene: Scene) -> None:
    ghost, acme = new_id(), scene.acme
    ann = acme.person("agent").id
    publish(
        scene.gateway,
        acme.key("that publishes"),
        {"event_type": "call.status", "data": {"id": ghost, "status": "answered", "agent_id": ann}},
    )
    [state] = get(scene.gateway, acme.token("manager"), f"/v1.0/calls?resource_id={ghost}").json()["items"]
    with Conversation(scene.gateway, acme.token("agent")) as desk:
        desk.subscribe(f"agent_id:{ann}:*", since=state["cursor"])
        operator = scene.operators["admin"]
        page = page_of(operator, ghost)
        assert "End the call" in operator.get(page).text
        assert "End these calls?" in operator.post(STATES, ending(page)).text
        answer = operator.post(STATES, ending(page, confirmed="yes", reason="a ghost"))
        assert answer.status_code == 302
        received = [desk.receive() for _ in range(2)]
    assert [frame["event_type"] for frame in received] == ["call.status", "call.ended"]
    assert received[1]["data"]["reason"] == "ended by an operator: a ghost"
    assert received[1]["data"]["inferred"] is True
    [state] = get(scene.gateway, acme.token("manager"), f"/v1.0/calls?resource_id={ghost}").json()["items"]
    assert not state["active"]
    assert "End the call" not in operator.get(page).text
    records = operator.get("/admin/subscriptions/auditrecord/", rule="ended-by-operator").text
    assert ghost in records
    assert "user admin" in records


def test_an_operator_ends_no_call_of_another_customer(scene: Scene) -> None:
    globex = company("Globex")
    settle(scene.gateway, globex)
    ghost = new_id()
    publish(
        scene.gateway, globex.key("that publishes"), {"event_type": "call.created", "data": {"id": ghost}}
    )
    page = page_of(scene.operators["root"], ghost)
    scene.operators["admin"].post(STATES, ending(page, confirmed="yes"))
    [state] = get(scene.gateway, globex.token("manager"), f"/v1.0/calls?resource_id={ghost}").json()["items"]
    assert state["active"]
