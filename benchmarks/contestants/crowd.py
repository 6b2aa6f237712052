"""Thousands of agents of one customer, created in a gateway's database at once."""

from __future__ import annotations

import json
import sys
import uuid

from tests.support.gateway import Gateway

STORE = "from benchmarks.contestants.crowd import store; store()"


def agents_of(customer_id: str, count: int) -> list[str]:
    """The ids of a customer's agents, derived from its id."""
    return [str(uuid.uuid5(uuid.UUID(customer_id), f"agent {number}")) for number in range(count)]


def create_agents(gateway: Gateway, customer_id: str, count: int) -> list[str]:
    """Create this many agents of an existing customer; returns their ids."""
    arguments = json.dumps([customer_id, count])
    gateway.manage("shell", "--verbosity", "0", "--command", STORE, text=arguments)
    return agents_of(customer_id, count)


def store() -> None:
    """Create the agents of `create_agents` in the gateway's own Django."""
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User

    from subscriptions.models import Agent

    customer_id, count = json.load(sys.stdin)
    ids = agents_of(customer_id, count)
    User.objects.bulk_create(User(username=each, password=make_password(None)) for each in ids)
    users = User.objects.in_bulk(ids, field_name="username")
    Agent.objects.bulk_create(
        Agent(id=each, customer_id=customer_id, user=users[each], name=f"Agent {each[:8]}") for each in ids
    )
