"""People and programs of a customer in this process's database, who ask the REST interface without a server."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from events.domain.event import parse_timestamp
from subscriptions.auth.tokens import issue_token
from subscriptions.models import AccessKey, Agent, Customer


@dataclass(frozen=True)
class Answer:
    """A status, and the JSON of the body as `json.loads` reads it."""

    status: int
    body: Any
    headers: Mapping[str, str]
    text: str

    @property
    def timeless(self) -> dict[str, Any]:
        """The body without `now`, which is the gateway's time with six digits."""
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", self.body["now"])
        assert abs((parse_timestamp(self.body["now"]) - datetime.now(UTC)).total_seconds()) < 60
        return {name: value for name, value in self.body.items() if name != "now"}

    @property
    def ids(self) -> list[str]:
        """The resource ids of a page's items."""
        return [item["resource_id"] for item in self.body["items"]]


@dataclass(frozen=True)
class ClientInfo:
    """A client with a credential."""

    credential: str
    agent_id: str = ""

    def get(self, path: str, **parameters: str) -> Answer:
        """GET; a trailing `_` of a parameter's name is dropped, so that `from_` can be said."""
        named = {name.rstrip("_"): value for name, value in parameters.items()}
        return _answer(Client().get(path, named, headers=self._headers))

    def post(self, path: str, body: Any, *, content_type: str = "application/json", **headers: str) -> Answer:
        """POST; bytes and text are sent as they are, everything else as JSON."""
        raw = body if isinstance(body, bytes | str) else json.dumps(body)
        sent = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return _answer(Client().post(path, raw, content_type=content_type, headers=sent))

    def put(self, path: str, body: Any) -> Answer:
        """PUT; bytes and text are sent as they are, everything else as JSON."""
        raw = body if isinstance(body, bytes | str) else json.dumps(body)
        return _answer(Client().put(path, raw, content_type="application/json", headers=self._headers))

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credential}"} if self.credential else {}


ANONYMOUS = ClientInfo("")


def _answer(response: Any) -> Answer:
    text = response.content.decode()
    return Answer(response.status_code, json.loads(text), response.headers, text)


@dataclass
class Company:
    """A customer; its agents and keys are created on demand."""

    name: str = "Acme"
    id: str = field(init=False)
    customer: Customer = field(init=False)

    def __post_init__(self) -> None:
        self.customer = Customer.objects.create(name=self.name)
        self.id = str(self.customer.pk)

    def person(self, role: str = "agent", **fields: Any) -> ClientInfo:
        """Create an agent who can log in."""
        user = User.objects.create(username=uuid.uuid4().hex)
        agent = Agent.objects.create(customer=self.customer, user=user, name=role, role=role, **fields)
        return ClientInfo(issue_token(agent), str(agent.pk))

    def key(self, agent: ClientInfo | None = None, **fields: Any) -> ClientInfo:
        """An access key, of an agent where one is given."""
        key = AccessKey(customer=self.customer, agent_id=agent.agent_id if agent else None, **fields)
        secret = key.make_secret()
        key.save()
        return ClientInfo(secret)


def new_id() -> str:
    """A fresh UUID in canonical form."""
    return str(uuid.uuid4())
