"""Every page, link, form and export, and every address of OpenAPI, on both servers and in each role."""

# Long because starting a gateway with rows in every table takes seconds, and pages and addresses share it.

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.journeys.support.cast import Company, Key, Person, company, new_id, settle
from tests.journeys.support.conversation import Conversation, publish
from tests.journeys.support.crawler import PATIENCE_SECONDS, RUBBISH, Crawl, is_harmful, kind_of
from tests.journeys.support.operator_browser import PASSWORD, superuser
from tests.support.answers import check_answer, document
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways

# On a busy machine; it takes half a minute on another.
pytestmark = pytest.mark.timeout(300)

STARTS = (
    "/",
    "/agent",
    "/docs/rest",
    "/docs/websocket",
    "/v1.0/openapi.json",
    "/v1.0/asyncapi.yaml",
    "/admin/",
)
NUMBER = "+4930555123987"


@dataclass
class Scene:
    """A gateway with rows in every table, and two customers of whom neither may see the other."""

    gateway: Gateway
    acme: Company
    globex: Company
    event_ids: dict[str, str]
    call_ids: dict[str, str]

    @property
    def is_thorough(self) -> bool:
        """Whether all roles open all rows: answers differ by role, row and query, but not by the server too."""
        return self.gateway.server == "daphne"

    @property
    def roles(self) -> list[str]:
        return ROLES if self.is_thorough else ["superuser", "anonymous"]

    @property
    def names(self) -> set[str]:
        """What names Globex and its people, calls and keys."""
        globex = self.globex
        prefixes = {key.secret[:11] for key in globex.keys}
        return {globex.name, NUMBER, "globex-person", "globex-key", self.call_ids[globex.name], *prefixes}

    @property
    def canaries(self) -> set[str]:
        """All that Acme must never see: the names, and every id."""
        globex = self.globex
        people = {person.id for person in globex.people}
        return {*self.names, globex.id, self.event_ids[globex.name], *people, *globex.queues}


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def scene(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> Iterator[Scene]:
    gateway = gateway_of_file(request.param, CHECK_INTERVAL_SECONDS="0.2", PING_SECONDS="3600")
    acme, globex = company("Acme"), company("Globex-Canary")
    for person in globex.people:
        person.name = f"globex-person {person.name}"
    for key in globex.keys:
        key.label = f"globex-key {key.label}"
    for name in ("agent", "manager", "admin"):
        person = acme.person(name)
        person.name, person.password = f"acme {name}", PASSWORD
        # The role of a manager does not suffice.
        person.uses_admin = name != "agent"
    acme.keys.append(Key("narrowed", allowed_topics=[f"customer_id:{acme.id}:queue:*"]))
    acme.keys += [Key("old", revoked=True), Key("over", expires_in=-60)]
    acme.keys[0].may_publish = True
    acme.people.append(Person("acme platform", role="staff", password=PASSWORD, uses_admin=True))
    settle(gateway, acme, globex)
    scene = Scene(gateway, acme, globex, {}, {})
    with ExitStack() as connections:
        for each, number in ((acme, "+4930555000001"), (globex, NUMBER)):
            call_id = scene.call_ids[each.name] = f"call-of-{each.name}-{new_id()[:8]}"
            agent, queue = each.people[0].id, each.queues[0]
            data = {"id": call_id, "status": "answered", "source": number, "agent_id": agent}
            receipts = publish(
                gateway,
                next(key.secret for key in each.keys if key.may_publish),
                {"event_type": "call.created", "data": data},
                {"event_type": "queue.joined", "data": {"queue_id": queue, "call_id": call_id}},
                {"event_type": "message.received", "data": {"id": f"message-{call_id}", "text": number}},
            )
            scene.event_ids[each.name] = receipts[0]["id"]
            listener = connections.enter_context(Conversation(gateway, each.keys[0].secret))
            listener.subscribe(f"customer_id:{each.id}:call:*", f"customer_id:{each.id}:queue:{queue}")
        yield scene


ROLES = ["superuser", "platform", "admin", "manager", "agent", "anonymous"]


def browser_of(scene: Scene, role: str) -> httpx.Client:
    """The browser of someone who has tried to log in; managers and agents are refused."""
    gateway = scene.gateway
    if role == "superuser":
        return superuser(gateway).client
    if role == "anonymous":
        return httpx.Client(base_url=gateway.url)
    person = scene.acme.person(f"acme {role}")
    client = httpx.Client(base_url=gateway.url, timeout=PATIENCE_SECONDS)
    client.get("/admin/login/")
    form = {"username": person.name, "password": PASSWORD, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
    answer = client.post("/admin/login/?next=/admin/", data=form)
    assert answer.status_code == (200 if role == "agent" else 302), role
    return client


def errors_in(log: str) -> list[str]:
    """The exceptions whose tracebacks are in a log, with the places that raised them.

    Not those by which Django refuses a request with 400.
    """
    ends = r"Traceback \(most recent call last\):\n(?:[ \t].*\n)*?([ \t]+File .*\n[ \t].*\n\S.*)"
    return [each for each in re.findall(ends, log) if ".Disallowed" not in each]


def test_every_page_link_form_and_export_answers(scene: Scene, record_property: Any) -> None:
    found: set[str] = set()
    crawls, forms = {}, {}
    for role in scene.roles:
        canaries = set() if role in ("superuser", "platform") else scene.canaries
        crawls[role] = crawl = Crawl(browser_of(scene, role), canaries)
        if role == "admin":
            # Those of one customer are enough: keys that ended, agents of each role.
            crawl.rows_of_a_kind = 4
        forms[role] = crawl.follow(*STARTS)
        found |= crawl.found
    # Those who see less try the addresses of all others, where only names count: an answer may repeat an id.
    for role in [each for each in ("admin", "manager", "anonymous") if each in crawls]:
        crawl = crawls[role]
        crawl.canaries &= scene.names
        others = sorted(found - crawl.seen.keys())
        by_kind = {kind_of(url): url for url in others}
        for url in others:
            # The values of a query make no difference, and for those whom the site refuses the row makes none.
            is_row = role == "admin" and "?" not in url
            if is_row or url == by_kind[kind_of(url)]:
                crawl.get(url, refusable=True)
    sent_rubbish: set[tuple[str, ...]] = set()
    for harmful in (False, True):
        for role in reversed(scene.roles):
            crawls[role].submit((each for each in forms[role] if is_harmful(each) == harmful), sent_rubbish)
    for role in scene.roles:
        record_property(role, str(dict(crawls[role].figures)))
    faults = [f"{role}: {fault}" for role, crawl in crawls.items() for fault in crawl.faults]
    assert faults == [], "\n".join(faults[:60])
    assert errors_in(scene.gateway.log_text()) == []
    assert crawls["superuser"].figures["pages"] > 70
    assert crawls["superuser"].figures["forms"] > 50
    assert any("/auditrecord/export/" in url for url in crawls["superuser"].seen)
    if scene.is_thorough:
        assert crawls["admin"].figures["pages"] > 80
        assert any("/auditrecord/export/" in url for url in crawls["admin"].seen)


# --- OpenAPI ---


def credentials(scene: Scene) -> dict[str, str]:
    acme = scene.acme
    few = {"manager": acme.token("acme manager"), "none": ""}
    return (
        few
        if not scene.is_thorough
        else {
            "key of the customer": acme.key("of the customer"),
            "narrowed key": acme.key("narrowed"),
            "key that publishes": acme.key("that publishes"),
            "agent": acme.token("acme agent"),
            **few,
        }
    )


def addresses(scene: Scene, template: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The address with ids of each customer and with rubbish, and values for parameters of the query."""
    for owner in (scene.acme, scene.globex):
        ids = {
            "event_id": scene.event_ids[owner.name],
            "agent_id": owner.people[0].id,
            "call_id": scene.call_ids[owner.name],
            "message_id": f"message-{scene.call_ids[owner.name]}",
            "resource": "call",
            "action": "hangup",
            "event_type": "call.created",
            # Of no row: the addresses of the control API also delete.
            "row_id": "0f0f0f0f-0000-4000-8000-00000000000f",
            "number": "+15550001111",
        }
        yield (
            re.sub(r"\{(\w+)\}", lambda name, ids=ids: ids[name[1]], template),
            ids | {"customer_id": owner.id},
        )
    yield re.sub(r"\{\w+\}", "%00%22<b>", template), {}


def queries(operation: dict[str, Any], ids: dict[str, str]) -> Iterator[str]:
    """Each parameter of the query alone, with a value that is known and with rubbish."""
    for each in operation.get("parameters", []):
        if each["in"] == "query" and ids:
            [known, *_] = each.get("schema", {}).get("enum") or [ids.get(each["name"], "1")]
            yield from (f"?{httpx.QueryParams({each['name']: value})}" for value in (str(known), RUBBISH))


def requests(
    scene: Scene, template: str, method: str, operation: dict[str, Any], credential: str
) -> Iterator[tuple[str, Any]]:
    """Each address and each body once, and each query for one credential: not all combinations of them."""
    operation = operation if scene.is_thorough and credential == "manager" else {}
    every = list(bodies(scene)) if method != "get" else [None]
    for url, ids in addresses(scene, template):
        yield from ((url + query, every[-1]) for query in ("", *queries(operation, ids)))
    yield from ((url, body) for url, _ in list(addresses(scene, template))[:1] for body in every[:-1])


def bodies(scene: Scene) -> Iterator[Any]:
    yield from (None, {}, [], "rubbish", {"event_type": RUBBISH, "data": RUBBISH})
    for owner in (scene.acme, scene.globex):
        data = {"id": scene.call_ids[owner.name], "agent_id": owner.people[0].id}
        yield {"event_type": "call.status", "data": data, "customer_id": owner.id}
    yield {"status": "away", "text": "x", "source": NUMBER, "destinations": [NUMBER]}


def test_every_address_of_openapi_answers_as_described_to_each_credential(
    scene: Scene, record_property: Any
) -> None:
    faults, count = [], 0
    with httpx.Client(base_url=scene.gateway.url, timeout=PATIENCE_SECONDS) as client:
        described: Mapping[str, Any] = document()["paths"]
        for template, methods in described.items():
            for method, operation in methods.items():
                for name, credential in credentials(scene).items():
                    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
                    for url, body in requests(scene, template, method, operation, name):
                        count += 1
                        answer = client.request(method, url, json=body, headers=headers)
                        sent = b"" if body is None else json.dumps(body)
                        what = f"{name}: {method} {url[:150]} {str(body)[:80]}: {answer.status_code}"
                        try:
                            check_answer(method.upper(), url, sent, answer.status_code, answer.content)
                        except AssertionError as error:
                            faults.append(f"{what}: {error}"[:600])
                        if answer.status_code == 500:
                            faults.append(what)
                        shown = {
                            canary
                            for canary in scene.canaries
                            if canary in answer.text and canary not in url and canary not in str(body)
                        }
                        faults += [f"{what} shows {canary}" for canary in shown]
    record_property("addresses", len(described))
    record_property("requests", count)
    assert faults == [], "\n".join(faults[:40])
    assert errors_in(scene.gateway.log_text()) == []
