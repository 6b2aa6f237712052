"""`GET /v1.0/explain` with real connections, and its limits by the credential."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone

from events.database.threads import in_database_thread
from events.log.retention import prune
from events.models import CustomerLog, Event
from subscriptions.audit.store import append
from subscriptions.audit.store import prune as prune_audit
from subscriptions.auth.tokens import issue_token
from subscriptions.connections.runtime import Runtime
from subscriptions.explain.evidence import explain, subject_of_key
from subscriptions.explain.lookup import OperatorViewer, find
from subscriptions.models import Agent, AuditRecord, Customer
from tests.events.support.stored import store
from tests.subscriptions.support.app_socket import Socket
from tests.subscriptions.support.people import access_key, agent, customer


@pytest.fixture
def acme(transactional_db: None) -> Customer:
    return customer()


@pytest.fixture
def key(acme: Customer) -> str:
    return access_key(acme)[1]


@pytest.fixture
def ann(acme: Customer) -> Agent:
    return agent(acme)


def ask(credential: str, **parameters: str) -> Any:
    return Client().get("/v1.0/explain", parameters, headers={"Authorization": f"Bearer {credential}"})


def why(credential: str, **parameters: str) -> dict[str, Any]:
    answer = ask(credential, **parameters)
    assert answer.status_code == 200, answer.content
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


def call(of: Customer, call_id: str = "c1", **data: Any) -> Any:
    return store(str(of.pk), "call.status", {"id": call_id, **data})


@pytest.fixture
def reporting_process(settings: Any, request: pytest.FixtureRequest) -> Runtime:
    """A process that reports its connections often."""
    settings.CHECK_INTERVAL_SECONDS = 0.05
    process: Runtime = request.getfixturevalue("process")
    return process


async def test_real_connections_are_explained(reporting_process: Runtime, acme: Customer, key: str) -> None:
    process = reporting_process

    async def delivered_at_last(event: str) -> bool:
        """Wait until the process has reported what it sent: before that it is not known."""
        async with asyncio.timeout(20):
            while (answer := await explained(event)) == (None, "not-confirmed"):
                await asyncio.sleep(0.05)
        return answer == (True, "delivered")

    async def explained(event: str) -> tuple[bool | None, str]:
        await process.audit.flush()
        await until_stored(process)
        body = await sync_to_async(why)(key, event=event)
        return body["delivered"], body["rule"]

    async def happens() -> Any:
        return await in_database_thread(call, acme)

    calls = f"customer_id:{acme.pk}:call:*"
    earlier = await happens()
    assert await explained(earlier.id) == (False, "never-connected")
    socket = await Socket(f"token={key}").open()
    begin = await socket.subscribe(calls)
    delivered = await happens()
    assert (await socket.frame())["id"] == delivered.id
    assert await delivered_at_last(delivered.id)
    assert await explained(delivered.cursor) == (True, "delivered")
    assert await explained(earlier.id) == (False, "connected-later")
    await socket.ask({"type": "unsubscribe", "topics": [calls]})
    ended = await happens()
    assert await explained(ended.id) == (False, "unsubscribed-before")
    await socket.leave()
    missed = await happens()
    again = await Socket(f"token={key}").open()
    await again.subscribe(calls, since=begin["cursor"])
    for receipt in (delivered, ended, missed):
        assert (await again.frame())["id"] == receipt.id
    assert await delivered_at_last(missed.id)
    await again.leave()
    assert await explained(missed.id) == (True, "delivered")


async def test_a_refused_handshake_is_explained(process: Runtime, acme: Customer) -> None:
    old, secret = await sync_to_async(access_key)(acme, expires_at=timezone.now() - timedelta(minutes=1))
    (close,) = await Socket(f"token={secret}").connect()
    assert close["type"] == "websocket.close"
    receipt = await in_database_thread(call, acme)
    await process.audit.flush()
    event = await in_database_thread(find, receipt.id, OperatorViewer(None))
    body = await in_database_thread(lambda: explain(subject_of_key(old), event))
    assert body.reason.rule == "expired-key"
    assert body.steps[4].rule == "refused-handshake"


async def until_stored(process: Runtime) -> None:
    """The connections of the process stand in the database as they are."""
    await process.presence._beat()


def test_a_topic_is_explained_by_its_newest_event_or_the_lack_of_one(acme: Customer, key: str) -> None:
    call(acme)
    newest = call(acme)
    topic = f"customer_id:{acme.pk}:call"
    for requested in (topic, f"{topic}:*", f"{topic}:c1", f"customer_id:{acme.pk}"):
        facts = {fact["name"]: fact["value"] for fact in why(key, topic=requested)["steps"][0]["facts"]}
        assert facts["id"] == newest.id
    body = why(key, topic=f"{topic}:c2")
    assert (body["rule"], [step["outcome"] for step in body["steps"]][:3]) == (
        "no-event-of-topic",
        ["no", "yes", "yes"],
    )


def test_a_pruned_a_future_and_a_foreign_cursor_are_explained(acme: Customer, key: str) -> None:
    old, _ = call(acme), call(acme)
    Event.objects.update(stored_at=timezone.now() - timedelta(days=2))
    prune(str(acme.pk), timezone.now() - timedelta(days=1))
    epoch = CustomerLog.objects.get().epoch
    for event, rule in {
        old.cursor: "pruned",
        old.id: "unknown-event",
        f"{epoch}.99": "not-published",
        f"{'f' * 12}.1": "other-log",
    }.items():
        body = why(key, event=event)
        assert (body["rule"], body["delivered"]) == (rule, None)


def test_an_event_from_before_the_audit_records_that_are_kept_is_not_known(acme: Customer, key: str) -> None:
    now = timezone.now()
    old, new = call(acme), call(acme)
    Event.objects.filter(pk=old.id).update(stored_at=now - timedelta(days=3))
    append(
        [
            AuditRecord(
                at=now - timedelta(days=days), action="connect", verdict="granted", connection_id=acme.pk
            )
            for days in (2, 0)
        ]
    )
    assert why(key, event=old.id)["delivered"] is False
    assert prune_audit(now - timedelta(days=1)) == 1
    assert why(key, event=old.id)["rule"] == "records-missing"
    assert (why(key, event=old.id)["delivered"], why(key, event=new.id)["delivered"]) == (None, False)


def test_an_agent_gets_explanations_of_its_own_events_only(acme: Customer, ann: Agent) -> None:
    bob = agent(acme)
    mine = call(acme, agent_id=str(ann.pk))
    ours = store(str(acme.pk), "call.status", {"id": "c2"}, agent_ids=[str(ann.pk), str(bob.pk)])
    body = ask(issue_token(ann), event=ours.id)
    assert body.json()["steps"][2]["rule"] == "own-agent"
    assert str(bob.pk) not in body.content.decode()
    assert why(issue_token(ann), topic=f"agent_id:{ann.pk}:call:*")["steps"][0]["outcome"] == "yes"
    assert why(issue_token(ann), event=mine.cursor)["steps"][0]["outcome"] == "yes"


def test_an_invisible_event_is_answered_like_a_missing_one(acme: Customer, ann: Agent, key: str) -> None:
    globex = customer("Globex")
    theirs, not_hers = call(globex), call(acme)
    epoch = CustomerLog.objects.get(pk=globex.pk).epoch
    narrowed = access_key(acme, allowed_topics=[f"customer_id:{acme.pk}:message:*"])[1]
    token = issue_token(ann)

    def alike(credential: str, name: str, there: str, absent: str) -> None:
        """What there is and what there is not are answered with the same words."""
        answers = [
            ask(credential, **{name: requested}).content.decode().replace(requested, "IT")
            for requested in (there, absent)
        ]
        assert answers[0] == answers[1]

    for credential, event in ((key, theirs), (token, theirs), (token, not_hers), (narrowed, not_hers)):
        alike(credential, "event", event.id, str(uuid.uuid4()))
        assert why(credential, event=event.id)["steps"][0]["outcome"] == "no"
    for credential in (key, token):
        alike(credential, "event", f"{epoch}.1", f"{'f' * 12}.1")
    stranger = str(uuid.uuid4())
    for credential in (key, token, narrowed):
        answers = []
        for customer_id in (str(globex.pk), stranger):
            text = ask(credential, topic=f"customer_id:{customer_id}:call:c1").content.decode()
            answers.append(text.replace(customer_id, "THEM"))
        assert answers[0] == answers[1]
        assert "foreign-customer" in answers[0]
    refused = why(token, topic=f"customer_id:{acme.pk}:call:c1")
    assert (refused["steps"][0]["outcome"], refused["steps"][2]["rule"]) == ("no", "resource-not-granted")


def test_platform_staff_get_explanations_for_every_customer(acme: Customer) -> None:
    globex = customer("Globex")
    theirs = call(globex)
    staff = issue_token(agent(acme, "staff"))
    assert why(staff, event=theirs.id)["steps"][2]["rule"] == "platform-staff"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "name one event by its id or cursor"),
        ({"event": "x", "topic": "y"}, "name one event by its id or cursor"),
        ({"event": "nonsense"}, "an event's id or cursor"),
        ({"event": f"{'a' * 12}.1,{'b' * 12}.2"}, "cursor of several logs"),
        ({"event": "customer_id:x:call:*"}, "write an event's id or cursor"),
        ({"topic": "nonsense"}, "write a topic"),
        ({"topic": "customer_id:x:call:*"}, "no customer id"),
        ({"evnt": "x"}, "unknown parameter"),
        ({"event": "\0"}, "an event's id or cursor"),
    ],
)
def test_an_invalid_query_is_refused_with_what_is_right(
    key: str, parameters: dict[str, str], message: str
) -> None:
    answer = ask(key, **parameters)
    assert answer.status_code == 400
    assert message in answer.json()["message"]


def test_a_key_that_may_not_read_is_refused(acme: Customer) -> None:
    publisher = access_key(acme, may_subscribe=False, may_publish=True)[1]
    assert ask(publisher, event="x").status_code == 403
    assert ask("nonsense", event="x").status_code == 401
