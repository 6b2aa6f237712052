"""The admin's front page: all processes for platform operators, own numbers for a customer."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from events.models import Event
from subscriptions.models import Agent, AuditRecord, Customer, GatewayProcess, LiveConnection
from subscriptions.presence.process_status import ProcessState, Trouble
from tests.subscriptions.support.people import agent, customer

pytestmark = pytest.mark.django_db

LEASE = 13.0


@pytest.fixture(autouse=True)
def _no_process_yet(db: None) -> None:
    # The runtime of another test may have left its row, outside that test's transaction.
    GatewayProcess.objects.all().delete()


def process(
    name: str, *, reported_seconds_ago: float = 1.0, connections: int = 0, **state: Any
) -> GatewayProcess:
    """Create a process that last reported `reported_seconds_ago` seconds ago."""
    return GatewayProcess.objects.create(
        name=name,
        connections=connections,
        lease_ends_at=Now() + dt.timedelta(seconds=LEASE - reported_seconds_ago),
        state=ProcessState(lease_seconds=LEASE, **state).as_json(),
    )


def event(of: Customer, *, ago: float = 1.0) -> None:
    at = timezone.now() - dt.timedelta(seconds=ago)
    Event.objects.create(
        id=uuid.uuid4(),
        customer_id=of.pk,
        seq=Event.objects.count() + 1,
        event_type="call.created",
        resource="call",
        resource_id="c",
        timestamp=at,
        stored_at=at,
        body="{}",
    )


def connection(of: Customer, where: GatewayProcess, **fields: Any) -> None:
    LiveConnection.objects.create(
        id=uuid.uuid4(),
        process=where,
        customer_id=of.pk,
        credential="key vb_x",
        opened_at=timezone.now(),
        **{"is_platform_staff": False, **fields},
    )


def refusal(of: Customer | None, *, ago: float = 60.0, verdict: str = "refused") -> None:
    AuditRecord.objects.create(
        action="subscribe",
        verdict=verdict,
        at=timezone.now() - dt.timedelta(seconds=ago),
        customer_id=of.pk if of else None,
        connection_id=uuid.uuid4(),
    )


def front_page(user: User) -> tuple[dict[str, Any] | None, str]:
    """Return the tiles by name, `None` if the page shows no status, and the page."""
    client = Client()
    client.force_login(user)
    page = client.get("/admin/")
    assert page.status_code == 200
    system = page.context["system"]
    return ({tile.name: tile for tile in system.tiles} if system else None), page.content.decode()


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root")


def admin_of(of: Customer, role: str = "admin") -> User:
    user = agent(of, role=role).user
    user.is_staff = True
    user.save()
    return user


def test_a_platform_operator_sees_all_processes_together(root: User) -> None:
    acme, globex = customer("Acme"), customer("Globex")
    process("one", connections=3, deliveries_a_minute=100.0, audit_waiting=2)
    process("two", connections=4, deliveries_a_minute=11.0, audit_waiting=3)
    event(acme)
    event(globex)
    event(globex, ago=61)
    refusal(acme)
    refusal(None)
    refusal(acme, ago=3601)
    refusal(acme, verdict="granted")
    tiles, page = front_page(root)
    assert tiles is not None
    assert {name: tile.value for name, tile in tiles.items() if name != "Database"} == {
        "Connections": "7",
        "Events in the last minute": "2",
        "Deliveries in the last minute": "111",
        "Behind the log": "nothing",
        "Channel layer": "in memory",
        "Audit log": "5 waiting",
        "Refused in the last hour": "2",
    }
    assert tiles["Database"].note == "SQLite answers"
    assert len(re.findall(r"<td>\d+ s ago</td>", page)) == 2
    assert page.count("pill-good") == 2


def test_a_process_whose_lease_has_ended_is_gone_and_its_numbers_with_it(root: User) -> None:
    process("alive", connections=1)
    process("crashed", reported_seconds_ago=LEASE + 20, connections=9, late_events=5, late_seconds=99.0)
    tiles, page = front_page(root)
    assert tiles is not None
    assert (tiles["Connections"].value, tiles["Behind the log"].value) == ("1", "nothing")
    assert ">gone<" in page


@pytest.mark.parametrize(
    ("state", "word", "tile", "value", "severity"),
    [
        ({"late_events": 3, "late_seconds": 2.0}, "serving", "Behind the log", "3 events", "warn"),
        ({"late_events": 1, "late_seconds": 11.0}, "late", "Behind the log", "1 event", "bad"),
        ({"silent_seconds": 7.0}, "without the layer", "Channel layer", "silent for 1 of 2", "bad"),
        ({"is_draining": True}, "stopping", "Behind the log", "nothing", "good"),
        ({"audit_lost": 4}, "serving", "Audit log", "4 lost", "bad"),
        ({"audit_waiting": 1001}, "serving", "Audit log", "1,001 waiting", "warn"),
    ],
)
def test_what_is_wrong_with_one_process_shows(
    root: User, state: dict[str, Any], word: str, tile: str, value: str, severity: str
) -> None:
    process("well")
    process("ill", **state)
    tiles, page = front_page(root)
    assert tiles is not None
    assert (tiles[tile].value, tiles[tile].severity) == (value, severity)
    assert f">{word}<" in page


def test_several_processes_without_a_common_layer_are_warned_of(root: User, settings: Any) -> None:
    process("one")
    process("two")
    tiles, _ = front_page(root)
    assert tiles is not None
    assert (tiles["Channel layer"].value, tiles["Channel layer"].severity) == ("in memory", "warn")
    settings.REDIS_URL = "redis://cache"
    tiles, _ = front_page(root)
    assert tiles is not None
    assert (tiles["Channel layer"].value, tiles["Channel layer"].severity) == ("connected", "good")


def test_the_last_troubles_of_all_processes_are_listed_newest_first_and_escaped(root: User) -> None:
    process("one", troubles=tuple(Trouble(1_000_000.0 + at, "WARNING", f"old {at}") for at in range(9)))
    process(
        "two",
        troubles=(Trouble(2_000_000.0, "ERROR", "<script>new</script>"), Trouble(0.0, "ERROR", "oldest")),
    )
    _, page = front_page(root)
    assert "&lt;script&gt;new&lt;/script&gt;" in page
    assert page.index("new&lt;") < page.index("old 8") < page.index("old 0")
    assert "oldest" not in page


def test_an_admin_of_a_customer_sees_its_own_numbers_alone() -> None:
    acme, globex = customer("Acme"), customer("Globex")
    where = process("the-host, process 7", troubles=(Trouble(1.0, "ERROR", "a trouble of Globex"),))
    crashed = process("crashed", reported_seconds_ago=LEASE + 1)
    connection(acme, where)
    connection(acme, where, is_platform_staff=True)
    connection(acme, crashed)
    connection(globex, where)
    event(acme, ago=9000)
    event(acme, ago=7300)
    event(globex)
    refusal(acme)
    refusal(globex)
    refusal(None)
    tiles, page = front_page(admin_of(acme))
    assert tiles is not None
    assert {name: tile.value for name, tile in tiles.items()} == {
        "Connections": "1",
        "Events in the last minute": "0",
        "Last event": "2 h ago",
        "Refused in the last hour": "1",
    }
    for foreign in ("the-host", "trouble", "Globex", "Database", "records that are not stored yet"):
        assert foreign not in page


def test_a_customer_without_events_sees_that() -> None:
    tiles, _ = front_page(admin_of(customer()))
    assert tiles is not None
    assert (tiles["Last event"].value, tiles["Last event"].note) == ("—", "none is kept")


def test_platform_staff_see_what_a_superuser_sees() -> None:
    process("one", connections=3)
    tiles, _ = front_page(admin_of(customer(), role="staff"))
    assert tiles is not None
    assert tiles["Connections"].value == "3"


def test_who_has_but_permissions_sees_no_state() -> None:
    process("the-host")
    helper = User.objects.create_user("helper", is_staff=True)
    helper.user_permissions.add(Permission.objects.get(codename="view_queue"))
    tiles, page = front_page(helper)
    assert tiles is None
    assert "the-host" not in page
    assert not Agent.objects.filter(user=helper).exists()


def test_the_tiles_lead_to_pages_that_are_there(root: User) -> None:
    process("one")
    tiles, _ = front_page(root)
    assert tiles is not None
    client = Client()
    client.force_login(root)
    urls = [tile.url for tile in tiles.values() if tile.url]
    assert len(urls) == 3
    assert [client.get(url).status_code for url in urls] == [200] * 3
