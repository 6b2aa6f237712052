"""The agent desktop's modules without a page: texts and addresses with variables, conversations, and the status."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

ANN = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


def filled(page: Page, name: str, text: str, values: dict[str, str]) -> Any:
    script = "async ([name, text, values]) => (await import('/agent-desktop/fill-in.js'))[name](text, values)"
    return page.evaluate(script, [name, text, values])


@pytest.mark.parametrize(
    ("text", "values", "wanted"),
    [
        ("Hello {name}, this is {agent}.", {"name": "Dana", "agent": "Ann"}, "Hello Dana, this is Ann."),
        ("Hello {name}, this is {agent}.", {"name": "", "agent": "Ann"}, "Hello, this is Ann."),
        ("{name}{name}", {"name": "$&"}, "$&$&"),
        ("{constructor} {x}", {"name": "Dana"}, "{constructor} {x}"),
    ],
)
def test_the_variables_of_a_reply_are_replaced(
    modules: Page, text: str, values: dict[str, str], wanted: str
) -> None:
    assert filled(modules, "filledText", text, values) == wanted


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("https://crm.example.com/?q={number}", "https://crm.example.com/?q=%2B1%20555"),
        (
            "http://crm.example.com/{name}?c={call_id}",
            "http://crm.example.com/..%2F%3Fx%3D1%26%22%3E%E2%98%8E?c=a%2Fb",
        ),
        ("javascript:alert('{name}')", None),
        ("data:text/html,{name}", None),
        ("//crm.example.com/{name}", None),
        ("{name}", None),
    ],
)
def test_a_link_to_the_crm_has_encoded_values_and_a_web_address(
    modules: Page, template: str, wanted: str | None
) -> None:
    values = {"number": "+1 555", "name": '../?x=1&">☎', "call_id": "a/b"}
    assert filled(modules, "filledAddress", template, values) == wanted


THREADS = """async ([page, events, messages]) => {
    const { Threads } = await import("/agent-desktop/threads.js");
    const threads = new Threads();
    const now = Date.parse("2024-01-15T12:00:00Z");
    threads.load(page, now);
    for (const event of events) threads.apply(event, now);
    if (messages) threads.loadMessages(messages.key, messages, now);
    return threads.sorted.map(({ key, name, unread, optedOutAt, next, messages }) => ({
        key, name, unread, optedOutAt, next: next === undefined ? "unknown" : next,
        texts: messages.map(({ text, status }) => (status ? `${text} (${status})` : text)),
    }));
}"""


def item(message_id: str, text: str, minute: int, *, out: bool = False, **more: Any) -> dict[str, Any]:
    data = {
        "text": text,
        "direction": "outbound" if out else "inbound",
        "status": "sent" if out else "received",
    }
    event_type = "message.sent" if out else "message.received"
    since = f"2024-01-15T10:{minute:02}:00.000000Z"
    return {"resource_id": message_id, "event_type": event_type, "since": since, "data": data | more}


def event(seq: int, message_id: str, text: str, minute: int) -> dict[str, Any]:
    source = {"type": "tel", "target": "+15550000001"}
    return {
        "event_type": "message.received",
        "topic": f"customer_id:c:message:{message_id}",
        "timestamp": f"2024-01-15T10:{minute:02}:00.000000Z",
        "cursor": f"7d0c7b1e52aa.{seq}",
        "data": {"text": text, "source": source},
    }


def test_a_conversation_begins_with_its_last_message_and_is_completed(modules: Page) -> None:
    page = {
        "cursor": "7d0c7b1e52aa.10",
        "items": [
            {
                "number": "+15550000001",
                "name": "Dana",
                "opted_out_at": None,
                "last": item("c", "three", 3, out=True),
            },
            {"number": None, "name": None, "opted_out_at": None, "last": item("x", "who?", 1)},
        ],
    }
    # The events up to the cursor are contained in what was read, one of the same message is known.
    events = [event(9, "b", "two", 2), event(11, "d", "four", 4), event(11, "d", "four", 4)]
    dana, unknown = modules.evaluate(THREADS, [page, events, None])
    assert (dana["texts"], dana["unread"], dana["name"]) == (["three (sent)", "four"], 1, "Dana")
    assert (dana["next"], unknown["key"], unknown["texts"]) == ("unknown", "x", ["who?"])
    older = {
        "key": "+15550000001",
        "next": "a place",
        "items": [
            item("d", "four", 4),
            item("c", "three", 3, out=True),
            item("b", "two", 2),
            item("a", "one", 2),
        ],
    }
    dana, _ = modules.evaluate(THREADS, [page, events, older])
    assert (dana["texts"], dana["next"]) == (["one", "two", "three (sent)", "four"], "a place")


def masked_event(seq: int, message_id: str, text: str, minute: int, *, out: bool = False) -> dict[str, Any]:
    address = {"type": "tel", "target": "+1 ••• 01"}
    made = event(seq, message_id, text, minute)
    data = {"text": text, "destination" if out else "source": address}
    return made | {"event_type": "message.sent" if out else "message.received", "data": data}


def test_the_messages_of_a_masked_number_are_one_conversation(modules: Page) -> None:
    last = item("a", "one", 1)
    page = {
        "cursor": "7d0c7b1e52aa.1",
        "items": [{"number": "+1 ••• 01", "name": "Dana", "opted_out_at": None, "last": last}],
    }
    events = [
        masked_event(2, "b", "two", 2),
        masked_event(3, "other", "looks alike", 3),
        masked_event(4, "c", "STOP", 4),
        masked_event(5, "d", "answer", 5, out=True),
    ]
    # The gateway says of "d" that it follows on "c", and of "c" nothing yet: its own request is on the way.
    known = [item("d", "answer", 5, out=True), item("c", "STOP", 4), item("b", "two", 2), last]
    messages = {"key": "d", "items": [*known, item("0", "before", 0)], "next": None}
    dana, alike = modules.evaluate(THREADS, [page, events, messages])
    assert (dana["key"], dana["name"], dana["next"]) == ("a", "Dana", None)
    assert dana["texts"] == ["before", "one", "two", "STOP", "answer"]
    assert dana["optedOutAt"] is not None
    assert (alike["texts"], alike["unread"]) == (["looks alike"], 1)


def test_a_delivery_that_comes_before_its_message_is_kept(modules: Page) -> None:
    delivered = event(1, "a", "", 1) | {"event_type": "message.delivery", "data": {"status": "delivered"}}
    sent = event(2, "a", "Hello", 1) | {"event_type": "message.sent"}
    sent["data"] = {"text": "Hello", "status": "sent", "destination": sent["data"]["source"]}
    page = {"cursor": "7d0c7b1e52aa.0", "items": []}
    (thread,) = modules.evaluate(THREADS, [page, [delivered, sent, sent], None])
    assert thread["texts"] == ["Hello (delivered)"]


def test_a_conversation_that_was_forgotten_is_read_again(modules: Page) -> None:
    numbers = [f"+1555{number:07d}" for number in range(501)]
    page = {"cursor": "7d0c7b1e52aa.0", "items": []}
    events = []
    for seq, number in enumerate([*numbers, numbers[0]], 1):
        each = event(seq, f"m{seq}", "text", seq % 60) | {
            "timestamp": f"2024-01-15T11:{seq // 60:02}:{seq % 60:02}Z"
        }
        each["data"] = {"text": f"text {seq}", "source": {"target": number}}
        events.append(each)
    messages = {
        "key": numbers[0],
        "items": [item("m502", "text 502", 1), item("m1", "text 1", 0)],
        "next": None,
    }
    found = modules.evaluate(THREADS, [page, events, messages])
    assert next(each for each in found if each["key"] == numbers[0])["texts"] == ["text 1", "text 502"]


def test_an_opt_out_is_known_before_the_messages_are(modules: Page) -> None:
    last = item("a", "STOP", 1)
    listed = {"number": "+15550000001", "name": None, "opted_out_at": "2024-01-15T10:01:00Z", "last": last}
    page = {"cursor": "7d0c7b1e52aa.10", "items": [listed]}
    [thread] = modules.evaluate(THREADS, [page, [], None])
    assert thread["optedOutAt"] is not None
    [thread] = modules.evaluate(THREADS, [page, [event(11, "b", "start", 2)], None])
    assert thread["optedOutAt"] is None


PRESENCE = """async ([agentId, events]) => {
    const { Desk } = await import("/agent-desktop/desk.js");
    const desk = new Desk();
    const status = { status: "away", status_changed_at: "2024-01-15T10:00:00Z", away_reason: "Lunch" };
    desk.load({ agentId, queues: [], status, calls: [], places: [], history: [] }, 0);
    const of = ({ status, awayReason, setByName }) => [status, awayReason, setByName];
    const shown = [of(desk.presence)];
    for (const data of events) {
        const topic = `agent_id:${agentId}:agent:${agentId}`;
        desk.apply({ event_type: "agent.status", topic, timestamp: "", data }, 0);
        shown.push(of(desk.presence));
    }
    return shown;
}"""


def test_the_details_of_a_status_go_with_it(modules: Page) -> None:
    events = [
        {"status": "away"},
        {"status": "away", "away_reason": "Meeting", "set_by_name": "Mia"},
        {"status": "available"},
        {"status": "away", "away_reason": None},
    ]
    assert modules.evaluate(PRESENCE, [ANN, events]) == [
        ["away", "Lunch", ""],
        ["away", "Lunch", ""],
        ["away", "Meeting", "Mia"],
        ["available", "", ""],
        ["away", "", ""],
    ]
