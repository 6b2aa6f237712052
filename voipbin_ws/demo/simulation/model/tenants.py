"""The tenants of the demo, with people and queues under ids that never change."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, with the name that callers are given."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person with a login. `role` is the gateway's: agent, manager, admin or staff."""

    id: str
    username: str
    name: str
    role: str
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer with its people, queues and telephone number.

    Every agent (role `agent`) serves every queue.
    """

    id: str
    name: str
    number: str
    people: tuple[Person, ...]
    queues: tuple[Queue, ...]

    @property
    def agents(self) -> tuple[Person, ...]:
        return tuple(person for person in self.people if person.role == "agent")

    @property
    def domain(self) -> str:
        """Host of its recordings, in the reserved domain `.example` (RFC 2606)."""
        return f"{''.join(filter(str.isalnum, self.name.lower())) or 'platform'}.example"


# Acme's id, and those of its first agent and queue, are the ones in VoIPBIN's own examples of webhooks: with Acme's key
# these can be published unchanged.
ACME: Final = Tenant(
    id="5e4a0680-804e-11ec-8477-2fea5968d85b",
    name="Acme",
    number="+15550100100",
    people=(
        Person("a3d1c7e2-5b0f-4c8a-9d26-0f6e8b7a1c01", "acme-admin", "Ada Reyes", "admin"),
        Person("a3d1c7e2-5b0f-4c8a-9d26-0f6e8b7a1c02", "acme-manager", "Miles Okafor", "manager"),
        Person(
            "eb1ac5c0-ff63-47e2-bcdb-5da9c336eb4b",
            "anna",
            "Anna Lindqvist",
            "agent",
            ("Support", "Early shift"),
        ),
        Person("a3d1c7e2-5b0f-4c8a-9d26-0f6e8b7a1c04", "ben", "Ben Castillo", "agent", ("Support",)),
        Person(
            "a3d1c7e2-5b0f-4c8a-9d26-0f6e8b7a1c05",
            "chloe",
            "Chloe Nakamura",
            "agent",
            ("Sales", "Early shift"),
        ),
    ),
    queues=(
        Queue("99bf739a-932f-433c-b1bf-103d33d7e9bb", "Support"),
        Queue("99bf739a-932f-433c-b1bf-103d33d7e9bc", "Sales"),
    ),
)

GLOBEX: Final = Tenant(
    id="7c2f9b54-1d3e-4f60-8a71-6be0d5c4a200",
    name="Globex",
    number="+15550200200",
    people=(
        Person("7c2f9b54-1d3e-4f60-8a71-6be0d5c4a201", "globex-admin", "Greta Holm", "admin"),
        Person("7c2f9b54-1d3e-4f60-8a71-6be0d5c4a202", "gus", "Gus Moreau", "agent"),
    ),
    queues=(Queue("7c2f9b54-1d3e-4f60-8a71-6be0d5c4a2f1", "Front desk"),),
)

PLATFORM: Final = Tenant(
    id="0b5e3d18-97a4-4e2b-b6c3-f1d2087e9a00",
    name="Platform",
    number="+15550300300",
    people=(Person("0b5e3d18-97a4-4e2b-b6c3-f1d2087e9a01", "operator", "Olive Tran", "staff"),),
    queues=(),
)

TENANTS: Final = (ACME, GLOBEX, PLATFORM)


def tenant_of(customer_id: str) -> Tenant:
    """Return this customer's tenant of the demo, or an invented one, the same for each call."""
    for tenant in TENANTS:
        if tenant.id == customer_id and tenant.queues:
            return tenant
    made = random.Random(customer_id)

    def new_id() -> str:
        return str(uuid.UUID(int=made.getrandbits(128), version=4))

    return Tenant(
        id=customer_id,
        name=f"Customer {customer_id[:8]}",
        number="+15550400400",
        people=tuple(
            Person(new_id(), name.split()[0].lower(), name, "agent")
            for name in ("Iris Novak", "Jonas Weber", "Kofi Mensah")
        ),
        queues=(Queue(new_id(), "Support"), Queue(new_id(), "Sales")),
    )
