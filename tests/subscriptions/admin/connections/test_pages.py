"""The admin pages of live connections: display, search, filters, and closing."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models.functions import Now
from django.utils import timezone

from subscriptions.models import (
    AccessKey,
    Agent,
    AuditRecord,
    CloseOrder,
    Customer,
    GatewayProcess,
    LiveConnection,
)
from tests.subscriptions.support.admin_client import AdminClient, address, admin_of, superuser
from tests.subscriptions.support.people import access_key, agent, customer

pytestmark = pytest.mark.django_db


def connected(
    owner: Customer, *, key: AccessKey | None = None, person: Agent | None = None, **fields: Any
) -> Any:
    """A connection of a process of its own, with its last stored `figures`."""
    figures, lease = fields.pop("figures", None), fields.pop("lease", timedelta(minutes=1))
    connection_id = uuid.uuid4()
    process = GatewayProcess.objects.create(
        name="host, process 1",
        lease_ends_at=Now() + lease,
        connections=1,
        figures=json.dumps({connection_id.hex: figures} if figures else {}),
    )
    given = {
        "process": process,
        "customer_id": owner.pk,
        "agent_id": person.pk if person else None,
        "key_id": key.pk if key else None,
        "credential": f"key {key.prefix}" if key else "token of someone",
        "is_platform_staff": False,
        "address": "192.0.2.7",
        "client": "reports/2",
        "opened_at": timezone.now() - timedelta(minutes=5),
    }
    return LiveConnection.objects.create(id=connection_id, **given | fields)


# --- Seeing ---


def test_a_connection_is_shown_with_all_that_is_known_of_it(ada: AdminClient, acme: Customer) -> None:
    key, _ = access_key(acme)
    topics = [f"customer_id:{acme.pk}:call:{number}" for number in range(3)]
    row = connected(acme, key=key, topics="\n".join(topics), topic_count=300, figures=(12345, 2048, 7, 40))
    shown = ada.list(LiveConnection).text
    for text in ("Acme", "a test", "192.0.2.7", "reports/2", ">5 min<", "12,345", "2.05 kB, for 7 s"):
        assert text in shown, text
    assert "40 events, for 7 s" in shown
    assert "and 298 more" in shown
    page = ada.open(row).text
    for text in (
        *topics,
        f"key {key.prefix}",
        "and 297 more",
        f"auditrecord/?q={row.pk}",
        "host, process 1",
    ):
        assert text in page, text


def test_what_a_client_calls_itself_is_never_markup(ada: AdminClient, acme: Customer) -> None:
    connected(acme, client="<script>alert(1)</script>", topics="<b>", topic_count=1)
    assert "<script>alert(1)" not in ada.list(LiveConnection).text
    assert "<b>" not in ada.list(LiveConnection).text


def test_a_crashed_process_is_not_shown(ada: AdminClient, acme: Customer) -> None:
    row = connected(acme, lease=timedelta(seconds=-1))
    assert ada.list(LiveConnection).rows == 0
    assert ada.open(row).status == 302


def test_a_connection_cannot_be_changed_or_deleted(ada: AdminClient, acme: Customer) -> None:
    row = connected(acme)
    for operator in (ada, superuser()):
        assert operator.get(address(LiveConnection, "add")).status == 403
        assert operator.post(address(row, "delete"), {"post": "yes"}).status == 403
        assert operator.post(address(row, "change"), {"client": "changed"}).status == 403
    row.refresh_from_db()
    assert row.client == "reports/2"


def test_stats_that_are_not_stored_yet_are_zero(ada: AdminClient, acme: Customer) -> None:
    connected(acme)
    page = ada.list(LiveConnection)
    assert page.rows == 1
    assert page.response.context["cl"].result_list[0].stats == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "reports"}, 1),
        ({"q": "192.0.2.7"}, 1),
        ({"q": ":queue:"}, 1),
        ({"q": "Nina"}, 1),
        ({"q": "nobody"}, 0),
        ({"q": "\0"}, 2),
        ({"credential": "key"}, 1),
        ({"credential": "token"}, 1),
        ({"pace": "behind"}, 1),
    ],
)
def test_connections_are_found(ada: AdminClient, acme: Customer, query: dict[str, str], found: int) -> None:
    key, _ = access_key(acme)
    nina = agent(acme)
    Agent.objects.filter(pk=nina.pk).update(name="Nina")
    connected(acme, key=key, topics=f"customer_id:{acme.pk}:queue:*", figures=(9, 1, 0, 0))
    connected(acme, person=nina, client="browser", address="198.51.100.1", figures=(9, 0, 0, 0))
    assert ada.list(LiveConnection, **query).rows == found


def test_the_connections_of_one_key_are_a_click_from_the_key(ada: AdminClient, acme: Customer) -> None:
    key, other = access_key(acme)[0], access_key(acme)[0]
    for _ in range(2):
        connected(acme, key=key)
    connected(acme, key=other)
    connected(acme, key=key, lease=timedelta(seconds=-1))
    link = f"/admin/subscriptions/liveconnection/?key={key.pk}"
    assert f'<a href="{link}">2</a>' in ada.list(AccessKey).text
    assert f'<a href="{link}">2</a>' in ada.open(key).text
    page = ada.get(link.partition("?")[0], key=str(key.pk))
    assert page.rows == 2
    assert "Close all connections of this key" in page.text
    assert "Close all connections of this key" not in ada.list(LiveConnection).text
    assert ada.list(LiveConnection, key="nonsense").status == 400


# --- Whose ---


def test_platform_staffs_own_connections_are_not_shown_to_a_customers_admin(
    ada: AdminClient, acme: Customer
) -> None:
    staff = agent(acme, role="staff")
    rows = [
        connected(acme, person=staff, is_platform_staff=True),
        # By a token of before the agent was made staff.
        connected(acme, person=staff, is_platform_staff=False),
    ]
    assert ada.list(LiveConnection).rows == 0
    for row in rows:
        assert ada.open(row).status in (302, 403)
    ada.act("close_connections", rows)
    assert not CloseOrder.objects.exists()
    assert superuser().list(LiveConnection).rows == 2


def test_a_strangers_key_has_no_button_and_no_rows(ada: AdminClient) -> None:
    globex = customer("Globex")
    key, _ = access_key(globex)
    connected(globex, key=key)
    page = ada.list(LiveConnection, key=str(key.pk))
    assert page.rows == 0
    assert "Close all connections of this key" not in page.text
    assert key.prefix not in page.text


# --- Closing ---


def test_closing_is_confirmed_first(ada: AdminClient, acme: Customer) -> None:
    row = connected(acme, key=access_key(acme)[0])
    page = ada.act("close_connections", [row], confirmed=False)
    assert "Close these connections?" in page.text
    assert str(row) in page.text.replace("&lt;", "<")
    assert 'name="reason"' in page.text
    assert not CloseOrder.objects.exists()


def test_a_closed_connection_is_ordered_recorded_and_shown_as_closing(acme: Customer) -> None:
    operator, person = admin_of(acme)
    row, other = connected(acme), connected(acme)
    data = {"action": "close_connections", "_selected_action": [str(row.pk)], "confirmed": "yes"}
    page = operator.post(
        address(LiveConnection, "changelist"),
        data | {"reason": " you\tflood\nus \0" + "x" * 500},
        follow=True,
    )
    assert page.messages == ["Closing 1 connection."]
    assert page.text.count(">closing<") == 1
    [order] = CloseOrder.objects.all()
    assert (order.connection_id, order.key_id) == (row.pk, None)
    assert order.reason.startswith("you flood us xxx")
    assert len(order.reason) <= 80
    [record] = AuditRecord.objects.all()
    assert (record.action, record.connection_id) == ("close", row.pk)
    assert record.detail.startswith(f"{person.user.get_username()} from 127.0.0.1: you flood us")
    assert other.pk != row.pk


def test_all_sockets_of_a_key_are_closed_from_its_page(ada: AdminClient, acme: Customer) -> None:
    key, _ = access_key(acme)
    assert "Close connections" in ada.open(key).text
    page = ada.act("close_sockets", [key], confirmed=False)
    assert "The credentials stay valid" in page.text.replace("\n", " ")
    ada.act("close_sockets", [key])
    [order] = CloseOrder.objects.all()
    assert (order.connection_id, order.key_id) == (None, key.pk)
    assert "Closed all connections" in ada.get(address(key, "history")).text
    assert AuditRecord.objects.get().credential == f"key {key.prefix}"


def test_who_has_no_right_to_it_closes_nothing(acme: Customer) -> None:
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_liveconnection"))
    row = connected(acme)
    operator = AdminClient(looker)
    page = operator.list(LiveConnection)
    assert (page.status, page.rows) == (200, 1)
    assert "close_connections" not in page.text
    operator.act("close_connections", [row])
    assert not CloseOrder.objects.exists()
    looker.user_permissions.add(Permission.objects.get(codename="delete_liveconnection"))
    AdminClient(User.objects.get(pk=looker.pk)).act("close_connections", [row])
    assert CloseOrder.objects.count() == 1
