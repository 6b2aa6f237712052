"""Customers, agents and keys in the test database."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from subscriptions.models import AccessKey, Agent, Customer


def customer(name: str = "Acme", **fields: Any) -> Customer:
    return Customer.objects.create(name=name, **fields)


def agent(of: Customer, role: str = "agent", **fields: Any) -> Agent:
    user = User.objects.create_user(f"{role}-{uuid.uuid4().hex[:8]}", password=fields.pop("password", None))
    return Agent.objects.create(customer=of, user=user, name=role.title(), role=role, **fields)


def access_key(of: Customer, agent: Agent | None = None, **fields: Any) -> tuple[AccessKey, str]:
    """The key and its secret."""
    key = AccessKey(customer=of, agent=agent, label="a test", **fields)
    secret = key.make_secret()
    key.save()
    return key, secret


def voipbin_time(moment: datetime) -> str:
    """A time as in the claim `expire` of VoIPBIN."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
