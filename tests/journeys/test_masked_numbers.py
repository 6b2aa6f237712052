"""A canary number, sent through the gateway in every spelling: no masked reader receives its digits."""

# Long because all exits are in one file, so that a missing one is easy to find.

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest

from tests.journeys.support.cast import Company, Key, Person, company, new_id, settle
from tests.journeys.support.conversation import PATIENCE_SECONDS, Conversation, publish
from tests.journeys.support.crawler import Crawl
from tests.journeys.support.event_stream import EventStream
from tests.journeys.support.operator_browser import PASSWORD, superuser
from tests.support.answers import document
from tests.support.gateway import Gateway
from tests.support.gateways import Gateways
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

CANARY = "1709876543"
SPELLINGS = (
    f"+49{CANARY}",
    "+49 170 9876543",
    "0049170 98 76 543",
    "0170-987-65-43",
    "+49 (0)170/9876543",
    "+49.170.987.6543",
    f"tel:+49{CANARY}",
    f"sip:+49{CANARY}@10.0.0.1",
    f"%2B49{CANARY}",
    "%2B49%20170%209876543",
    f"49{CANARY}",
    "+49\u00a0170\u20119876543",
    "+٤٩ ١٧٠ ٩٨٧٦٥٤٣",
)
FORMATS = ("", "&batch=true", "&format=cloudevents")


def shows(text: str) -> bool:
    """Whether a text has the digits of the canary, in any spelling."""
    plain = "".join(str(unicodedata.digit(sign, sign)) for sign in unquote(text))
    # Escapes in JSON and HTML are of signs between the digits.
    plain = re.sub(r"\\u00a0|\\u2011|&nbsp;|&#\d+;", "", plain)
    return CANARY in re.sub(r"[^0-9A-Za-z\"]+", "", plain)


ONE_SERVER = pytest.mark.parametrize("scene", ["daphne"], indirect=True)
"""Django answers these: the server makes no difference."""


@dataclass
class Scene:
    """A gateway with the canary in every kind of event; `beginning` is the cursor before them."""

    gateway: Gateway
    acme: Company
    beginning: str
    event_ids: list[str] = field(default_factory=list)
    call_id: str = ""
    message_id: str = ""

    @property
    def topics(self) -> list[str]:
        return [f"customer_id:{self.acme.id}:*:*"]

    @property
    def masked(self) -> dict[str, str]:
        acme = self.acme
        return {
            "masked key": acme.key("masked"),
            **{name: acme.token(name) for name in ("agent", "granted agent", "manager", "masked admin")},
        }


def events(acme: Company, call_id: str, spelled: str) -> Iterator[dict[str, Any]]:
    """The canary in a call, a message, a transcription and events of unknown types: as text, name, key and number."""
    address = {"type": "tel", "target": spelled, "target_name": f"Anna {spelled}"}
    agent, queue = acme.person("agent").id, acme.queues[0]
    call = {
        "id": call_id,
        "status": "ringing",
        "direction": "inbound",
        "source": address,
        "destination": spelled,
        "queue_id": queue,
        "agent_id": agent,
        "caller_id": spelled,
        "extra": {spelled: [spelled, {"deep": f"sip:{spelled}@example.com"}], "digits": int(f"49{CANARY}")},
    }
    yield {"event_type": "call.created", "data": call, "tags": {"caller": spelled}}
    yield {"event_type": "queue.joined", "data": {"queue_id": queue, "call_id": call_id, "source": address}}
    message = {"id": new_id(), "direction": "inbound", "source": address, "text": f"Ring me: {spelled}!"}
    yield {"event_type": "message.received", "data": message}
    yield {
        "event_type": "transcribe.created",
        "data": {"id": new_id(), "transcript": f"my number is {spelled}"},
    }
    yield {"event_type": "call.unheard_of", "data": {"call_id": call_id, "whatever": [spelled]}}


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def scene(request: pytest.FixtureRequest, gateway_of_file: Gateways) -> Scene:
    gateway = gateway_of_file(request.param, CHECK_INTERVAL_SECONDS="0.2", PING_SECONDS="3600")
    acme = company("Acme")
    acme.desk = {"masked_roles": ["agent", "manager", "admin"], "region": "DE"}
    acme.keys.append(Key("masked", masks_numbers=True, may_control=True))
    admin = acme.person("admin")
    admin.name, admin.password, admin.uses_admin = "masked admin", PASSWORD, True
    acme.people.append(Person("limited", role="manager", limited_to={"queues": acme.queues[1:]}))
    acme.person("agent").granted = ["message", "call"]
    settle(gateway, acme)
    with Conversation(gateway, acme.key("of the customer")) as conversation:
        beginning = conversation.subscribe(f"customer_id:{acme.id}:*:*")["cursor"]
    return Scene(gateway, acme, beginning)


def publish_all(scene: Scene) -> str:
    """Publish the canary in all spellings; return the cursor of the last event."""
    cursor = ""
    # Also as an id.
    publish(scene.gateway, scene.acme.key("that publishes"), *events(scene.acme, SPELLINGS[0], "anonymous"))
    for spelled in SPELLINGS:
        scene.call_id = new_id()
        batch = list(events(scene.acme, scene.call_id, spelled))
        receipts = publish(scene.gateway, scene.acme.key("that publishes"), *batch)
        scene.event_ids += [each["id"] for each in receipts]
        scene.message_id = batch[2]["data"]["id"]
        cursor = receipts[-1]["cursor"]
    return cursor


@pytest.fixture
def filled(scene: Scene) -> None:
    """Publish the canary, also where a test runs alone."""
    if not scene.event_ids:
        publish_all(scene)


def test_no_socket_or_stream_shows_a_masked_reader_the_number(scene: Scene) -> None:
    """Live and replayed, in each format, next to a reader who receives it as it is."""
    acme, last = scene.acme, ""
    readers = {"unmasked": acme.key("of the customer"), "masked": acme.key("masked")}
    live = {
        (name, query): Conversation(scene.gateway, credential, query=query)
        for name, credential in readers.items()
        for query in FORMATS
    }
    for each in live.values():
        each.subscribe(*scene.topics)
    last = publish_all(scene)
    texts: dict[tuple[str, str], list[str]] = {}
    for key, each in live.items():
        texts[key] = [each.receive_text()]
        while last not in texts[key][-1]:
            texts[key].append(each.receive_text())
        with each:
            each.send({"type": "subscribe", "topics": scene.topics, "since": scene.beginning})
    for name, credential in readers.items():
        for query in FORMATS:
            with Conversation(scene.gateway, credential, query=query) as again:
                again.send({"type": "subscribe", "topics": scene.topics, "since": scene.beginning})
                texts[name, f"replay {query}"] = replayed = [again.receive_text()]
                while last not in replayed[-1]:
                    replayed.append(again.receive_text())
        for form in ({}, {"format": "cloudevents"}):
            with EventStream(
                scene.gateway, credential, *scene.topics, since=scene.beginning, **form
            ) as stream:
                texts[name, f"stream {form}"] = streamed = [str(stream.receive())]
                while last not in streamed[-1]:
                    streamed.append(str(stream.receive()))
    assert {key: any(map(shows, each)) for key, each in texts.items()} == {
        key: key[0] == "unmasked" for key in texts
    }
    assert any("+49 ••• 43" in text for text in texts["masked", ""])


@ONE_SERVER
@pytest.mark.usefixtures("filled")
def test_every_address_masks_the_number(scene: Scene) -> None:
    """All of OpenAPI, so that a new address is included, with each parameter of its query."""
    acme, seen = scene.acme, set()
    ids = {
        "event_id": scene.event_ids[0],
        "event": scene.event_ids[0],
        "topic": f"customer_id:{acme.id}:call:{scene.call_id}",
        "agent_id": acme.person("agent").id,
        "call_id": scene.call_id,
        "message_id": scene.message_id,
        "queue_id": acme.queues[0],
        "resource": "call",
        "action": "hangup",
        "event_type": "call.created",
        "row_id": "0f0f0f0f-0000-4000-8000-00000000000f",
        "number": scene.call_id,
        "result": "true",
        "at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    faults = []
    with httpx.Client(base_url=scene.gateway.url, timeout=PATIENCE_SECONDS) as client:
        for template, methods in document()["paths"].items():
            url = re.sub(r"\{(\w+)\}", lambda name: ids[name[1]], template)
            for method, operation in methods.items():
                queries = [""]
                for each in operation.get("parameters", []) if method == "get" else []:
                    if each["in"] == "query":
                        known = each.get("schema", {}).get("enum") or [ids.get(each["name"], "1")]
                        queries.append(f"?{httpx.QueryParams({each['name']: known[-1]})}")
                for name, credential in {**scene.masked, "unmasked": acme.key("of the customer")}.items():
                    headers = {"Authorization": f"Bearer {credential}"}
                    for query in queries:
                        body = {} if method != "get" else None
                        answer = client.request(method, url + query, json=body, headers=headers)
                        assert answer.status_code != 500, (method, url, query)
                        if shows(answer.text):
                            seen.add(template)
                            if name != "unmasked":
                                faults.append((name, method, url + query, answer.text[:500]))
    assert faults == []
    wanted = {"/v1.0/messages/{message_id}/conversation", "/v1.0/messages/{message_id}/reveal"}
    wanted |= {"/v1.0/events", "/v1.0/events/{event_id}", "/v1.0/calls", "/v1.0/queues", "/v1.0/messages"}
    assert seen >= {*wanted, "/v1.0/resources/{resource}", "/v1.0/conversations"}
    assert ("/v1.0/states" in seen) == ("/v1.0/states" in document()["paths"])


def filter_of(name: str, begin: str) -> str:
    return quote(json.dumps({"field": name, "op": "sw", "value": begin}))


def test_a_limited_manager_receives_its_queues_alone(scene: Scene) -> None:
    """Live, replayed and as a stream; with summaries of its queues, and a clear refusal of others."""
    acme = scene.acme
    other, own = acme.queues
    calls = {queue: new_id() for queue in acme.queues}
    batch = [
        {"event_type": "call.created", "data": {"id": call, "queue_id": queue, "source": SPELLINGS[0]}}
        for queue, call in calls.items()
    ]
    token = acme.token("limited")
    with Conversation(scene.gateway, token) as manager:
        start = manager.subscribe(*scene.topics)["cursor"]
        receipts = publish(scene.gateway, acme.key("that publishes"), *batch)
        (received,) = manager.until(receipts[-1]["cursor"])
        assert received["data"] == {"id": calls[own], "queue_id": own, "source": "+49 ••• 43"}
        assert manager.before_pong() == []
        for refused in (f"queue:{other}", f"summary:{other}", "summary:all"):
            error = manager.ask({"type": "subscribe", "topics": [f"customer_id:{acme.id}:{refused}"]})
            assert (error["code"], "limited to some queues" in error["message"]) == (
                "PERMISSION_DENIED",
                True,
            )
        manager.subscribe(f"customer_id:{acme.id}:summary:*")
        summary = manager.receive()
        assert (summary["event_type"], summary["data"]["queue_id"]) == ("summary.changed", own)
    with Conversation(scene.gateway, token) as again:
        again.subscribe(*scene.topics, since=start)
        assert again.receive()["data"]["id"] == calls[own]
        assert again.before_pong() == []
    with EventStream(scene.gateway, token, *scene.topics, since=start) as stream:
        assert stream.receive()["type"] == "ack"
        assert stream.receive()["data"]["id"] == calls[own]


@ONE_SERVER
@pytest.mark.parametrize(
    "address",
    [
        f"/v1.0/calls?number={CANARY[:3]}",
        f"/v1.0/calls?name={CANARY[:2]}",
        f"/v1.0/conversations?search={CANARY[1]}",
        f"/v1.0/calls?resource_id=%2B49{CANARY}",
        f"/v1.0/conversations?search={CANARY[-3:]}",
        f"/v1.0/conversations/%2B49{CANARY}",
        f"/v1.0/control/opt-outs/{quote('+49' + CANARY)}",
        f"/v1.0/explain?topic=customer_id:x:call:%2B49{CANARY}",
        f"/v1.0/events?filter={filter_of('source', '+')}",
        f"/v1.0/calls?filter={filter_of('caller', CANARY[:2])}",
        f"/v1.0/calls?filter={filter_of('queue_id', '+4')}",
    ],
)
def test_nothing_is_found_by_a_number(scene: Scene, address: str) -> None:
    headers = {"Authorization": f"Bearer {scene.acme.key('masked')}"}
    answer = httpx.get(scene.gateway.url + address, headers=headers, timeout=PATIENCE_SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED")
    assert "masked" in answer.json()["message"]


def test_no_topic_or_filter_of_a_socket_finds_a_number(scene: Scene) -> None:
    with Conversation(scene.gateway, scene.acme.key("masked")) as masked:
        for fields in (
            {"topics": [f"customer_id:{scene.acme.id}:call:+49{CANARY}"]},
            {"topics": scene.topics, "filter": {"field": "source", "op": "eq", "value": f"+49{CANARY}"}},
        ):
            refusal = masked.ask({"type": "subscribe", **fields})
            assert (refusal["type"], refusal["code"]) == ("error", "PERMISSION_DENIED")


@ONE_SERVER
@pytest.mark.usefixtures("filled")
def test_no_page_of_the_admin_shows_a_masked_admin_the_number(scene: Scene) -> None:
    browser = httpx.Client(base_url=scene.gateway.url, timeout=PATIENCE_SECONDS)
    browser.get("/admin/login/")
    form = {
        "username": "masked admin",
        "password": PASSWORD,
        "csrfmiddlewaretoken": browser.cookies["csrftoken"],
    }
    assert browser.post("/admin/login/?next=/admin/", data=form).status_code == 302
    shown: list[str] = []

    def check(response: httpx.Response) -> None:
        response.read()
        if shows(response.text) or shows(str(response.headers)):
            shown.append(str(response.url))

    browser.event_hooks = {"response": [check]}
    event, call = scene.event_ids[-5], scene.call_id
    page = f"/admin/events/event/{event}/change/"
    of_call = f"/admin/events/resourcestate/call/?customer={scene.acme.id}&call={call}&event={event}"
    crawl = Crawl(browser, within="/admin/")
    crawl.follow("/admin/", page, of_call, f"/admin/search/?q={call}", "/admin/events/event/?q=Anna")
    assert (crawl.faults, shown) == ([], [])
    assert crawl.figures["pages"] > 30
    assert "+49 ••• 43" in browser.get(page).text
    for search in ("events/event/?q", "search/?q", "subscriptions/auditrecord/?topic"):
        refused = browser.get(f"/admin/{search}={CANARY[:2]}")
        assert (refused.status_code, "masked for you" in refused.text) == (400, True), search
    assert any("/auditrecord/export/" in url for url in crawl.seen)
    # Who sees no numbers makes no account or key that does.
    for made in ("agent", "accesskey"):
        assert browser.get(f"/admin/subscriptions/{made}/add/").status_code == 403
    assert shows(superuser(scene.gateway).client.get(page).text)


@ONE_SERVER
@pytest.mark.usefixtures("filled")
def test_the_log_has_no_number(scene: Scene) -> None:
    headers = {"Authorization": f"Bearer {scene.acme.key('of the customer')}"}
    address = f"{scene.gateway.url}/v1.0/conversations/%2B49{CANARY}"
    assert httpx.get(address, headers=headers, timeout=PATIENCE_SECONDS).json()["items"]
    expected = '"/v1.0/conversations/+49 ••• 43"'
    wait_until(lambda: expected in scene.gateway.log_text().replace("'", '"'), "the line of the request")
    assert not shows(scene.gateway.log_text())
