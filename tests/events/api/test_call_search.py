"""GET /v1.0/calls as a search: when calls began, their numbers and names, and how they went."""

from __future__ import annotations

from typing import Any

import pytest

from tests.events.support.people import Answer, ClientInfo, Company, new_id
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db

CALLS = "/v1.0/calls"


def at(hour: int, second: int = 0) -> str:
    return f"2024-01-15T{hour:02}:00:{second:02}.000000Z"


def call(
    company: Company,
    call_id: str,
    hour: int = 10,
    *,
    number: Any = "+15552004711",
    name: str = "Dana Whitfield",
    queue: str | None = None,
    agent: str | None = None,
    wait: int = 30,
    **data: Any,
) -> None:
    """A finished call; in a queue it waits, and an agent answers it where one is named."""
    source = {"type": "tel", "target": number, "target_name": name}
    facts = {"id": call_id, "direction": "inbound", "source": source, "destination": "+15550100100", **data}
    store(company.id, "call.created", {**facts, "status": "ringing"}, timestamp=at(hour))
    if queue:
        place = {"queue_id": queue, "call_id": call_id}
        store(company.id, "queue.joined", place, timestamp=at(hour, 1))
        if agent:
            store(company.id, "queue.connected", {**place, "agent_id": agent}, timestamp=at(hour, 1 + wait))
    elif agent:
        store(company.id, "call.status", {"id": call_id, "status": "answered", "agent_id": agent})
    end = {"id": call_id, "status": "hangup"}
    store(company.id, "call.ended", end, timestamp=at(hour, 59))


@pytest.fixture
def acme() -> Company:
    return Company()


def search(who: ClientInfo, **parameters: str) -> Answer:
    answer = who.get(CALLS, **parameters)
    assert answer.status == 200, answer.text
    return answer


def test_calls_are_found_by_when_they_began(acme: Company) -> None:
    for hour in (9, 10, 11):
        call(acme, f"c{hour}", hour)
    key = acme.key()
    assert search(key, began_from=at(10)).ids == ["c10", "c11"]
    assert search(key, began_before=at(10)).ids == ["c9"]
    assert search(key, began_from=at(10), began_before=at(11), order="desc").ids == ["c10"]
    assert search(key, began_from=at(12)).ids == []


@pytest.mark.parametrize(
    "spelling",
    ["+49 40 1234567", "0049401234567", "tel:+49-40-123-4567", "040 / 123 45 67", "1234567", "٠٤٠١٢٣٤٥٦٧"],
)
def test_a_number_is_found_in_any_spelling(acme: Company, spelling: str) -> None:
    acme.customer.region = "DE"
    acme.customer.save()
    call(acme, "e164", number="+49401234567")
    call(acme, "national", number="040 1234567")
    call(acme, "another", number="+49401234568")
    call(acme, "none", number=None)
    call(acme, "to", number="", destination={"target": "0049401234567"})
    assert search(acme.key(), number=spelling).ids == ["e164", "national", "to"]


def test_fewer_than_three_digits_are_no_part_of_a_number(acme: Company) -> None:
    call(acme, "a", number="+15552004711")
    assert search(acme.key(), number="11").ids == []
    assert search(acme.key(), number="711").ids == ["a"]


def test_names_are_found_without_case_and_accents(acme: Company) -> None:
    call(acme, "a", name="Jørgen Müller-Groß")
    call(acme, "b", name="Dana")
    store(acme.id, "call.created", {"id": "c", "source": {"name": "dana"}, "destination": 7})
    assert search(acme.key(), name="mull JORG").ids == ["a"]
    assert search(acme.key(), name="gross").ids == ["a"]
    assert search(acme.key(), name="dana").ids == ["b", "c"]
    assert search(acme.key(), name="dana jorgen").ids == []


def test_calls_are_found_by_how_they_went_and_items_say_it(acme: Company) -> None:
    agent = new_id()
    call(acme, "answered", queue="q1", agent=agent, wait=20)
    call(acme, "abandoned", queue="q1")
    call(acme, "direct", agent=agent)
    store(acme.id, "queue.joined", {"queue_id": "q2", "call_id": "v"}, timestamp=at(10))
    call(acme, "v", queue="q1")
    key = acme.key()
    assert search(key, outcome="answered").ids == ["answered", "direct"]
    assert search(key, outcome="abandoned").ids == ["abandoned", "v"]
    assert search(key, outcome="voicemail").ids == []
    assert search(key, queue_id="q1").ids == ["answered", "abandoned", "v"]
    assert search(key, queue_id="q2").ids == ["v"]
    assert search(key, min_wait="21").ids == ["abandoned", "v"]
    assert search(key, min_wait="20", outcome="answered").ids == ["answered"]
    assert search(key, agent_id=agent).ids == ["answered", "direct"]
    (item,) = search(key, queue_id="q1", outcome="answered", result="true").body["items"]
    assert item["result"] == {
        "outcome": "answered",
        "queue_ids": ["q1"],
        "agent_ids": [agent],
        "wait_seconds": 20,
        "ended_at": at(10, 59),
    }
    assert "result" not in search(key, outcome="answered").body["items"][0]


def test_a_search_is_paged_without_loss_or_repetition(acme: Company) -> None:
    for number in range(12):
        call(acme, f"c{number}", name="Dana" if number % 2 else "Eve", queue="q")
    for order in ("asc", "desc"):
        found: list[str] = []
        wanted = {"limit": "2", "order": order, "name": "dana", "result": "true", "began_from": at(9)}
        page = search(acme.key(), **wanted)
        found += page.ids
        while page.body["next"]:
            page = search(acme.key(), **wanted, next=page.body["next"])
            found += page.ids
        expected = [f"c{number}" for number in range(1, 12, 2)]
        assert found == (expected if order == "asc" else expected[::-1])


def test_each_finds_only_what_it_may_read(acme: Company) -> None:
    globex = Company("Globex")
    ann, bob = acme.person(), acme.person()
    call(acme, "anns", queue="q", agent=ann.agent_id)
    call(acme, "bobs", queue="q", agent=bob.agent_id)
    for stranger in (globex.key(), globex.person("manager")):
        assert search(stranger, name="dana", result="true").ids == []
        assert stranger.get(CALLS, customer_id=acme.id, name="dana").status == 403
    (item,) = search(ann, name="dana", result="true").body["items"]
    assert (item["resource_id"], item["result"]["agent_ids"]) == ("anns", [ann.agent_id])
    # Who reads calls alone learns nothing of queues.
    granted = acme.person(granted_resources=["call"])
    (one, _) = search(granted, name="dana", result="true").body["items"]
    assert (one["result"]["queue_ids"], one["result"]["wait_seconds"]) == ([], None)
    assert search(granted, queue_id="q").ids == []
    narrowed = acme.key(allowed_topics=[f"customer_id:{acme.id}:call:bobs"])
    assert search(narrowed, name="dana").ids == ["bobs"]


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("outcome", "lost", "write one of answered, abandoned, voicemail, unanswered"),
        ("min_wait", "-1", "whole number"),
        ("min_wait", "1.5", "whole number"),
        ("number", "Dana", "in any spelling"),
        ("number", "", "write 1 to 64 characters"),
        ("name", "x" * 65, "write 1 to 64 characters"),
        ("queue_id", "<b>", "write an id"),
        ("began_from", "yesterday", "is no time"),
        ("result", "yes", "write true or false"),
        ("outcom", "answered", "did you mean outcome"),
    ],
)
def test_an_invalid_condition_is_refused_with_what_is_right(
    acme: Company, name: str, value: str, advice: str
) -> None:
    answer = acme.key().get(CALLS, **{name: value})
    assert answer.status == 400
    assert advice in answer.body["errors"][0]["message"]


def test_an_end_before_the_beginning_is_refused(acme: Company) -> None:
    answer = acme.key().get(CALLS, began_from=at(11), began_before=at(10))
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "began_before")


def test_other_states_take_no_conditions_of_calls(acme: Company) -> None:
    for address in ("/v1.0/resources/call", "/v1.0/queues"):
        assert acme.key().get(address, outcome="answered").status == 400
