"""The keys of wallboards: made, renewed and revoked over REST, and what they may read."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from subscriptions.models import AccessKey, Agent, AuditRecord, Queue, display_topics
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db
KEYS = "/v1.0/control/access-keys"
METHODS = ("get", "put", "patch", "post", "delete")
PUBLIC = {"v1.0/openapi.json", "v1.0/asyncapi.yaml", "v1.0/event-types", "v1.0/event-types/<str:event_type>"}
"""Documents, which need no credential."""

FOR_DISPLAYS = {"v1.0/summary", "v1.0/display"}
NO_CREDENTIAL = {"auth/login", "auth/invitation", "auth/invitation/accept", "v1.0/ws"}
"""These read the credential themselves, or none."""


def client(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def ask(who: Client, method: str, path: str, content: Any = None) -> Any:
    return getattr(who, method)(path, json.dumps(content or {}), "application/json")


def display(of: Any, *queues: Queue, **fields: Any) -> tuple[AccessKey, str]:
    topics = display_topics(of.pk, [queue.pk for queue in queues])
    return access_key(of, kind="display", allowed_topics=topics, **fields)


def rest_paths() -> list[tuple[str, Any]]:
    """All paths below /v1.0/ and /auth/, with their views."""

    def found(patterns: Any, prefix: str = "") -> Any:
        for each in patterns:
            path = prefix + str(each.pattern)
            if isinstance(each, URLResolver):
                yield from found(each.url_patterns, path)
            elif isinstance(each, URLPattern) and path.startswith(("v1.0/", "auth/")):
                yield path, each.callback

    return list(found(get_resolver().url_patterns))


def test_the_key_of_a_wallboard_is_refused_everywhere_else() -> None:
    acme = customer()
    _, secret = display(acme)
    who = client(secret)
    paths = [each for each in rest_paths() if each[0] not in PUBLIC | NO_CREDENTIAL]
    assert len(paths) > 30
    for path, view in paths:
        url = "/" + re.sub(r"<[^>]+>", str(uuid.uuid4()), path)
        for method in METHODS:
            if not hasattr(view.cls, method):
                continue
            answer = ask(who, method, url) if method != "get" else who.get(url)
            expected = 200 if path in FOR_DISPLAYS and method == "get" else 403
            assert answer.status_code == expected, (method, url, answer.content)
            if expected == 403:
                assert answer.json()["code"] == "PERMISSION_DENIED", (method, url)
    assert who.get("/v1.0/ws").json()["code"] == "UPGRADE_REQUIRED"
    assert not AuditRecord.objects.filter(verdict="granted").exists()


def test_a_wallboard_reads_the_figures_of_its_queues_and_counts_of_their_agents() -> None:
    acme, globex = customer(), customer(name="Globex")
    support, sales = (Queue.objects.create(customer=acme, name=name) for name in ("Support", "Sales"))
    ann, ben, cyd = (agent(acme, status=status) for status in ("available", "busy", "away"))
    Agent.objects.filter(pk=ann.pk).update(name="Ann Secret")
    support.agents.set([ann, ben])
    sales.agents.set([cyd])
    Queue.objects.create(customer=globex, name="Foreign")
    _, secret = display(acme)
    whole = client(secret).get("/v1.0/summary").json()
    assert whole["agents"] == {"available": 1, "busy": 1, "away": 1, "offline": 0}
    assert {each["name"]: each["agents"]["available"] for each in whole["queues"]} == {
        "Support": 1,
        "Sales": 0,
    }
    assert "Ann Secret" not in str(whole)
    assert "Foreign" not in str(whole)
    _, secret = display(acme, support)
    part = client(secret).get("/v1.0/summary").json()
    assert (part["total"], part["agents"]) == (None, None)
    [queue] = part["queues"]
    assert queue["agents"] == {"available": 1, "busy": 1, "away": 0, "offline": 0}
    assert client(secret).get("/v1.0/summary", {"customer_id": str(globex.pk)}).status_code == 403
    about = client(secret).get("/v1.0/display").json()
    assert about["customer"] == {"id": str(acme.pk), "name": "Acme"}
    assert (about["name"], about["queue_ids"]) == ("a test", [str(support.pk)])
    assert about["topics"] == [f"customer_id:{acme.pk}:summary:{support.pk}"]
    other = client(access_key(acme)[1]).get("/v1.0/display")
    assert (other.status_code, other.json()["message"]) == (
        403,
        "This address is for the key of a wallboard: use one, or GET /v1.0/me",
    )
    narrow, _ = access_key(acme, allowed_topics=[f"customer_id:{acme.pk}:summary:{support.pk}"]), None
    assert "agents" not in client(narrow[1]).get("/v1.0/summary").json()["queues"][0]


def test_the_control_api_makes_renews_and_revokes_the_link_of_a_wallboard() -> None:
    acme, globex = customer(), customer(name="Globex")
    queue = Queue.objects.create(customer=acme, name="Support")
    foreign = Queue.objects.create(customer=globex, name="Foreign")
    boss = client(access_key(acme, may_control=True)[1])
    wanted = {"kind": "display", "label": "Front wall", "queue_ids": [str(queue.pk)]}
    made = ask(boss, "post", KEYS, wanted)
    assert made.status_code == 201, made.content
    content = made.json()
    assert content["link"] == f"http://testserver/wallboard/#key={content['secret']}"
    assert content["qr_code"].startswith("<svg ")
    assert (content["kind"], content["queue_ids"]) == ("display", [str(queue.pk)])
    assert client(content["secret"]).get("/v1.0/display").json()["name"] == "Front wall"
    url = f"{KEYS}/{content['id']}"
    assert not {"secret", "link", "qr_code"} & boss.get(url).json().keys()
    assert [each["label"] for each in boss.get(KEYS, {"kind": "display"}).json()["items"]] == ["Front wall"]
    changed = ask(boss, "patch", url, {"label": "Side wall", "queue_ids": []})
    assert (changed.status_code, changed.json()["queue_ids"]) == (200, [])
    about = client(content["secret"]).get("/v1.0/display").json()
    assert about["topics"] == [f"customer_id:{acme.pk}:summary:*"]
    renewed = ask(boss, "post", f"{url}/rotate").json()
    assert renewed["link"].endswith(f"#key={renewed['secret']}")
    assert client(renewed["secret"]).get("/v1.0/display").json()["name"] == "Side wall"
    assert boss.delete(url).status_code == 204
    refused = client(content["secret"]).get("/v1.0/summary")
    assert (refused.status_code, refused.json()["message"]) == (401, "This access key was revoked")
    stranger = client(access_key(globex, may_control=True)[1])
    assert stranger.get(url).status_code == 404
    assert stranger.delete(f"{KEYS}/{renewed['id']}").status_code == 404
    for wrong, field, problem in (
        ({"queue_ids": [str(foreign.pk)]}, "queue_ids", "there is no such queue of the customer"),
        ({"allowed_topics": ["x"]}, "allowed_topics", "use queue_ids"),
        ({"may_publish": True}, "may_publish", "may neither publish nor control"),
        ({"agent_id": str(agent(acme).pk)}, "agent_id", "has no agent"),
        ({"filter": {"field": "status", "op": "ex"}}, "filter", "no filter"),
        ({"kind": "tv"}, "kind", "valid choice"),
        ({"kind": "program", "queue_ids": [str(queue.pk)]}, "queue_ids", "only a wallboard has queues"),
    ):
        answer = ask(boss, "post", KEYS, wanted | wrong)
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["field"]) == (400, field), answer.content
        assert problem in error["message"]
    kept = ask(boss, "patch", f"{KEYS}/{renewed['id']}", {"kind": "program"})
    assert kept.json()["errors"] == [{"field": "kind", "message": "a key keeps its kind: make a new key"}]


def test_an_expired_key_says_so() -> None:
    _, secret = display(customer(), expires_at=timezone.now() - timedelta(seconds=1))
    answer = client(secret).get("/v1.0/display")
    assert (answer.status_code, answer.json()["message"]) == (401, "This access key has expired")
