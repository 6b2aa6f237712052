"""GET /v1.0/resources/<resource> and GET /v1.0/calls: the present state, for those who may see it."""

# Long because every parameter of one address is tested.

from __future__ import annotations

from typing import Any

import pytest

from events.models import CustomerLog
from tests.events.support.people import ANONYMOUS, Company, new_id
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db

CALLS = "/v1.0/calls"
TIME = "2024-01-15T10:30:0{}.000000Z"


def call(company: Company, call_id: str, status: str = "ringing", **fields: Any) -> None:
    event_type = "call.ended" if status == "hangup" else "call.status"
    store(company.id, event_type, {"id": call_id, "status": status}, **fields)


def test_a_call_is_shown_with_all_that_is_known_of_it() -> None:
    acme, agent_id = Company(), new_id()
    store(
        acme.id,
        "call.created",
        {"id": "c1", "direction": "inbound", "status": "ringing", "odd": [1.50, "é"]},
        timestamp=TIME.format(1),
        agent_ids=[agent_id],
    )
    last = store(acme.id, "call.status", {"id": "c1", "status": "answered"}, timestamp=TIME.format(2))
    answer = acme.person("manager").get(CALLS)
    assert answer.status == 200
    assert answer.timeless == {
        "resource": "call",
        "cursor": last.cursor,
        "items": [
            {
                "resource_id": "c1",
                "active": True,
                "event_type": "call.status",
                "since": TIME.format(1),
                "updated_at": TIME.format(2),
                "agent_ids": [agent_id],
                "topic": f"customer_id:{acme.id}:call:c1",
                "cursor": last.cursor,
                "state": {
                    "status": "answered",
                    "status_since": TIME.format(2),
                    "agents": {agent_id: ["talking", TIME.format(2)]},
                    "named_at": TIME.format(1),
                },
                "data": {"id": "c1", "direction": "inbound", "status": "answered", "odd": [1.5, "é"]},
            }
        ],
        "next": None,
    }
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert acme.person("manager").get("/v1.0/resources/call").timeless == answer.timeless


def test_each_call_in_a_queue_is_an_item_of_its_own() -> None:
    acme = Company()
    for call_id in ("c1", "c2"):
        store(acme.id, "queue.joined", {"queue_id": "q", "call_id": call_id})
    store(acme.id, "queue.left", {"queue_id": "q", "call_id": "c1"})
    items = acme.key().get("/v1.0/resources/queue").body["items"]
    assert [(item["resource_id"], item["member_id"], item["active"]) for item in items] == [
        ("q", "c1", False),
        ("q", "c2", True),
    ]


def test_filters_choose_and_together_narrow() -> None:
    acme, agent_id = Company(), new_id()
    store(
        acme.id,
        "call.created",
        {"id": "a", "status": "ringing", "direction": "inbound"},
        timestamp=TIME.format(1),
    )
    store(
        acme.id,
        "call.created",
        {"id": "b", "status": "ringing", "direction": "outbound"},
        timestamp=TIME.format(2),
        agent_ids=[agent_id],
    )
    store(
        acme.id,
        "call.ended",
        {"id": "c", "status": "hangup", "direction": "inbound"},
        timestamp=TIME.format(3),
    )
    store(acme.id, "call.created", {"id": "d", "status": 5}, timestamp=TIME.format(4))
    ask = acme.key().get
    assert ask(CALLS).ids == ["a", "b", "c", "d"]
    assert ask(CALLS, active="true").ids == ["a", "b", "d"]
    assert ask(CALLS, active="false").ids == ["c"]
    assert ask(CALLS, status="ringing").ids == ["a", "b"]
    assert ask(CALLS, direction="inbound").ids == ["a", "c"]
    assert ask(CALLS, direction="inbound", active="true", status="ringing").ids == ["a"]
    assert ask(CALLS, resource_id="c").ids == ["c"]
    assert ask(CALLS, resource_id="c", active="true").ids == []
    assert ask(CALLS, agent_id=agent_id).ids == ["b"]
    assert ask(CALLS, agent_id=new_id()).ids == []
    for name in ("since", "updated_after"):
        assert ask(CALLS, **{name: TIME.format(2)}).ids == ["c", "d"]
    assert ask(CALLS, order="desc").ids == ["d", "c", "b", "a"]
    assert ask(CALLS, status="%").ids == []
    assert ask(CALLS, status="ringing' OR 1=1 --").ids == []


# --- Who sees what ---


def test_managers_admins_and_customer_keys_see_everything_of_their_customer() -> None:
    acme, other = Company(), Company("Other")
    call(acme, "mine")
    call(other, "theirs")
    for caller in (acme.person("manager"), acme.person("admin"), acme.key(), acme.key(may_publish=True)):
        assert caller.get(CALLS).ids == ["mine"]


@pytest.mark.parametrize("role", ["manager", "admin", "agent", "key"])
def test_another_customer_is_refused_whether_it_exists_or_not(role: str) -> None:
    acme, other = Company(), Company("Other")
    call(other, "theirs")
    caller = acme.key() if role == "key" else acme.person(role, granted_resources=["call"])
    refused = [caller.get(CALLS, customer_id=each) for each in (other.id, new_id())]
    assert [answer.status for answer in refused] == [403, 403]
    assert refused[0].body == refused[1].body
    assert refused[0].body["code"] == "PERMISSION_DENIED"


def test_platform_staff_see_any_customer_and_by_default_their_own() -> None:
    acme, other = Company(), Company("Other")
    call(acme, "own")
    call(other, "theirs")
    staff = acme.person("staff")
    assert staff.get(CALLS).ids == ["own"]
    theirs = staff.get(CALLS, customer_id=other.id)
    assert theirs.ids == ["theirs"]
    assert theirs.body["items"][0]["topic"] == f"customer_id:{other.id}:call:theirs"
    assert staff.get(CALLS, customer_id=Company("quiet").id).ids == []


def test_a_customer_that_is_not_there_is_not_made_by_asking_for_it() -> None:
    answer = Company().person("staff").get(CALLS, customer_id=new_id())
    assert (answer.status, answer.body["code"]) == (404, "NOT_FOUND")
    assert not CustomerLog.objects.exists()


@pytest.mark.parametrize("by_key", [False, True])
def test_an_agent_sees_what_concerns_it_and_what_it_was_granted(by_key: bool) -> None:
    acme, other = Company(), Company("Other")
    agent = acme.person("agent", granted_resources=["message"])
    caller = acme.key(agent) if by_key else agent
    colleague = new_id()
    call(acme, "mine", agent_ids=[colleague, agent.agent_id])
    call(acme, "a-colleagues", agent_ids=[colleague])
    call(acme, "nobodys")
    call(other, "elsewhere", agent_ids=[agent.agent_id])
    store(acme.id, "message.received", {"id": "m"}, agent_ids=[colleague])

    calls = caller.get(CALLS)
    assert calls.ids == ["mine"]
    assert calls.body["items"][0]["topic"] == f"agent_id:{agent.agent_id}:call:mine"
    # Its own topics name no other agent.
    assert calls.body["items"][0]["agent_ids"] == [agent.agent_id]
    assert caller.get(CALLS, agent_id=colleague).ids == []
    assert caller.get(CALLS, agent_id=agent.agent_id).ids == ["mine"]

    messages = caller.get("/v1.0/resources/message")
    assert messages.body["items"][0]["topic"] == f"customer_id:{acme.id}:message:m"
    assert messages.body["items"][0]["agent_ids"] == [colleague]


def test_a_key_that_may_not_subscribe_reads_nothing() -> None:
    acme = Company()
    call(acme, "c")
    answer = acme.key(may_subscribe=False, may_publish=True).get(CALLS)
    assert (answer.status, answer.body["code"]) == (403, "PERMISSION_DENIED")


def test_reading_needs_a_credential() -> None:
    assert ANONYMOUS.get(CALLS).status == 401
    assert ANONYMOUS.get(CALLS, token="vb_guess").status == 401


def test_the_credential_may_stand_in_the_address() -> None:
    acme = Company()
    assert ANONYMOUS.get(CALLS, token=acme.person("manager").credential).status == 200
    assert ANONYMOUS.get(CALLS, accesskey=acme.key().credential).status == 200


# --- What cannot be read ---


@pytest.mark.parametrize(
    ("parameters", "field", "says"),
    [
        ({"active": "yes"}, "active", "true or false"),
        ({"active": ""}, "active", "true or false"),
        ({"limit": "0"}, "limit", "from 1 to 1000"),
        ({"limit": "1001"}, "limit", "from 1 to 1000"),
        ({"limit": "-1"}, "limit", "from 1 to 1000"),
        ({"limit": "١"}, "limit", "from 1 to 1000"),
        ({"limit": "9" * 5000}, "limit", "from 1 to 1000"),
        ({"order": "up"}, "order", "asc"),
        ({"agent_id": "ada"}, "agent_id", "UUID"),
        ({"agent_id": "%"}, "agent_id", "UUID"),
        ({"customer_id": "ACME"}, "customer_id", "UUID"),
        ({"resource_id": "a b"}, "resource_id", "letters"),
        ({"resource_id": ""}, "resource_id", "letters"),
        ({"resource_id": "x\0"}, "resource_id", "letters"),
        ({"status": ""}, "status", "1 to 64"),
        ({"status": "a\0"}, "status", "1 to 64"),
        ({"direction": "x" * 65}, "direction", "1 to 64"),
        ({"updated_after": "yesterday"}, "updated_after", "2024-01-15T10:30:00.000000Z"),
        ({"updated_after": "2024-13-01T00:00:00Z"}, "updated_after", "2024-01-15T10:30:00.000000Z"),
        ({"next": "2"}, "next", "exactly as the last page"),
        ({"next": f"{'a' * 12}.1.1.1"}, "next", "exactly as the last page"),
        ({"activ": "true"}, "activ", "did you mean active?"),
        ({"format": "xml"}, "format", "unknown parameter"),
        ({"": "true"}, "", "unknown parameter"),
    ],
)
def test_a_bad_parameter_is_refused_with_what_is_right(
    parameters: dict[str, str], field: str, says: str
) -> None:
    answer = Company().key().get(CALLS, **parameters)
    assert (answer.status, answer.body["code"]) == (400, "INVALID_REQUEST")
    [problem] = answer.body["errors"]
    assert problem["field"] == field
    assert says in problem["message"]
    assert problem["message"] in answer.body["message"]


def test_all_bad_parameters_are_named_at_once() -> None:
    answer = Company().key().get(f"{CALLS}?limit=x&active=maybe&active=true&what=1")
    assert [each["field"] for each in answer.body["errors"]] == ["active", "what", "active", "limit"]


@pytest.mark.parametrize(
    ("name", "says"), [("cal", "did you mean call?"), ("*", "no known resource"), ("Call", "call")]
)
def test_an_unknown_resource_is_not_found(name: str, says: str) -> None:
    answer = Company().key().get(f"/v1.0/resources/{name}")
    assert (answer.status, answer.body["code"]) == (404, "NOT_FOUND")
    assert says in answer.body["message"]


def test_reading_changes_nothing() -> None:
    assert Company().key().post(CALLS, {}).status == 405


@pytest.mark.parametrize("resource", ["call", "queue", "agent", "message"])
def test_a_plural_address_is_that_of_its_resource(resource: str) -> None:
    acme = Company()
    store(acme.id, f"{resource}.status", {f"{resource}_id": new_id(), "id": new_id(), "status": "busy"})
    manager = acme.person("manager")
    plural, singular = manager.get(f"/v1.0/{resource}s"), manager.get(f"/v1.0/resources/{resource}")
    assert plural.status == 200
    assert len(plural.timeless["items"]) == 1
    assert plural.timeless == singular.timeless
