"""Filters on both servers: the same live, in replay, history and state, and a boundary for an access key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.journeys.support.cast import Company, Key, company, new_id, settle
from tests.journeys.support.conversation import Conversation, get, post, publish
from tests.support.gateway import Gateway
from tests.support.waiting import wait_until

SALES = {"field": "team", "op": "eq", "value": "sales"}
ANSWERED = {"field": "status", "op": "eq", "value": "answered"}
SECRET = "what the key must not read"


@pytest.fixture(scope="module")
def acme(gateway_on_each_stack: Gateway) -> Company:
    acme = company("Acme")
    acme.keys.append(Key("of sales", may_publish=True, filter=json.dumps(SALES)))
    manager = acme.person("manager").id
    ours = {"field": "agent_id", "op": "eq", "value": manager}
    acme.keys.append(Key("of sales' manager", agent_id=manager, may_publish=True, filter=json.dumps(SALES)))
    acme.keys.append(Key("of the manager alone", agent_id=manager, filter=json.dumps(ours)))
    settle(gateway_on_each_stack, acme)
    return acme


@pytest.fixture(scope="module")
def globex(gateway_on_each_stack: Gateway) -> Company:
    globex = company("Globex")
    settle(gateway_on_each_stack, globex)
    return globex


def event(call: str, status: str, team: str | None = None, **data: Any) -> dict[str, Any]:
    item: dict[str, Any] = {"event_type": "call.status", "data": {"id": call, "status": status, **data}}
    return item if team is None else {**item, "tags": {"team": team}}


def calls(of: Company) -> str:
    return f"customer_id:{of.id}:call:*"


def events_among(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [frame for frame in frames if "event_type" in frame]


def read(gateway: Gateway, credential: str, path: str, **parameters: str) -> Iterator[dict[str, Any]]:
    page: dict[str, Any] = {"next": None}
    while True:
        answer = get(gateway, credential, f"{path}?{urlencode(parameters)}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield from page["items"]
        if not page["next"]:
            return
        parameters["next"] = page["next"]


def test_a_filter_is_the_same_live_in_replay_and_in_history(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    gateway, token, chosen = gateway_on_each_stack, acme.token("manager"), json.dumps(ANSWERED)
    one, two = new_id(), new_id()
    with Conversation(gateway, token) as client, Conversation(gateway, globex.token("manager")) as stranger:
        ack = client.subscribe(calls(acme), filter=ANSWERED)
        assert ack["filter"] == ANSWERED
        stranger.subscribe(calls(globex), filter=ANSWERED)
        publish(
            gateway,
            acme.key("that publishes"),
            event(one, "ringing"),
            event(two, "ringing"),
            event(one, "answered"),
            event(one, "answered", duration=1),
            {"event_type": "call.ended", "data": {"id": one, "status": "hangup"}},
            {"event_type": "call.ended", "data": {"id": two, "status": "hangup"}},
        )
        live = events_among(client.before_pong())
        while not live or "left" not in live[-1]:
            live.append(client.receive())
        assert events_among(stranger.before_pong()) == []
    assert [(each["data"]["id"], each["data"]["status"], each.get("left")) for each in live] == [
        (one, "answered", None),
        (one, "answered", None),
        (one, "hangup", True),
    ]
    with Conversation(gateway, token) as later:
        assert later.subscribe(calls(acme), filter=ANSWERED, since=ack["cursor"])["recovered"] is True
        assert later.until(live[-1]["cursor"]) == live
    past = list(read(gateway, token, "/v1.0/events", filter=chosen, after=ack["cursor"], limit="1"))
    assert past == live


def test_subscribing_again_replaces_the_filter_and_an_event_comes_once(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    gateway, call = gateway_on_each_stack, new_id()
    one = f"customer_id:{acme.id}:call:{call}"
    with Conversation(gateway, acme.token("manager")) as client:
        client.subscribe(calls(acme), filter=ANSWERED)
        client.subscribe(one)
        answer = client.ask({"type": "subscribe", "topics": [one], "filter": {"op": "eq", "field": "x"}})
        assert (answer["code"], answer["message"][:5]) == ("INVALID_FILTER", "value")
        [*_, last] = publish(
            gateway, acme.key("that publishes"), event(call, "ringing"), event(call, "answered")
        )
        assert [each["data"]["status"] for each in client.until(last["cursor"])] == ["ringing", "answered"]
        assert "filter" not in client.subscribe(calls(acme))
        other = new_id()
        [last] = publish(gateway, acme.key("that publishes"), event(other, "ringing"))
        assert client.until(last["cursor"])[-1]["data"]["id"] == other


def test_an_access_keys_filter_is_a_boundary_everywhere(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    gateway, key = gateway_on_each_stack, acme.key("of sales")
    ours, theirs, moved = new_id(), new_id(), new_id()
    with Conversation(gateway, key) as client:
        ack = client.subscribe(calls(acme))
        receipts = publish(
            gateway,
            acme.key("that publishes"),
            event(ours, "ringing", "sales"),
            event(theirs, "ringing", "care", text=SECRET),
            event(moved, "ringing", "sales"),
            event(moved, "answered", "care", text=SECRET),
            event(moved, "answered", text=SECRET),
            event(ours, "answered"),
        )
        live = client.until(receipts[-1]["cursor"])
    shown = [(each["data"]["id"], each["data"].get("status"), each.get("left")) for each in live]
    assert shown == [
        (ours, "ringing", None),
        (moved, "ringing", None),
        (moved, None, True),
        (ours, "answered", None),
    ]
    assert live[2]["data"] == {"id": moved}
    with Conversation(gateway, key) as later:
        later.subscribe(calls(acme), since=ack["cursor"])
        assert later.until(receipts[-1]["cursor"]) == live
    assert list(read(gateway, key, "/v1.0/events", after=ack["cursor"])) == live
    assert SECRET not in json.dumps(live)

    states = {each["resource_id"] for each in read(gateway, key, "/v1.0/calls")}
    assert states & {ours, theirs, moved} == {ours}
    for call in (theirs, moved):
        assert list(read(gateway, key, "/v1.0/calls", resource_id=call, limit="1")) == []
        answer = post(gateway, key, {}, f"/v1.0/calls/{call}/hangup")
        assert answer.status_code == 404, answer.text
    for place, status in enumerate([200, 404, 200, 200, 404, 200]):
        answer = get(gateway, key, f"/v1.0/events/{receipts[place]['id']}")
        assert answer.status_code == status
        assert SECRET not in answer.text
        explained = get(gateway, key, f"/v1.0/explain?event={receipts[place]['id']}")
        assert (explained.json()["rule"] == "unknown-event") is (status == 404)
        assert SECRET not in explained.text
        assert "care" not in explained.text


def test_explain_names_the_filter_that_did_not_match(gateway_on_each_stack: Gateway, acme: Company) -> None:
    gateway, token = gateway_on_each_stack, acme.token("admin")
    with Conversation(gateway, token) as client:
        client.subscribe(calls(acme), filter=ANSWERED)
        [receipt] = publish(gateway, acme.key("that publishes"), event(new_id(), "ringing"))
        assert events_among(client.before_pong()) == []

        def explained() -> dict[str, Any]:
            body: dict[str, Any] = get(gateway, token, f"/v1.0/explain?event={receipt['id']}").json()
            return body

        wait_until(lambda: explained()["rule"] == "filter", "the filter as the reason")
        assert '"status", "op": "eq", "value": "answered"' in json.dumps(explained()).replace('\\"', '"')


def test_a_keys_new_filter_takes_effect_on_open_connections(gateway_on_each_stack: Gateway) -> None:
    gateway, acme = gateway_on_each_stack, company("Acme")
    settle(gateway, acme)
    with Conversation(gateway, acme.key("of the customer")) as client:
        client.subscribe(calls(acme))
        gateway.manage(
            "shell",
            "--verbosity",
            "0",
            "--command",
            "from subscriptions.models import AccessKey\n"
            f"key = AccessKey.objects.get(customer_id='{acme.id}', label='of the customer')\n"
            f"key.filter = {json.dumps(SALES)!r}\nkey.save()\n"
            "from subscriptions.auth.access_version import bump\nbump()",
        )

        def is_narrowed() -> bool:
            [hidden] = publish(gateway, acme.key("that publishes"), event(new_id(), "ringing", "care"))
            [shown] = publish(gateway, acme.key("that publishes"), event(new_id(), "ringing", "sales"))
            return hidden["cursor"] not in [each["cursor"] for each in client.until(shown["cursor"])]

        wait_until(is_narrowed, "the new filter")


@pytest.mark.parametrize("path", ["/v1.0/events", "/v1.0/calls"])
def test_an_invalid_filter_is_refused_with_its_path(
    gateway_on_each_stack: Gateway, acme: Company, path: str
) -> None:
    chosen = json.dumps({"op": "and", "filters": [SALES, {"field": "x", "op": "is"}]})
    answer = get(gateway_on_each_stack, acme.token("manager"), f"{path}?{urlencode({'filter': chosen})}")
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == "filter"
    assert error["message"].startswith('filters[1].op: "is" is no operator')


def test_states_are_filtered_by_their_tags(gateway_on_each_stack: Gateway, acme: Company) -> None:
    gateway, one, two = gateway_on_each_stack, new_id(), new_id()
    publish(
        gateway,
        acme.key("that publishes"),
        event(one, "ringing", "blue"),
        event(two, "ringing", "green"),
        event(one, "answered"),
    )
    chosen = json.dumps({"field": "team", "op": "in", "values": ["blue", "white"]})
    [state] = read(gateway, acme.token("manager"), "/v1.0/calls", filter=chosen, limit="1")
    assert state["resource_id"] == one
    assert state["state"]["tags"] == {"team": "blue"}


def test_an_agents_status_is_behind_the_keys_filter_too(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    manager, agent = (acme.person(name).id for name in ("manager", "agent"))

    def status(key: str, of: str) -> int:
        return get(gateway_on_each_stack, acme.key(key), f"/v1.0/agents/{of}/status").status_code

    assert [status("of sales' manager", each) for each in (manager, agent)] == [404, 404]
    assert [status("of the manager alone", each) for each in (manager, agent)] == [200, 404]
    assert [status("of the manager", each) for each in (manager, agent)] == [200, 200]
