"""The demo's database: created once, kept as it is, and never mixed with real data."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password, make_password
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from subscriptions.auth.tokens import issue_token
from subscriptions.models import AccessKey, Agent, AgentRole, Customer, Queue, digest_of
from voipbin_ws.demo.key_file import Keys, load_keys, store_keys
from voipbin_ws.demo.simulation.model.tenants import ACME, GLOBEX, PLATFORM, TENANTS, Person, Tenant

PASSWORD = "demo"  # noqa: S105 - printed on the screen, for a gateway that only this machine reaches
PUBLISHING = (ACME, GLOBEX)
GRANTED_TO_AGENTS = ["message"]
DESK_SETTINGS = {
    "dispositions": [
        {"code": "solved", "label": "Solved"},
        {"code": "sold", "label": "Sold"},
        {"code": "follow-up", "label": "Follow up"},
        {"code": "wrong-number", "label": "Wrong number"},
    ],
    "away_reasons": [
        {"code": "break", "label": "Break", "minutes": 15},
        {"code": "lunch", "label": "Lunch", "minutes": 45},
        {"code": "training", "label": "Training", "minutes": None},
    ],
    "quick_replies": [
        {"title": "Looking into it", "text": "Thanks for writing, {name}! I am looking into it."},
        {"title": "Order number?", "text": "Could you tell me your order number?"},
        {"title": "We call back", "text": "We will call you back on {number} shortly. {agent}"},
        {"title": "You are welcome", "text": "You are welcome. Have a good day!"},
    ],
}
"""What the demo's customers have set for the desktops of their agents."""


class ForeignDatabase(Exception):
    """The database holds data that is not the demo's; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login of the demo. `password` is `None` if the user has chosen another one."""

    person: Person
    tenant: Tenant
    password: str | None


@dataclass(frozen=True, slots=True)
class Demo:
    """The seeded demo: its logins, the keys of its programs, and a token of Acme's admin."""

    logins: tuple[Login, ...]
    keys: Keys
    token: str


def prepare_database() -> Demo:
    """Migrate the database and seed it, unless it is seeded.

    Raises:
        ForeignDatabase: it holds customers or logins that are not the demo's.
        DatabaseError: the database does not answer.
    """
    _refuse_foreign()
    call_command("migrate", verbosity=0, interactive=False)
    if not _is_seeded():
        with transaction.atomic():
            _seed()
    admin = Agent.objects.select_related("customer", "user").filter(pk=_admin(ACME).id).first()
    if admin is None:
        raise ForeignDatabase(
            "Acme's admin was deleted from the demo's database: delete the database to begin anew"
        )
    return Demo(tuple(_logins()), _keys(), issue_token(admin))


def _refuse_foreign() -> None:
    tables = set(connection.introspection.table_names())
    users = get_user_model()
    if Customer._meta.db_table not in tables or users._meta.db_table not in tables or _is_seeded():
        return
    if (customer := Customer.objects.values_list("name", flat=True).first()) is not None:
        found = f"the customer {customer!r}"
    elif (username := users.objects.values_list("username", flat=True).first()) is not None:
        found = f"the login {username!r}"
    else:
        return
    raise ForeignDatabase(
        f"This database holds {found}, which is not the demo's, and the demo's passwords are known to everybody: "
        "point DATABASE_URL at an empty database, or run the gateway alone with manage.py serve"
    )


def _is_seeded() -> bool:
    # Only the demo has a customer of this id.
    return Customer.objects.filter(pk=PLATFORM.id).exists()


def _admin(tenant: Tenant) -> Person:
    return next(person for person in tenant.people if person.role == "admin")


def _seed() -> None:
    # One hash for all: the password is printed anyway, and each hash takes a third of a second.
    password = make_password(PASSWORD)
    for tenant in TENANTS:
        customer = Customer.objects.create(id=tenant.id, name=tenant.name, region="US", **DESK_SETTINGS)
        queues = [
            Queue.objects.create(id=queue.id, customer=customer, name=queue.name) for queue in tenant.queues
        ]
        for person in tenant.people:
            user = get_user_model().objects.create(
                username=person.username,
                password=password,
                is_staff=person.role in ("admin", "staff"),
                is_superuser=person.role == "staff",
            )
            is_agent = person.role == "agent"
            agent = Agent.objects.create(
                id=person.id,
                customer=customer,
                user=user,
                name=person.name,
                role=AgentRole(person.role),
                granted_resources=GRANTED_TO_AGENTS if is_agent else [],
                teams=list(person.teams),
            )
            if is_agent:
                agent.queues.set(queues)


def _logins() -> list[Login]:
    """Return the logins that still exist and are active."""
    agents = {
        str(agent.pk): agent for agent in Agent.objects.select_related("user").filter(user__is_active=True)
    }
    fits: dict[str, bool] = {}
    logins = []
    for tenant in TENANTS:
        for person in tenant.people:
            if (agent := agents.get(person.id)) is None:
                continue
            encoded = agent.user.password
            if encoded not in fits:
                fits[encoded] = check_password(PASSWORD, encoded)
            shown = Person(person.id, agent.user.get_username(), agent.name, person.role)
            logins.append(Login(shown, tenant, PASSWORD if fits[encoded] else None))
    return logins


def _keys() -> Keys:
    """Return the keys of the last run, with new ones for those that no longer work."""
    kept = load_keys()
    keys = Keys(
        {
            tenant.id: _key(
                kept.publish.get(tenant.id, ""), tenant, f"The demo's telephone system of {tenant.name}", True
            )
            for tenant in PUBLISHING
        },
        _key(kept.responder, ACME, "The demo's auto-responder", False),
    )
    if keys != kept:
        store_keys(keys)
    return keys


def _key(secret: str, tenant: Tenant, label: str, is_of_the_platform: bool) -> str:
    """Return `secret`, or the secret of a new key if `secret` does not work."""
    known = (
        AccessKey.objects.filter(digest=digest_of(secret), customer_id=tenant.id).first() if secret else None
    )
    if (
        known is not None
        and (known.may_publish, known.may_control) == (is_of_the_platform, is_of_the_platform)
        and known.revoked_at is None
        and not known.is_expired(timezone.now())
    ):
        return secret
    key = AccessKey(
        customer_id=tenant.id, label=label, may_publish=is_of_the_platform, may_control=is_of_the_platform
    )
    secret = key.make_secret()
    key.save()
    return secret
