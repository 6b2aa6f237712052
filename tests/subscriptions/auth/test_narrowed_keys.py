"""Access keys with allowed topics: REST returns what they may subscribe to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from events.domain.topics import Pattern, parse_pattern
from events.models import ResourceState
from subscriptions.auth.access_keys import rotate
from subscriptions.auth.authentication import identify
from subscriptions.models import AccessKey
from subscriptions.protocol.permissions import may_subscribe
from tests.events.support.people import Answer, ClientInfo, Company
from tests.events.support.stored import store

pytestmark = pytest.mark.django_db

EVENTS = "/v1.0/events"


def calls_of(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    return [item["data"]["id"] for item in answer.body["items"]]


def test_history_is_what_the_list_covers() -> None:
    acme = Company()
    for event_type, resource_id in (("call.created", "c1"), ("call.created", "c2"), ("message.sent", "m1")):
        store(acme.id, event_type, {"id": resource_id})
    own = f"customer_id:{acme.id}"
    assert calls_of(acme.key(allowed_topics=[f"{own}:call:*"]).get(EVENTS)) == ["c1", "c2"]
    assert calls_of(acme.key(allowed_topics=[f"{own}:call:c2"]).get(EVENTS)) == ["c2"]
    assert calls_of(acme.key(allowed_topics=[f"{own}:*:m1", f"{own}:call:c1"]).get(EVENTS)) == ["c1", "m1"]
    assert calls_of(acme.key(allowed_topics=[f"{own}:*:*"]).get(EVENTS)) == ["c1", "c2", "m1"]
    assert calls_of(acme.key(allowed_topics=[f"{own}:queue:*"]).get(EVENTS)) == []
    assert calls_of(acme.key(allowed_topics=[f"{own}:call:c2"]).get(EVENTS, resource="message")) == []


def test_an_event_outside_the_list_is_as_if_there_were_none() -> None:
    acme = Company()
    seen, unseen = (store(acme.id, "call.created", {"id": name}).id for name in ("c1", "c2"))
    key = acme.key(allowed_topics=[f"customer_id:{acme.id}:call:c1"])
    assert key.get(f"{EVENTS}/{seen}").body["topic"] == f"customer_id:{acme.id}:call:c1"
    assert key.get(f"{EVENTS}/{unseen}").status == 404


def test_the_present_state_is_what_the_list_covers() -> None:
    acme = Company()
    for name in ("c1", "c2"):
        store(acme.id, "call.created", {"id": name, "status": "ringing"})
    key = acme.key(allowed_topics=[f"customer_id:{acme.id}:call:c2"])
    assert key.get("/v1.0/calls").ids == ["c2"]
    assert key.get("/v1.0/resources/message").ids == []
    assert ResourceState.objects.count() == 2


def test_a_key_that_is_narrowed_to_another_customer_alone_reads_nothing() -> None:
    acme, globex = Company(), Company("Globex")
    store(globex.id, "call.created", {"id": "theirs"})
    key = acme.key(allowed_topics=[f"customer_id:{globex.id}:*:*"])
    for answer in (key.get(EVENTS), key.get("/v1.0/calls"), key.get(EVENTS, customer_id=globex.id)):
        assert answer.status == 403
    assert "narrowed to" in key.get(EVENTS).body["message"]


def test_a_managers_key_that_is_narrowed_to_its_own_agent_reads_just_that_with_the_agents_topics() -> None:
    acme = Company()
    mary, ann = acme.person("manager"), acme.person()
    store(acme.id, "call.created", {"id": "for-mary"}, agent_ids=[mary.agent_id, ann.agent_id])
    store(acme.id, "call.created", {"id": "for-ann"}, agent_ids=[ann.agent_id])
    store(acme.id, "message.sent", {"id": "said"}, agent_ids=[mary.agent_id])
    key = acme.key(mary, allowed_topics=[f"agent_id:{mary.agent_id}:call:*"])
    answer = key.get(EVENTS)
    assert [item["topic"] for item in answer.body["items"]] == [f"agent_id:{mary.agent_id}:call:for-mary"]
    assert key.get("/v1.0/calls").body["items"][0]["agent_ids"] == [mary.agent_id]
    assert calls_of(acme.key(mary).get(EVENTS)) == ["for-mary", "for-ann", "said"]


def test_a_list_gives_an_agents_key_nothing_that_was_not_granted_to_the_agent() -> None:
    acme = Company()
    ann = acme.person(granted_resources=["message"])
    for event_type, name in (("call.created", "c"), ("message.sent", "m1"), ("message.sent", "m2")):
        store(acme.id, event_type, {"id": name})
    assert calls_of(acme.key(ann, allowed_topics=[f"customer_id:{acme.id}:*:*"]).get(EVENTS)) == ["m1", "m2"]
    key = acme.key(ann, allowed_topics=[f"customer_id:{acme.id}:*:m2", f"customer_id:{acme.id}:call:c"])
    assert calls_of(key.get(EVENTS)) == ["m2"]


def test_platform_staff_narrow_a_key_to_customers() -> None:
    acme, globex = Company(), Company("Globex")
    for company in (acme, globex):
        store(company.id, "call.created", {"id": f"of {company.name}".replace(" ", "-")})
    key = acme.key(acme.person("staff"), allowed_topics=[f"customer_id:{globex.id}:call:*"])
    assert calls_of(key.get(EVENTS, customer_id=globex.id)) == ["of-Globex"]
    assert key.get(EVENTS).status == 403


def me(client: ClientInfo, **parameters: str) -> list[str]:
    answer = client.get("/v1.0/me", **parameters)
    assert answer.status == 200, answer.text
    topics: list[str] = answer.body["topics"]
    return topics


def test_me_returns_the_topics_that_are_left() -> None:
    acme = Company()
    ann = acme.person(granted_resources=["message", "queue"])
    own, agents = f"customer_id:{acme.id}", f"agent_id:{ann.agent_id}"
    assert me(acme.key(allowed_topics=[f"{own}:call:*", f"{own}:call:c1", f"{own}:*:q"])) == [
        f"{own}:*:q",
        f"{own}:call:*",
    ]
    assert me(acme.key(allowed_topics=[f"{own}:*:*"])) == [f"{own}:*:*"]
    assert me(acme.key(ann, allowed_topics=[f"{own}:*:*"])) == [f"{own}:message:*", f"{own}:queue:*"]
    assert me(acme.key(ann, allowed_topics=[f"{own}:message:m", f"{agents}:*:*", f"{own}:call:*"])) == [
        f"{agents}:*:*",
        f"{own}:message:m",
    ]


def test_the_returned_topics_can_be_subscribed() -> None:
    acme = Company()
    ann = acme.person(granted_resources=["message"])
    own = f"customer_id:{acme.id}"
    for key in (
        acme.key(allowed_topics=[f"{own}:call:*", f"{own}:*:q"]),
        acme.key(ann, allowed_topics=[f"{own}:message:*", f"{own}:call:x", f"agent_id:{ann.agent_id}:*:x"]),
    ):
        identity = identify(key.credential)
        assert all(
            may_subscribe(identity, parse_pattern(topic, ["call", "message"])).granted for topic in me(key)
        )


def test_names_are_returned_only_with_the_permission_for_their_resource() -> None:
    acme = Company()
    acme.person("manager")
    own = f"customer_id:{acme.id}"
    narrow, wide = acme.key(allowed_topics=[f"{own}:call:*"]), acme.key(allowed_topics=[f"{own}:agent:*"])
    assert narrow.get("/v1.0/me").body["agents"] == []
    assert len(wide.get("/v1.0/me").body["agents"]) == 1


def test_a_narrowed_key_acts_on_no_call_outside_its_topics() -> None:
    acme = Company()
    for name in ("c1", "c2"):
        store(acme.id, "call.created", {"id": name, "status": "ringing"})
    key = acme.key(may_publish=True, allowed_topics=[f"customer_id:{acme.id}:call:c1"])
    assert key.post("/v1.0/calls/c2/hangup", {}).status == 404
    assert key.post("/v1.0/calls/c1/hangup", {}).status != 404


def test_a_rotated_key_is_as_narrow_as_the_one_before() -> None:
    acme = Company()
    key = AccessKey.objects.get(
        pk=identify(acme.key(allowed_topics=[f"customer_id:{acme.id}:call:*"]).credential).credential_id[4:]
    )
    new, secret = rotate(key, timezone.now() + timedelta(seconds=1))
    assert new.allowed_topics == key.allowed_topics
    assert identify(secret).allowed_topics == frozenset({str(Pattern("customer_id", acme.id, "call", "*"))})
