"""What an agent's desktop asks of a gateway, on each server and database, and what a stranger gets."""

from __future__ import annotations

from typing import Any

import httpx

from tests.journeys.support.cast import Company, new_id
from tests.journeys.support.conversation import Conversation, get, post
from tests.support.answers import check_answer
from tests.support.gateway import Gateway

SETTINGS = {
    "dispositions": [{"code": "sold", "label": "Sold"}],
    "away_reasons": [{"code": "lunch", "label": "Lunch", "minutes": 30}],
    "quick_replies": [{"title": "Hello", "text": "Hello {name}, this is {agent}."}],
    "crm_url": "https://crm.example.com/search?q={number}",
}


def put(gateway: Gateway, credential: str, path: str, body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {credential}"}
    answer = httpx.put(gateway.url + path, json=body, headers=headers, timeout=30)
    check_answer("PUT", path, answer.request.content, answer.status_code, answer.content)
    return answer


def publish(gateway: Gateway, of: Company, event_type: str, **data: Any) -> None:
    event = {"event_type": event_type, "data": data}
    assert post(gateway, of.key("that publishes"), event).status_code == 201


def call(gateway: Gateway, of: Company, agent_id: str, number: str, *, over: bool = True) -> str:
    call_id, source = new_id(), {"type": "tel", "target": number}
    named = {"id": call_id, "direction": "inbound", "source": source, "agent_id": agent_id}
    publish(gateway, of, "call.assigned", **named, status="ringing")
    publish(gateway, of, "call.status", id=call_id, status="answered")
    if over:
        publish(gateway, of, "call.ended", id=call_id, status="hangup", duration=61)
    return call_id


def test_an_agent_notes_a_call_and_the_next_agent_of_the_caller_reads_it(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company, platform: Company
) -> None:
    gateway = gateway_on_each_stack
    ann, gil = acme.person("agent"), acme.person("granted agent")
    url = f"/v1.0/control/customers/{acme.id}"
    answer = put(gateway, platform.token("staff"), url, {"name": "Acme", "region": "US", **SETTINGS})
    assert answer.status_code == 200, answer.text
    for who, desk in (
        (ann.token, SETTINGS),
        (globex.token("agent"), {key: [] for key in SETTINGS} | {"crm_url": ""}),
    ):
        assert get(gateway, who, "/v1.0/me").json()["desk"] == desk
    first = call(gateway, acme, ann.id, "(555) 200-4711")
    with (
        Conversation(gateway, ann.token) as desk_of_ann,
        Conversation(gateway, acme.token("manager")) as dashboard,
        Conversation(gateway, globex.token("manager")) as foreign,
    ):
        desk_of_ann.subscribe(f"agent_id:{ann.id}:call:*")
        dashboard.subscribe(f"customer_id:{acme.id}:call:*")
        foreign.subscribe(f"customer_id:{globex.id}:call:*")
        answer = post(
            gateway, ann.token, {"disposition": "sold", "note": "Blue"}, f"/v1.0/calls/{first}/note"
        )
        assert answer.status_code == 201, answer.text
        for reader in (desk_of_ann, dashboard):
            event = reader.until(answer.json()["cursor"])[-1]
            assert event["event_type"] == "call.noted"
            assert (event["data"]["note"], event["active"]) == ("Blue", False)
        assert foreign.before_pong() == []
    refused = post(gateway, ann.token, {"disposition": "won"}, f"/v1.0/calls/{first}/note")
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (400, "one of sold")
    assert post(gateway, globex.token("agent"), {"note": "x"}, f"/v1.0/calls/{first}/note").status_code == 404
    second = call(gateway, acme, gil.id, "+15552004711", over=False)
    history = get(gateway, gil.token, f"/v1.0/calls/{second}/caller").json()
    assert history["number"] == "+15552004711"
    [shown] = history["items"]
    assert (shown["call_id"], shown["note"], shown["duration_seconds"]) == (first, "Blue", 61)
    assert get(gateway, globex.token("manager"), f"/v1.0/calls/{second}/caller").status_code == 404
    day = get(gateway, ann.token, f"/v1.0/agents/{ann.id}/day").json()
    assert (day["handled"], day["missed"], day["talk_seconds"]) == (1, 0, 61)
    assert get(gateway, globex.token("manager"), f"/v1.0/agents/{ann.id}/day").status_code == 404


def test_an_agent_is_away_for_a_reason_until_its_next_status(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company, platform: Company
) -> None:
    gateway, ann = gateway_on_each_stack, acme.person("agent")
    customer = f"/v1.0/control/customers/{acme.id}"
    assert put(gateway, platform.token("staff"), customer, {"name": "Acme", **SETTINGS}).status_code == 200
    url = f"/v1.0/agents/{ann.id}/status"
    answer = put(gateway, ann.token, url, {"status": "away", "away_reason": "lunch"})
    assert answer.status_code == 200, answer.text
    shown = get(gateway, acme.token("manager"), url).json()
    assert (shown["status"], shown["away_reason"], shown["set_by_name"]) == ("away", "Lunch", "agent")
    assert shown["returns_at"] > shown["now"]
    assert put(gateway, ann.token, url, {"status": "away", "minutes": 5}).json()["away_reason"] is None
    assert put(gateway, ann.token, url, {"status": "away"}).json()["returns_at"] is None
    for body, field in (
        ({"status": "away", "away_reason": "golf"}, "away_reason"),
        ({"status": "available", "minutes": 5}, "status"),
        ({"status": "away", "minutes": 0}, "minutes"),
    ):
        refused = put(gateway, ann.token, url, body)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)
    publish(gateway, acme, "agent.status", agent_id=ann.id, status="busy")
    shown = get(gateway, ann.token, url).json()
    assert [shown[name] for name in ("status", "away_reason", "returns_at", "set_by", "set_by_name")] == [
        "busy",
        *[None] * 4,
    ]
    assert put(gateway, globex.token("manager"), url, {"status": "away"}).status_code == 404
    targets = get(gateway, acme.token("granted agent"), "/v1.0/transfer-targets").json()
    assert {"id": ann.id, "name": "agent", "status": "busy"} in targets["agents"]
    foreign = get(gateway, globex.token("agent"), "/v1.0/transfer-targets").json()
    assert ann.id not in [each["id"] for each in foreign["agents"]]


def test_conversations_are_listed_by_their_last_message(
    gateway_on_each_stack: Gateway, acme: Company, globex: Company
) -> None:
    gateway, gil = gateway_on_each_stack, acme.token("granted agent")
    for number, text in (("+15550000001", "one"), ("+15550000002", "two"), ("+1 (555) 000-0001", "three")):
        source = {"type": "tel", "target": number}
        publish(gateway, acme, "message.received", id=new_id(), direction="inbound", source=source, text=text)
    found = get(gateway, gil, "/v1.0/conversations").json()["items"]
    assert [(each["number"], each["last"]["data"]["text"]) for each in found] == [
        ("+15550000001", "three"),
        ("+15550000002", "two"),
    ]
    [one] = get(gateway, gil, "/v1.0/conversations?search=TWO").json()["items"]
    assert one["number"] == "+15550000002"
    messages = get(gateway, gil, "/v1.0/conversations/%2B15550000001?order=desc&limit=1").json()
    assert [each["data"]["text"] for each in messages["items"]] == ["three"]
    assert messages["next"]
    assert get(gateway, globex.token("granted agent"), "/v1.0/conversations").json()["items"] == []
    assert get(gateway, acme.token("agent"), "/v1.0/conversations").status_code == 403
    assert get(gateway, gil, "/v1.0/conversations?search=").status_code == 400
