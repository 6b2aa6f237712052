"""The cast of the journeys: two customers, their people, queues and keys, put into a gateway's database.

Each cast has ids of its own, so that many can share a gateway and none receives another.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import string
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import jwt

from tests.support.gateway import SECRET_KEY, Gateway

JWT_KEY = hashlib.sha256(b"voipbin_ws.jwt:" + SECRET_KEY.encode()).hexdigest()
STORE = "from tests.journeys.support.cast import store; store()"


def new_id() -> str:
    """A fresh UUID in canonical form."""
    return str(uuid.uuid4())


def new_secret() -> str:
    """An access key's secret."""
    return "vb_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32))


@dataclass
class Person:
    """An agent with a user to log in with; `token` is there once the company is in a database."""

    name: str
    role: str = "agent"
    granted: list[str] = field(default_factory=list)
    queues: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    id: str = field(default_factory=new_id)
    password: str = ""
    uses_admin: bool = False
    limited_to: dict[str, list[str]] = field(default_factory=dict)
    is_active: bool = True
    token: str = ""


@dataclass
class Key:
    """An access key, of the agent with this id where there is one."""

    label: str
    agent_id: str | None = None
    may_subscribe: bool = True
    may_publish: bool = False
    may_control: bool = False
    masks_numbers: bool = False
    expires_in: float | None = None
    """Seconds from when it is stored; negative for one that has expired."""
    revoked: bool = False
    allowed_topics: list[str] = field(default_factory=list)
    filter: str = ""
    secret: str = field(default_factory=new_secret)


@dataclass
class Company:
    """A customer with all that belongs to it. `queues` are their ids."""

    name: str
    people: list[Person]
    keys: list[Key]
    queues: list[str] = field(default_factory=list)
    id: str = field(default_factory=new_id)
    is_active: bool = True
    desk: dict[str, Any] = field(default_factory=dict)
    """What it has set, such as for the desktops of its agents."""

    def person(self, name: str) -> Person:
        """The one of this name."""
        return next(person for person in self.people if person.name == name)

    def key(self, label: str) -> str:
        """The secret of the key with this label."""
        return next(key.secret for key in self.keys if key.label == label)

    def token(self, name: str) -> str:
        """The token of the person of this name."""
        return self.person(name).token

    def credentials(self) -> Iterator[tuple[str, str]]:
        """Who may open a socket, by name, and the credential."""
        yield from ((person.name, person.token) for person in self.people)
        yield from ((f"key {key.label}", key.secret) for key in self.keys if key.may_subscribe)


def company(name: str) -> Company:
    """A customer with one of everything: roles, kinds of keys, a queue that two serve and one that no one does."""
    served, empty = new_id(), new_id()
    ann = Person("agent", queues=[served])
    gil = Person("granted agent", granted=["message", "queue"], queues=[served])
    manager = Person("manager", role="manager")
    return Company(
        name,
        people=[ann, gil, manager, Person("admin", role="admin")],
        keys=[
            Key("of the customer"),
            Key("of the agent", agent_id=ann.id),
            Key("of the granted agent", agent_id=gil.id),
            Key("of the manager", agent_id=manager.id),
            Key("that publishes", may_subscribe=False, may_publish=True),
        ],
        queues=[served, empty],
    )


def token_of(agent_id: str, *, key: str = JWT_KEY, algorithm: str = "HS256", **claims: Any) -> str:
    """A token as the gateway issues it, or not quite."""
    return jwt.encode({"sub": agent_id, "exp": time.time() + 3600, **claims}, key, algorithm=algorithm)


def settle(gateway: Gateway, *companies: Company) -> None:
    """Put them into the gateway's database, and fill in the tokens of their people."""
    requested = json.dumps([asdict(each) for each in companies])
    tokens = json.loads(gateway.manage("shell", "--verbosity", "0", "--command", STORE, text=requested))
    for each in companies:
        for person in each.people:
            person.token = tokens[person.id]


def store() -> None:
    """What `settle` has the gateway's own Django do: reads companies from standard input, writes tokens by agent id."""
    tokens: dict[str, str] = {}
    for each in json.load(sys.stdin):
        tokens.update(_store_company(each))
    json.dump(tokens, sys.stdout)


def _store_company(company: dict[str, Any]) -> Iterator[tuple[str, str]]:
    from datetime import timedelta

    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User
    from django.utils import timezone

    from subscriptions.auth.tokens import issue_token
    from subscriptions.models import AccessKey, Agent, Customer, Queue

    # It takes a fifth of a second, and the people of a test have the same password.
    hashed = cache(make_password)
    customer = Customer.objects.create(
        id=company["id"], name=company["name"], is_active=company["is_active"], **company["desk"]
    )
    for queue_id in company["queues"]:
        Queue.objects.create(id=queue_id, customer=customer, name="Support")
    for person in company["people"]:
        username = f"{person['name']} {person['id']}" if not person["password"] else person["name"]
        user = User.objects.create(
            username=username, password=hashed(person["password"] or None), is_staff=person["uses_admin"]
        )
        agent = Agent.objects.create(
            id=person["id"],
            customer=customer,
            user=user,
            name=person["name"],
            role=person["role"],
            granted_resources=person["granted"],
            limited_to=person["limited_to"],
            teams=person["teams"],
            is_active=person["is_active"],
        )
        agent.queues.set(person["queues"])
        yield person["id"], issue_token(agent)
    now = timezone.now()
    for key in company["keys"]:
        made = AccessKey(
            customer=customer,
            agent_id=key["agent_id"],
            label=key["label"],
            may_subscribe=key["may_subscribe"],
            may_publish=key["may_publish"],
            may_control=key["may_control"],
            masks_numbers=key["masks_numbers"],
            expires_at=None if key["expires_in"] is None else now + timedelta(seconds=key["expires_in"]),
            revoked_at=now if key["revoked"] else None,
            allowed_topics=key["allowed_topics"],
            filter=key["filter"],
        )
        made.set_secret(key["secret"])
        made.save()
