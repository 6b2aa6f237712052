"""CloudEvents of the official SDK, in and out, on both servers."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
from cloudevents.core.bindings.http import (
    HTTPMessage,
    from_http_event,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from deploy.programs import CLOUD_EVENTS, NODE
from tests.journeys.support.cast import Company, new_id
from tests.journeys.support.conversation import PATIENCE_SECONDS, Conversation, get, post, publish
from tests.journeys.support.event_stream import EventStream
from tests.support.gateway import Gateway
from tests.support.requirement import require


def call_event(**attributes: Any) -> CloudEvent:
    context = {"type": "com.voipbin.call.status", "source": "/crm/calls", "id": new_id(), **attributes}
    return CloudEvent(context, {"id": new_id(), "status": "answered", "note": "Zoë"})


def send(gateway: Gateway, credential: str, message: HTTPMessage, **more: str) -> httpx.Response:
    headers = {**message.headers, **more, "Authorization": f"Bearer {credential}"}
    url = f"{gateway.url}/v1.0/events"
    return httpx.post(url, content=message.body, headers=headers, timeout=PATIENCE_SECONDS)


def read_by_sdk(event: object) -> Any:
    return JSONFormat().read(None, json.dumps(event))


def test_events_of_the_sdk_are_stored_once_in_each_mode(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    gateway, key = gateway_on_each_stack, acme.key("that publishes")
    for to_message in (to_structured_event, to_binary_event):
        event = call_event(source="/café")
        first, again = (send(gateway, key, to_message(event)) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 201), first.text
        assert again.json() == {**first.json(), "replayed": True}
        other = CloudEvent({**event.get_attributes(), "source": "/other"}, event.get_data())
        assert send(gateway, key, to_message(other)).json()["replayed"] is False
        answer = get(gateway, key_that_reads(acme), f"/v1.0/events/{first.json()['id']}?format=cloudevents")
        stored = from_http_event(HTTPMessage(dict(answer.headers), answer.content))
        assert (stored.get_type(), stored.get_data()) == (event.get_type(), event.get_data())
        assert stored.get_id() == first.json()["id"]


def key_that_reads(company: Company) -> str:
    return company.key("of the customer")


def test_a_batch_is_stored_completely_or_not_at_all(gateway_on_each_stack: Gateway, acme: Company) -> None:
    gateway, key = gateway_on_each_stack, acme.key("that publishes")
    events = [json.loads(to_structured_event(call_event()).body) for _ in range(3)]
    batch = {"Content-Type": "application/cloudevents-batch+json"}
    answer = post(gateway, key, events, **batch)
    assert (answer.status_code, len(answer.json())) == (201, 3)
    wrong = [events[0] | {"id": new_id()}, {**events[1], "type": "com.voipbin.cal.status", "time": "now"}]
    refused = post(gateway, key, wrong, **batch)
    assert refused.status_code == 400
    assert [(each["index"], each["field"]) for each in refused.json()["errors"]] == [(1, "type"), (1, "time")]
    assert post(gateway, key, events[0], **batch).json()["code"] == "INVALID_EVENT"
    assert post(gateway, key, [], **batch).json()["message"] == "The list is empty: send at least one event"


def test_each_refusal_names_what_is_right(gateway_on_each_stack: Gateway, acme: Company) -> None:
    gateway, key = gateway_on_each_stack, acme.key("that publishes")
    structured, binary = to_structured_event(call_event()), to_binary_event(call_event())
    avro = HTTPMessage({"Content-Type": "application/cloudevents+avro"}, b"x")
    assert send(gateway, key, avro).status_code == 415
    for message in (structured, binary):
        refused = send(gateway, key, message, **{"Idempotency-Key": "x"}).json()
        assert refused["errors"][0]["field"] == "Idempotency-Key"
    text = HTTPMessage({**binary.headers, "content-type": "text/plain"}, b"x")
    assert send(gateway, key, text).json()["errors"][0]["field"] == "Content-Type"
    assert send(gateway, key_that_reads(acme), structured).status_code == 403
    changed = HTTPMessage(binary.headers, b'{"id": "another"}')
    assert send(gateway, key, binary).status_code == 201
    assert send(gateway, key, changed).json()["code"] == "IDEMPOTENCY_CONFLICT"


def test_they_are_the_same_live_in_replay_on_streams_and_in_history(
    gateway_on_each_stack: Gateway, acme: Company
) -> None:
    gateway, key = gateway_on_each_stack, key_that_reads(acme)
    topic = f"customer_id:{acme.id}:call:*"
    as_cloud_events = "&format=cloudevents"
    calls = [{"event_type": "call.created", "data": {"id": new_id()}} for _ in range(5)]
    with (
        Conversation(gateway, key, query=as_cloud_events) as client,
        Conversation(gateway, key) as plain,
        EventStream(gateway, key, topic, format="cloudevents") as stream,
    ):
        ack = client.subscribe(topic)
        plain.subscribe(topic)
        assert stream.receive()["type"] == "ack"
        receipts = publish(gateway, acme.key("that publishes"), *calls)
        live = client.until(receipts[-1]["cursor"])
        frames = plain.until(receipts[-1]["cursor"])
        assert stream.until(receipts[-1]["cursor"]) == live
        assert stream.ids[1:] == [receipt["cursor"] for receipt in receipts]
        assert client.ask({"type": "ping"})["type"] == "pong"
        assert client.ask({"type": "subscribe", "topics": ["x"]})["code"] == "INVALID_TOPIC"
    assert [(event["id"], event["data"], event["cursor"]) for event in live] == [
        (frame["id"], frame["data"], frame["cursor"]) for frame in frames
    ]
    for event in live:
        by_sdk = read_by_sdk(event)
        assert (by_sdk.get_source(), by_sdk.get_subject()) == (
            f"/v1.0/customers/{acme.id}",
            f"customer_id:{acme.id}:call:{event['data']['id']}",
        )
    with Conversation(gateway, key, query=as_cloud_events + "&batch=true") as client:
        assert client.subscribe(topic, since=ack["cursor"])["recovered"] is True
        replayed: list[Any] = []
        while len(replayed) < len(live):
            received: Any = client.receive()
            replayed += received if isinstance(received, list) else [received]
    page = get(gateway, key, f"/v1.0/events?after={ack['cursor']}{as_cloud_events}").json()
    assert replayed == live == page["items"]


def test_another_format_is_refused(gateway_on_each_stack: Gateway, acme: Company) -> None:
    gateway, key = gateway_on_each_stack, key_that_reads(acme)
    for path in ("/v1.0/events?format=xml", f"/v1.0/events/{new_id()}?format=xml", "/v1.0/ws?format=xml"):
        answer = get(gateway, key, path)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST"), path
        assert "the format is cloudevents" in answer.json()["message"]
    with EventStream(gateway, key, f"customer_id:{acme.id}:call:*", format="xml") as stream:
        assert stream.status == 400


BY_JAVASCRIPT = """
import { CloudEvent, HTTP } from "cloudevents";

const { VOIPBIN_API_URL: url, PUBLISH_KEY, READ_KEY } = process.env;
const ask = async (path, key, message = {}) => {
  const method = message.body ? "POST" : "GET";
  const headers = { ...message.headers, authorization: `Bearer ${key}` };
  const answer = await fetch(url + path, { method, headers, body: message.body });
  return { headers: Object.fromEntries(answer.headers), body: await answer.text() };
};
for (const write of [HTTP.binary, HTTP.structured]) {
  const data = { id: crypto.randomUUID(), status: "answered" };
  const event = new CloudEvent({ type: "com.voipbin.call.status", source: "/crm/calls", data });
  const { id } = JSON.parse((await ask("/v1.0/events", PUBLISH_KEY, write(event))).body);
  const stored = HTTP.toEvent(await ask(`/v1.0/events/${id}?format=cloudevents`, READ_KEY));
  console.log(stored.id === id, stored.type, stored.data.id === data.id);
}
const page = JSON.parse((await ask("/v1.0/events?format=cloudevents", READ_KEY)).body);
console.log(page.items.map((each) => new CloudEvent(each).validate()).every(Boolean));
"""


def test_the_javascript_sdk_publishes_and_reads(
    gateway_on_each_stack: Gateway, acme: Company, tmp_path: Path
) -> None:
    (tmp_path / "program.mjs").write_text(BY_JAVASCRIPT)
    (tmp_path / "node_modules").symlink_to(require(CLOUD_EVENTS).parents[1])
    environment = {
        "PATH": os.defpath,
        "VOIPBIN_API_URL": gateway_on_each_stack.url,
        "PUBLISH_KEY": acme.key("that publishes"),
        "READ_KEY": key_that_reads(acme),
    }
    done = subprocess.run(
        [str(require(NODE)), "program.mjs"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout == "true com.voipbin.call.status true\n" * 2 + "true\n"
