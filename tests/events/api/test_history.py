"""GET /v1.0/events and GET /v1.0/events/<id>: past events, for those who may subscribe to them."""

from __future__ import annotations

from typing import Any

import pytest

from events.log import reader as log
from events.models import CustomerLog, Event
from tests.events.support.people import ANONYMOUS, Answer, Company, new_id
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db

EVENTS = "/v1.0/events"
TIME = "2024-01-15T10:30:0{}.000000Z"


def numbers(answer: Answer) -> list[int]:
    """The events' numbers in the log."""
    assert answer.status == 200, answer.text
    return [int(item["cursor"].split(".")[1]) for item in answer.body["items"]]


def call(company: Company, call_id: str = "c", event_type: str = "call.status", **fields: Any) -> str:
    return store(company.id, event_type, {"id": call_id}, **fields).cursor


def test_an_event_is_shown_as_a_subscriber_receives_it() -> None:
    acme = Company()
    data = {"id": "c", "status": "answered", "odd": [1.50, "é"]}
    receipt = store(acme.id, "call.status", data, timestamp=TIME.format(1))
    expected = {
        "event_type": "call.status",
        "timestamp": TIME.format(1),
        "topic": f"customer_id:{acme.id}:call:c",
        "data": data,
        "id": receipt.id,
        "cursor": receipt.cursor,
    }
    manager = acme.person("manager")
    answer = manager.get(EVENTS)
    assert answer.timeless == {"cursor": receipt.cursor, "items": [expected], "next": None}
    one = manager.get(f"{EVENTS}/{receipt.id}")
    assert (one.status, one.body) == (200, expected)
    # The very text that goes over the socket.
    epoch = receipt.cursor.split(".")[0]
    [entry] = log.read(acme.id, epoch, after=0, upto=1, limit=1)
    assert one.text == entry.frame(entry.topics[0])
    assert answer.headers["Cache-Control"] == one.headers["Cache-Control"] == "no-store"


def test_filters_choose_and_together_narrow() -> None:
    acme, agent_id = Company(), new_id()
    call(acme, "a", "call.created", timestamp=TIME.format(1))
    call(acme, "b", timestamp=TIME.format(2), agent_ids=[agent_id])
    store(acme.id, "message.sent", {"id": "b"}, timestamp=TIME.format(3))
    call(acme, "a", timestamp=TIME.format(4))
    manager = acme.person("manager")

    def found(**parameters: str) -> list[int]:
        return numbers(manager.get(EVENTS, **parameters))

    assert found() == [1, 2, 3, 4]
    assert found(order="desc") == [4, 3, 2, 1]
    assert found(type="call.status") == [2, 4]
    assert found(type="call.ended") == []
    assert found(resource="message") == [3]
    assert found(resource="call", resource_id="b") == [2]
    assert found(type="call.status", resource_id="a") == [4]
    assert found(agent_id=agent_id) == [2]
    assert found(from_=TIME.format(2)) == [2, 3, 4]
    assert found(to=TIME.format(2)) == [1]
    assert found(from_=TIME.format(2), to=TIME.format(4)) == [2, 3]
    assert found(from_=TIME.format(2), to=TIME.format(4), order="desc", resource="call") == [2]
    assert found(since=TIME.format(2), to=TIME.format(4)) == [2, 3]
    assert found(from_=TIME.format(9)) == []
    assert found(from_="2024-01-15T12:30:02+02:00", to=TIME.format(3)) == [2]


def test_an_event_that_happened_earlier_than_it_was_stored_is_found_by_when_it_happened() -> None:
    acme = Company()
    for second in (5, 1, 6, 2):
        call(acme, timestamp=TIME.format(second))
    found = acme.person("manager").get(EVENTS, from_=TIME.format(1), to=TIME.format(3))
    assert numbers(found) == [2, 4]


def test_a_calls_story_holds_whatever_names_it_and_nothing_of_another() -> None:
    acme, other, call_id = Company(), Company("Other"), new_id()
    call(acme, call_id, "call.created", timestamp=TIME.format(1))
    store(acme.id, "queue.joined", {"queue_id": new_id(), "call_id": call_id}, timestamp=TIME.format(2))
    call(acme, new_id())
    store(acme.id, "recording.started", {"id": "r", "reference_type": "call", "reference_id": call_id})
    store(acme.id, "message.sent", {"id": "m", "text": f"about {call_id}"})
    store(acme.id, "message.sent", {"id": call_id})
    store(other.id, "queue.joined", {"queue_id": new_id(), "call_id": call_id})
    manager = acme.person("manager")
    assert numbers(manager.get(EVENTS, call_id=call_id)) == [1, 2, 4]
    assert numbers(manager.get(EVENTS, call_id=call_id, order="desc", limit="2")) == [4, 2]
    assert numbers(manager.get(EVENTS, call_id=call_id, resource="recording")) == [4]
    assert numbers(manager.get(EVENTS, call_id=call_id, from_=TIME.format(2), to=TIME.format(3))) == [2]
    assert manager.get(EVENTS, call_id='a" or "').status == 400
    assert numbers(acme.person("agent").get(EVENTS, call_id=call_id)) == []


def test_after_a_cursor_comes_only_what_is_newer() -> None:
    acme = Company()
    cursors = [call(acme) for _ in range(4)]
    manager = acme.person("manager")
    assert numbers(manager.get(EVENTS, after=cursors[1])) == [3, 4]
    assert numbers(manager.get(EVENTS, after=cursors[1], order="desc")) == [4, 3]
    assert numbers(manager.get(EVENTS, after=cursors[3])) == []
    # As on a connection with several customers.
    assert numbers(manager.get(EVENTS, after=f"{'a' * 12}.7,{cursors[2]}")) == [4]


@pytest.mark.parametrize("cursor", ["a" * 12 + ".1", "{epoch}.9", "{epoch}.1"])
def test_a_cursor_whose_successors_are_not_kept_is_refused(cursor: str) -> None:
    acme = Company()
    epoch, *_ = [call(acme).split(".")[0] for _ in range(4)]
    Event.objects.filter(seq__lte=2).delete()
    CustomerLog.objects.update(floor=2)
    manager = acme.person("manager")
    answer = manager.get(EVENTS, after=cursor.format(epoch=epoch))
    assert (answer.status, answer.body["code"]) == (410, "NOT_KEPT")
    assert numbers(manager.get(EVENTS, after=f"{epoch}.2")) == [3, 4]
    assert numbers(manager.get(EVENTS)) == [3, 4]


# --- Who sees what ---


def test_a_stranger_sees_nothing_and_learns_nothing() -> None:
    acme, other = Company(), Company("Other")
    event_id = store(other.id, "call.status", {"id": "c"}).id
    for caller in (acme.person("manager"), acme.person("admin"), acme.key(), acme.person("agent")):
        assert numbers(caller.get(EVENTS)) == []
        there, absent = caller.get(f"{EVENTS}/{event_id}"), caller.get(f"{EVENTS}/{new_id()}")
        assert (there.status, absent.status) == (404, 404)
        assert there.body == absent.body
        there, absent = (caller.get(EVENTS, customer_id=each) for each in (other.id, new_id()))
        assert (there.status, absent.status) == (403, 403)
        assert there.body == absent.body


def test_platform_staff_see_any_customer() -> None:
    acme, other = Company(), Company("Other")
    receipt = store(other.id, "call.status", {"id": "c"})
    staff = acme.person("staff")
    assert numbers(staff.get(EVENTS)) == []
    assert numbers(staff.get(EVENTS, customer_id=other.id)) == [1]
    assert staff.get(f"{EVENTS}/{receipt.id}").body["topic"] == f"customer_id:{other.id}:call:c"
    assert staff.get(EVENTS, customer_id=new_id()).status == 404


def test_an_agent_sees_what_it_may_subscribe_to_with_the_topic_that_it_would_receive() -> None:
    acme = Company()
    agent = acme.person("agent", granted_resources=["message"])
    mine = store(acme.id, "call.status", {"id": "c"}, agent_ids=[new_id(), agent.agent_id])
    colleagues = store(acme.id, "call.status", {"id": "d"}, agent_ids=[new_id()])
    message = store(acme.id, "message.sent", {"id": "m"})
    for caller in (agent, acme.key(agent)):
        answer = caller.get(EVENTS)
        own_topic = f"agent_id:{agent.agent_id}:call:c"
        assert [item["topic"] for item in answer.body["items"]] == [
            own_topic,
            f"customer_id:{acme.id}:message:m",
        ]
        assert [caller.get(f"{EVENTS}/{each.id}").status for each in (mine, colleagues, message)] == [
            200,
            404,
            200,
        ]
        assert caller.get(f"{EVENTS}/{mine.id}").body["topic"] == own_topic
        assert numbers(caller.get(EVENTS, type="call.status")) == [1]


def test_a_key_that_may_not_subscribe_reads_nothing() -> None:
    acme = Company()
    receipt = store(acme.id, "call.status", {"id": "c"})
    publisher = acme.key(may_subscribe=False, may_publish=True)
    for path in (EVENTS, f"{EVENTS}/{receipt.id}", f"{EVENTS}/{new_id()}"):
        answer = publisher.get(path)
        assert (answer.status, answer.body["code"]) == (403, "PERMISSION_DENIED")
        assert ANONYMOUS.get(path).status == 401


# --- What cannot be read ---


@pytest.mark.parametrize(
    ("parameters", "field", "says"),
    [
        ({"type": "call"}, "type", "<resource>.<action>"),
        ({"type": "cal.status"}, "type", "did you mean call?"),
        ({"type": "call.*"}, "type", "<resource>.<action>"),
        ({"type": "call.status", "resource": "message"}, "type", "leave one of them out"),
        ({"resource": "cal"}, "resource", "did you mean call?"),
        ({"resource_id": "c"}, "resource_id", "resource=call"),
        ({"resource": "call", "resource_id": "*"}, "resource_id", "letters"),
        ({"from": "today"}, "from", "2024-01-15T10:30:00.000000Z"),
        ({"from": "2024-01-15T10:30:00 00:00"}, "from", "%2B"),
        ({"to": "2024-01-15"}, "to", "2024-01-15T10:30:00.000000Z"),
        ({"from": TIME.format(2), "to": TIME.format(2)}, "to", "later than since"),
        ({"after": "1"}, "after", "no cursor"),
        ({"after": ""}, "after", "no cursor"),
        ({"since": "1"}, "since", "is no time"),
        ({"since": "7d0c7b1e52aa.1"}, "since", "a cursor is sent as after"),
        ({"since": TIME.format(1), "from": TIME.format(1)}, "since", "the same as from: send one of the two"),
        ({"active": "true"}, "active", "unknown parameter"),
        ({"limit": "many"}, "limit", "from 1 to 1000"),
    ],
)
def test_a_bad_parameter_is_refused_with_what_is_right(
    parameters: dict[str, str], field: str, says: str
) -> None:
    answer = Company().key().get(EVENTS, **{f"{name}_": value for name, value in parameters.items()})
    assert (answer.status, answer.body["code"]) == (400, "INVALID_REQUEST")
    [problem] = answer.body["errors"]
    assert problem["field"] == field
    assert says in problem["message"]


@pytest.mark.parametrize(
    "event_id", ["1", "x" * 500, "\x00", "{{0}}", "A" * 36, "0F2A7C54-9D1B-4C59-8A77-3C1B2E4D5F60"]
)
def test_an_id_that_is_none_is_not_found(event_id: str) -> None:
    answer = Company().key().get(f"{EVENTS}/{event_id}")
    assert (answer.status, answer.body["code"]) == (404, "NOT_FOUND")


def test_one_event_takes_no_parameters() -> None:
    answer = Company().key().get(f"{EVENTS}/{new_id()}", limit="1")
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "limit")
